/* SPDX-License-Identifier: Apache-2.0 */
/* The one line in which a step program says what came of it: `done: TEXT`, or `CODE: TEXT` with the
 * wire's name of an error.
 *
 * Threads  pure functions.
 * Errors   0, or what is wrong with it: -ENODATA (it said nothing), -EMSGSIZE (more than is kept),
 *          -EBADMSG (not one whole line, or none of these).
 */
#ifndef HOST_PROCESS_RESULT_LINE_H
#define HOST_PROCESS_RESULT_LINE_H

#include "wire/attributes.h"
#include "wire/message.h"

#include <stddef.h>

enum { OPERATION_LINE_MAX = 1024 /* bytes of it, with its newline */ };

struct result_line {
    enum error_code code; /* ERROR_NONE: done */
    struct text text;     /* in the caller's bytes, as the program wrote it */
};

/* `length` may be more than ERRAND_LINE_MAX; only so many bytes are there then. */
MUST_CHECK int result_line_parse(const char *said, size_t length, struct result_line *ret);

/* The other way: one line with its newline, at most ERRAND_LINE_MAX bytes; `text` is escaped, and
 * cut if it must be. */
void result_line_format(enum error_code code, const char *text, char line[OPERATION_LINE_MAX + 1]);

/* What is wrong with it, in words that follow the program's name. */
const char *result_line_explain(int error);

#endif
