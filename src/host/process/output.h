/* SPDX-License-Identifier: Apache-2.0 */
/* Output of a program, cut into lines: at newlines, and what a carriage return overwrites is dropped,
 * so that a progress display is its last state. Blank lines are left out, and the end of a line
 * that is too long. */
#ifndef HOST_PROCESS_OUTPUT_H
#define HOST_PROCESS_OUTPUT_H

#include "wire/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OUTPUT_LINE_MAX = 2048,       /* bytes of a line as the program wrote it */
    OUTPUT_LINES_PER_SECOND = 50, /* that on_line gets */
    OUTPUT_TAIL_LINES = 5,
    OUTPUT_TAIL_MAX = 1024, /* bytes of the joined lines */
};

/* A line, escaped, for a log; beyond OUTPUT_LINES_PER_SECOND a line says how many were left out. */
typedef void output_line_function(void *context, const char *line);

/* Every line, as the program wrote it. */
typedef void output_text_function(void *context, struct text line);

struct output_sink {
    output_line_function *on_line; /* may be NULL */
    output_text_function *on_text; /* may be NULL */
    void *context;
};

struct output {
    struct output_sink sink;
    char line[OUTPUT_LINE_MAX];
    size_t length;
    bool returned; /* a carriage return was the last byte */
    int64_t now_ms;
    int64_t second_ms; /* when the current second began */
    unsigned logged;   /* lines passed to on_line in it */
    uint64_t left_out; /* lines since the last that on_line got */
    char last[OUTPUT_LINE_MAX];
    size_t last_length;
};

/* now_ms: of any clock. */
void output_init(struct output *output, const struct output_sink *sink, int64_t now_ms);
void output_feed(struct output *output, const char *bytes, size_t length, int64_t now_ms);
/* A last line without a newline counts. */
void output_end(struct output *output);
/* The last line, escaped, cut to `size`. */
void output_last(const struct output *output, char *out, size_t size);

/* The last lines, for an error that says why a program failed. Starts zeroed. */
struct output_tail {
    char bytes[OUTPUT_TAIL_LINES][OUTPUT_TAIL_MAX];
    size_t length[OUTPUT_TAIL_LINES];
    size_t count; /* lines seen in all */
};

void output_tail_add(struct output_tail *tail, struct text line);

/* The lines, escaped, joined with " | ", oldest first. What does not fit is left out from the oldest
 * on; the newest is always there, cut if it must be. */
void output_tail_join(const struct output_tail *tail, char out[OUTPUT_TAIL_MAX + 1]);

#endif
