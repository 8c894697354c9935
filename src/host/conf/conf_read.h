/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a configuration, and the lines of one: [section], key = value, # or ; comments.
 * Errors   0 or -errno with one line in `problem`; the first refusal of a callback ends the reading.
 */
#ifndef HOST_CONF_CONF_READ_H
#define HOST_CONF_CONF_READ_H

#include "host/conf/conf.h"

/* The main file, then PATH.d/ *.conf in the order of their names, byte by byte. No such directory:
 * no drop-ins. The caller frees with conf_strings_clear, after a failure too. */
MUST_CHECK int conf_files_find(const char *path, struct conf_strings *files,
                               char problem[CONF_PROBLEM_MAX]);

enum { CONF_LINE_MAX = 4096 }; /* bytes of a line without its newline */

struct conf_place {
    const char *path;
    unsigned line; /* from 1 on; 0: the file as a whole */
};

/* Both functions return 0, or -errno after they have written the problem. */
struct conf_sink {
    int (*section)(void *context, const struct conf_place *place, const char *section);
    int (*entry)(void *context, const struct conf_place *place, const char *key, const char *value);
    void *context;
};

MUST_CHECK int conf_read(const char *path, const struct conf_sink *sink,
                         char problem[CONF_PROBLEM_MAX]);

/* Writes "PATH:LINE: text" or "PATH: text", the path escaped. Returns -EINVAL. */
int conf_refuse(const struct conf_place *place, char problem[CONF_PROBLEM_MAX], const char *format,
                ...) PRINTF_LIKE(3, 4);

#endif
