/* SPDX-License-Identifier: Apache-2.0 */
/* A CUnit program whose tests share a folder of their own, removed at the end. */
#ifndef TESTS_FOLDER_H
#define TESTS_FOLDER_H

#include "support/unit.h"

/* `path` is a template of mkdtemp(3), and the folder's name afterwards. `fd` (may be NULL) is the
 * folder, open, while the tests run. */
int folder_unit_main(const char *suite, char path[], int *fd);

#endif
