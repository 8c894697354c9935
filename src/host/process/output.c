/* SPDX-License-Identifier: Apache-2.0 */
#include "host/process/output.h"

#include "wire/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool blank(const struct lines *lines)
{
    for (size_t i = 0; i < lines->length; i++) {
        if (lines->bytes[i] != ' ' && lines->bytes[i] != '\t') {
            return false;
        }
    }
    return true;
}

static void lines_init(struct lines *lines, child_text_function *on_text, void *context)
{
    lines->length = 0;
    lines->returned = false;
    lines->on_text = on_text;
    lines->context = context;
}

/* No more comes: a last line without a newline counts. */
static void lines_end(struct lines *lines)
{
    if (!blank(lines)) {
        lines->on_text(lines->context, (struct text){lines->bytes, lines->length});
    }
    lines->length = 0;
    lines->returned = false;
}

static void put(struct lines *lines, char byte)
{
    if (lines->returned) {
        lines->length = 0;
        lines->returned = false;
    }
    if (lines->length < sizeof lines->bytes) {
        lines->bytes[lines->length++] = byte;
    }
}

static void lines_feed(struct lines *lines, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n') {
            lines_end(lines);
        } else if (bytes[i] == '\r') {
            lines->returned = true;
        } else {
            put(lines, bytes[i]);
        }
    }
}

void tail_init(struct tail *tail)
{
    tail->count = 0;
}

void tail_add(struct tail *tail, struct text line)
{
    size_t slot = tail->count++ % TAIL_LINES;
    tail->length[slot] = line.length < TAIL_MAX ? line.length : TAIL_MAX;
    if (line.length > 0) {
        memcpy(tail->bytes[slot], line.bytes, tail->length[slot]);
    }
}

/* Puts a line before what `out` holds, if there is room for all of it. */
static bool put_before(const char *line, char out[TAIL_MAX + 1])
{
    char joined[TAIL_MAX + 1];
    int length = snprintf(joined, sizeof joined, "%s | %s", line, out);
    if (length < 0 || length > TAIL_MAX) {
        return false;
    }
    memcpy(out, joined, (size_t)length + 1);
    return true;
}

void tail_join(const struct tail *tail, char out[TAIL_MAX + 1])
{
    char line[TAIL_MAX + 1];
    bool fits = true;
    out[0] = '\0';
    for (size_t age = 0; fits && age < TAIL_LINES && age < tail->count; age++) {
        size_t slot = (tail->count - 1 - age) % TAIL_LINES;
        struct text raw = {tail->bytes[slot], tail->length[slot]};
        if (age == 0) {
            (void)escape_text(raw, ESCAPE_LINE, out, TAIL_MAX + 1); /* cut, if it must be */
        } else {
            fits = escape_text(raw, ESCAPE_LINE, line, sizeof line) <= TAIL_MAX &&
                   put_before(line, out);
        }
    }
}

static bool may_tell(struct output *output)
{
    if (output->now_ms - output->second_ms >= 1000) {
        output->second_ms = output->now_ms;
        output->told = 0;
    }
    return output->told < CHILD_LINES_PER_SECOND;
}

static void tell_left_out(struct output *output)
{
    char note[64];
    if (output->left_out == 0) {
        return;
    }
    (void)snprintf(note, sizeof note, "(%" PRIu64 " lines left out)", output->left_out);
    output->left_out = 0;
    output->step->on_line(output->step->context, note);
}

static void tell(struct output *output, struct text line)
{
    char escaped[4 * CHILD_LINE_MAX + 1];
    if (!may_tell(output)) {
        output->left_out++;
        return;
    }
    tell_left_out(output);
    output->told++;
    (void)escape_text(line, ESCAPE_LINE, escaped, sizeof escaped); /* it fits: \xNN is 4 bytes */
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

void output_init(struct output *output, const struct child_command *step, int64_t now_ms)
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
