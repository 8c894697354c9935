/* SPDX-License-Identifier: Apache-2.0 */
/* One file of sections and keys, read by inih through a reader that refuses what the library would
 * quietly read as something else: a line it would cut, an indented line (it takes that for a second
 * value of the key before), NUL bytes, "key: value", text after a section's bracket.
 *
 * Threads  any; the callbacks run inside the call.
 * Errors   0 or -errno with one line in `problem`; the first refusal of a callback ends it.
 */
#ifndef HOST_CONF_CONF_READ_H
#define HOST_CONF_CONF_READ_H

#include "host/conf/conf.h"

/* Which files make up a configuration: the main one, then PATH.d/ *.conf in the order of their
 * names, byte by byte.
 *
 * Errors   0 or -errno with one line in `problem`. No such folder is no drop-ins.
 * Owner    conf_files_find allocates, conf_files_done frees.
 */
MUST_CHECK int conf_files_find(const char *path, struct conf_strings *ret,
                               char problem[CONF_PROBLEM_MAX]);
void conf_files_done(struct conf_strings *files);

/* Bytes of a line without its newline. Debian's inih has room for 200, newline and NUL included. */
enum { CONF_LINE_MAX = 198 };

struct conf_place {
    const char *path;
    unsigned line; /* from 1 on; 0: the file as a whole */
};

struct conf_sink {
    /* Both return 0, or -errno after they have written the problem. `section` is "" before the
     * first one. */
    int (*section)(void *context, const struct conf_place *place, const char *section);
    int (*entry)(void *context, const struct conf_place *place, const char *section,
                 const char *key, const char *value);
    void *context;
};

MUST_CHECK int conf_read(const char *path, const struct conf_sink *sink,
                         char problem[CONF_PROBLEM_MAX]);

/* Writes "PATH:LINE: text" or "PATH: text", the path escaped. */
void conf_problem(const struct conf_place *place, char problem[CONF_PROBLEM_MAX],
                  const char *format, ...) PRINTF_LIKE(3, 4);

#endif
