/* SPDX-License-Identifier: Apache-2.0 */
/* The line on stdout in which a helper program reports its result: `done: TEXT`, or `CODE: TEXT` with the
 * wire's name of an error. */
#ifndef HOST_PROCESS_RESULT_LINE_H
#define HOST_PROCESS_RESULT_LINE_H

#include "wire/attributes.h"
#include "wire/message.h"

#include <stddef.h>

enum { RESULT_LINE_MAX = 1024 /* bytes of it, with its newline */ };

struct result_line {
    enum error_code code; /* ERROR_NONE: done */
    struct text text;     /* in the caller's bytes, as the program wrote it */
};

/* `length` may be more than RESULT_LINE_MAX; only so many bytes are there then. -ENODATA: no bytes,
 * -EMSGSIZE: more than RESULT_LINE_MAX, -EBADMSG: not one whole line of this form. */
MUST_CHECK int result_line_parse(const char *bytes, size_t length, struct result_line *ret);

/* One line with its newline, at most RESULT_LINE_MAX bytes; `text` is escaped, and cut if it must
 * be. */
void result_line_format(enum error_code code, const char *text, char line[RESULT_LINE_MAX + 1]);

/* An error of result_line_parse, in words that follow the program's name. */
const char *result_line_explain(int error);

#endif
