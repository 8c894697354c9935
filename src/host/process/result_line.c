/* SPDX-License-Identifier: Apache-2.0 */
#include "host/process/result_line.h"

#include "wire/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_word(struct text word, const char *name)
{
    return strlen(name) == word.length && memcmp(name, word.bytes, word.length) == 0;
}

static int find_code(struct text word, enum error_code *ret)
{
    if (is_word(word, "done")) {
        *ret = ERROR_NONE;
        return 0;
    }
    for (unsigned code = ERROR_NONE + 1; code <= ERROR_LAST; code++) {
        if (is_word(word, error_name((uint16_t)code))) {
            *ret = (enum error_code)code;
            return 0;
        }
    }
    return -EBADMSG;
}

int result_line_parse(const char *said, size_t length, struct result_line *ret)
{
    if (length == 0) {
        return -ENODATA;
    }
    if (length > OPERATION_LINE_MAX) {
        return -EMSGSIZE;
    }
    const char *end = memchr(said, '\n', length);
    const char *colon = memchr(said, ':', length);
    if (end == NULL || end + 1 != said + length || colon == NULL || colon >= end) {
        return -EBADMSG;
    }
    struct result_line line;
    int error = find_code((struct text){said, (size_t)(colon - said)}, &line.code);
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

void result_line_format(enum error_code code, const char *text, char line[OPERATION_LINE_MAX + 1])
{
    const char *name = code == ERROR_NONE ? "done" : error_name(code);
    int length = snprintf(line, OPERATION_LINE_MAX, "%s: ", name); /* a short word */
    char *rest = line + length;
    (void)escape_text(text_of(text), ESCAPE_LINE, rest, OPERATION_LINE_MAX - (size_t)length);
    size_t end = strlen(line);
    line[end] = '\n'; /* escape_text left room for it */
    line[end + 1] = '\0';
}

const char *result_line_explain(int error)
{
    switch (error) {
    case -ENODATA:
        return "said nothing about what came of it";
    case -EMSGSIZE:
        return "said more than one line may hold";
    default:
        return "did not say in one line what came of it";
    }
}
