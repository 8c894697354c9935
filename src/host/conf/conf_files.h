/* SPDX-License-Identifier: Apache-2.0 */
/* Which files make up a configuration: the main one, then PATH.d/ *.conf in the order of their
 * names, byte by byte.
 *
 * Errors   0 or -errno with one line in `problem`. No such folder is no drop-ins.
 * Owner    conf_files_find allocates, conf_files_done frees.
 */
#ifndef HOST_CONF_FILES_H
#define HOST_CONF_FILES_H

#include "host/conf/conf.h"

MUST_CHECK int conf_files_find(const char *path, struct conf_strings *ret,
                               char problem[CONF_PROBLEM_MAX]);
void conf_files_done(struct conf_strings *files);

#endif
