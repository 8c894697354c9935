/* SPDX-License-Identifier: Apache-2.0 */
#include "host/step/output.h"

#include <inttypes.h>
#include <stdio.h>

#include "wire/escape.h"

static bool may_tell(struct output *output)
{
    if (output->now_ms - output->second_ms >= 1000) {
        output->second_ms = output->now_ms;
        output->told = 0;
    }
    return output->told < STEP_LINES_PER_SECOND;
}

static void tell_left_out(struct output *output)
{
    char note[64];
    if (output->left_out == 0) {
        return;
    }
    (void)snprintf(note, sizeof(note), "(%" PRIu64 " lines left out)", output->left_out);
    output->left_out = 0;
    output->step->on_line(output->step->context, note);
}

static void tell(struct output *output, struct text line)
{
    char escaped[4 * STEP_LINE_MAX + 1];
    if (!may_tell(output)) {
        output->left_out++;
        return;
    }
    tell_left_out(output);
    output->told++;
    (void)escape_text(line, ESCAPE_LINE, escaped, sizeof(escaped)); /* it fits: \xNN is 4 bytes */
    output->step->on_line(output->step->context, escaped);
}

static void take_line(void *context, struct text line)
{
    struct output *output = context;
    memcpy(output->last, line.bytes, line.length);
    output->last_length = line.length;
    if (output->step->on_text != NULL) {
        output->step->on_text(output->step->context, line);
    }
    if (output->step->on_line != NULL) {
        tell(output, line);
    }
}

void output_init(struct output *output, const struct step *step, int64_t now_ms)
{
    output->step = step;
    output->now_ms = now_ms;
    output->second_ms = now_ms;
    output->told = 0;
    output->left_out = 0;
    output->last_length = 0;
    lines_init(&output->lines, take_line, output);
}

void output_feed(struct output *output, const char *bytes, size_t length, int64_t now_ms)
{
    output->now_ms = now_ms;
    lines_feed(&output->lines, bytes, length);
}

void output_end(struct output *output)
{
    lines_end(&output->lines);
    tell_left_out(output);
}

void output_last(const struct output *output, char *out, size_t size)
{
    struct text last = {output->last, output->last_length};
    (void)escape_text(last, ESCAPE_LINE, out, size); /* cut to what the result holds */
}
