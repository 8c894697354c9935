/* SPDX-License-Identifier: Apache-2.0 */
#include "host/process/result_line.h"

#include "wire/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int find_code(struct text word, enum error_code *ret)
{
    if (text_is(word, "done")) {
        *ret = ERROR_NONE;
        return 0;
    }
    for (unsigned code = ERROR_NONE + 1; code <= ERROR_LAST; code++) {
        if (text_is(word, error_name((uint16_t)code))) {
            *ret = (enum error_code)code;
            return 0;
        }
    }
    return -EBADMSG;
}

int result_line_parse(const char *bytes, size_t length, struct result_line *ret)
{
    if (length == 0) {
        return -ENODATA;
    }
    if (length > RESULT_LINE_MAX) {
        return -EMSGSIZE;
    }
    const char *end = memchr(bytes, '\n', length);
    const char *colon = memchr(bytes, ':', length);
    if (end == NULL || end + 1 != bytes + length || colon == NULL || colon >= end) {
        return -EBADMSG;
    }
    struct result_line line;
    int error = find_code((struct text){bytes, (size_t)(colon - bytes)}, &line.code);
    if (error != 0) {
        return error;
    }
    const char *text = colon + 1;
    while (text < end && *text == ' ') {
        text++;
    }
    if (text == end) {
        return -EBADMSG;
    }
    line.text = (struct text){text, (size_t)(end - text)};
    *ret = line;
    return 0;
}

void result_line_format(enum error_code code, const char *text, char line[RESULT_LINE_MAX + 1])
{
    const char *name = code == ERROR_NONE ? "done" : error_name(code);
    int length = snprintf(line, RESULT_LINE_MAX, "%s: ", name); /* a short word */
    char *rest = line + length;
    (void)escape_text(text_of(text), ESCAPE_LINE, rest, RESULT_LINE_MAX - (size_t)length);
    size_t end = strlen(line);
    line[end] = '\n'; /* escape_text left room for it */
    line[end + 1] = '\0';
}

const char *result_line_explain(int error)
{
    switch (error) {
    case -ENODATA:
        return "wrote no result";
    case -EMSGSIZE:
        return "wrote more than the result line may hold (1024 bytes)";
    default:
        return "did not write its result as one line done: TEXT or CODE: TEXT";
    }
}
