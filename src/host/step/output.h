/* SPDX-License-Identifier: Apache-2.0 */
/* What a step program writes, on its way to the callbacks of its struct step: cut into lines,
 * limited to so many a second for the log, the last one kept.
 *
 * Threads  a value of its caller.
 * Units    now_ms: any clock in milliseconds, given by the caller.
 */
#ifndef HOST_OUTPUT_H
#define HOST_OUTPUT_H

#include "host/step/lines.h"
#include "host/step/step.h"

struct output {
    const struct step *step;
    struct lines lines;
    int64_t now_ms;
    int64_t second_ms; /* when the present second began */
    unsigned told;     /* lines that on_line was given in it */
    uint64_t left_out; /* lines since the last that on_line was given */
    char last[STEP_LINE_MAX];
    size_t last_length;
};

void output_init(struct output *output, const struct step *step, int64_t now_ms);
void output_feed(struct output *output, const char *bytes, size_t length, int64_t now_ms);
void output_end(struct output *output);
void output_last(const struct output *output, char *out, size_t size);

#endif
