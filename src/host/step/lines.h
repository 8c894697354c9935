/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a program's output, cut into lines: at newlines, and what a carriage return overwrites
 * is forgotten, so that a progress display is its last state. Blank lines are left out; the end of
 * a line that is too long is dropped.
 *
 * Threads  a value of its caller; the callback runs inside feed and end.
 */
#ifndef HOST_LINES_H
#define HOST_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "host/step/step.h"
#include "wire/message.h"

struct lines {
    char bytes[STEP_LINE_MAX];
    size_t length;
    bool returned; /* a carriage return was the last byte */
    step_text_function *on_text;
    void *context;
};

void lines_init(struct lines *lines, step_text_function *on_text, void *context);
void lines_feed(struct lines *lines, const char *bytes, size_t length);
/* No more comes: a last line without a newline counts. */
void lines_end(struct lines *lines);

#endif
