/* SPDX-License-Identifier: Apache-2.0 */
/* What a step program writes, on its way to the callbacks of its struct step: cut into lines,
 * limited to so many a second for the log, the last one kept.
 *
 * Threads  a value of its caller.
 * Units    now_ms: any clock in milliseconds, given by the caller.
 */
#ifndef HOST_PROCESS_OUTPUT_H
#define HOST_PROCESS_OUTPUT_H

#include "host/process/child.h"
#include "wire/message.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes of a program's output, cut into lines: at newlines, and what a carriage return overwrites
 * is forgotten, so that a progress display is its last state. Blank lines are left out; the end of
 * a line that is too long is dropped.
 *
 * Threads  a value of its caller; the callback runs inside feed and end.
 */
struct lines {
    char bytes[CHILD_LINE_MAX];
    size_t length;
    bool returned; /* a carriage return was the last byte */
    child_text_function *on_text;
    void *context;
};

/* The last lines of a program's output, for the error that says why it failed.
 *
 * Threads  a value of its caller.
 */
enum {
    TAIL_LINES = 5,
    TAIL_MAX = 1024, /* bytes of the joined text */
};

struct tail {
    char bytes[TAIL_LINES][TAIL_MAX];
    size_t length[TAIL_LINES];
    size_t count; /* lines seen in all */
};

void tail_init(struct tail *tail);
void tail_add(struct tail *tail, struct text line);

/* The last lines, escaped, joined with " | ", oldest first. What does not fit is left out from the
 * oldest on; the newest is there always, cut if it must be. */
void tail_join(const struct tail *tail, char out[TAIL_MAX + 1]);

struct output {
    const struct child_command *step;
    struct lines lines;
    int64_t now_ms;
    int64_t second_ms; /* when the present second began */
    unsigned told;     /* lines that on_line was given in it */
    uint64_t left_out; /* lines since the last that on_line was given */
    char last[CHILD_LINE_MAX];
    size_t last_length;
};

void output_init(struct output *output, const struct child_command *step, int64_t now_ms);
void output_feed(struct output *output, const char *bytes, size_t length, int64_t now_ms);
void output_end(struct output *output);
void output_last(const struct output *output, char *out, size_t size);

#endif
