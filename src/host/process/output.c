/* SPDX-License-Identifier: Apache-2.0 */
#include "host/process/output.h"

#include "wire/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool may_log(struct output *output)
{
    if (output->now_ms - output->second_ms >= 1000) {
        output->second_ms = output->now_ms;
        output->logged = 0;
    }
    return output->logged < OUTPUT_LINES_PER_SECOND;
}

static void log_left_out(struct output *output)
{
    char note[64];
    if (output->left_out > 0) {
        (void)snprintf(note, sizeof note, "(%" PRIu64 " lines left out)", output->left_out);
        output->left_out = 0;
        output->sink.on_line(output->sink.context, note);
    }
}

static void log_line(struct output *output, struct text line)
{
    char escaped[4 * OUTPUT_LINE_MAX + 1];
    if (!may_log(output)) {
        output->left_out++;
        return;
    }
    log_left_out(output);
    output->logged++;
    (void)escape_text(line, ESCAPE_LINE, escaped, sizeof escaped); /* it fits: \xNN is 4 bytes */
    output->sink.on_line(output->sink.context, escaped);
}

static bool is_blank(struct text line)
{
    size_t blanks = 0;
    while (blanks < line.length && (line.bytes[blanks] == ' ' || line.bytes[blanks] == '\t')) {
        blanks++;
    }
    return blanks == line.length;
}

static void end_line(struct output *output)
{
    const struct text line = {output->line, output->length};
    if (!is_blank(line)) {
        memcpy(output->last, line.bytes, line.length);
        output->last_length = line.length;
        if (output->sink.on_text != NULL) {
            output->sink.on_text(output->sink.context, line);
        }
        if (output->sink.on_line != NULL) {
            log_line(output, line);
        }
    }
    output->length = 0;
    output->returned = false;
}

static void add_byte(struct output *output, char byte)
{
    if (output->returned) {
        output->length = 0;
        output->returned = false;
    }
    if (output->length < sizeof output->line) {
        output->line[output->length++] = byte;
    }
}

void output_init(struct output *output, const struct output_sink *sink, int64_t now_ms)
{
    output->sink = *sink;
    output->length = 0;
    output->returned = false;
    output->now_ms = now_ms;
    output->second_ms = now_ms;
    output->logged = 0;
    output->left_out = 0;
    output->last_length = 0;
}

void output_feed(struct output *output, const char *bytes, size_t length, int64_t now_ms)
{
    output->now_ms = now_ms;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n') {
            end_line(output);
        } else if (bytes[i] == '\r') {
            output->returned = true;
        } else {
            add_byte(output, bytes[i]);
        }
    }
}

void output_end(struct output *output)
{
    end_line(output);
    log_left_out(output);
}

void output_last(const struct output *output, char *out, size_t size)
{
    const struct text last = {output->last, output->last_length};
    (void)escape_text(last, ESCAPE_LINE, out, size); /* cut to what the result holds */
}

void output_tail_add(struct output_tail *tail, struct text line)
{
    size_t slot = tail->count++ % OUTPUT_TAIL_LINES;
    tail->length[slot] = line.length < OUTPUT_TAIL_MAX ? line.length : OUTPUT_TAIL_MAX;
    if (line.length > 0) {
        memcpy(tail->bytes[slot], line.bytes, tail->length[slot]);
    }
}

/* Puts a line before what `out` holds, if there is room for all of it. */
static bool prepend_line(struct text raw, char out[OUTPUT_TAIL_MAX + 1])
{
    char line[OUTPUT_TAIL_MAX + 1];
    char joined[OUTPUT_TAIL_MAX + 1];
    if (escape_text(raw, ESCAPE_LINE, line, sizeof line) > OUTPUT_TAIL_MAX) {
        return false;
    }
    int length = snprintf(joined, sizeof joined, "%s | %s", line, out);
    if (length < 0 || length > OUTPUT_TAIL_MAX) {
        return false;
    }
    memcpy(out, joined, (size_t)length + 1);
    return true;
}

void output_tail_join(const struct output_tail *tail, char out[OUTPUT_TAIL_MAX + 1])
{
    bool fits = true;
    out[0] = '\0';
    for (size_t age = 0; fits && age < OUTPUT_TAIL_LINES && age < tail->count; age++) {
        size_t slot = (tail->count - 1 - age) % OUTPUT_TAIL_LINES;
        struct text raw = {tail->bytes[slot], tail->length[slot]};
        if (age == 0) {
            (void)escape_text(raw, ESCAPE_LINE, out, OUTPUT_TAIL_MAX + 1); /* cut, if it must be */
        } else {
            fits = prepend_line(raw, out);
        }
    }
}
