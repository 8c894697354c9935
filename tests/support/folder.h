/* SPDX-License-Identifier: Apache-2.0 */
/* A CUnit program whose tests share a folder of their own, which is gone at the end.
 *
 * Threads  the main thread.
 * Errors   exit status 1: a test failed, or the folder could not be made or removed (said on stderr).
 */
#ifndef TESTS_FOLDER_H
#define TESTS_FOLDER_H

#include "support/unit.h"

/* `path` is a template of mkdtemp(3), and the folder's name afterwards. `fd` (may be NULL) is the
 * folder, open, while the tests run. */
int folder_unit_main(const char *suite, const struct unit_test *tests, size_t count, char path[],
                     int *fd);

#endif
