/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/escape.h"

/* Code points beyond ASCII that steer a terminal or hide what a line says. */
static const struct {
    uint32_t first;
    uint32_t last;
} steering[] = {
    {0x80, 0x9f},     /* C1 controls */
    {0x61c, 0x61c},   /* Arabic letter mark */
    {0x200e, 0x200f}, /* left-to-right and right-to-left marks */
    {0x2028, 0x202e}, /* line and paragraph separators, bidirectional embeddings */
    {0x2066, 0x2069}, /* bidirectional isolates */
};

static bool is_shown(uint32_t code_point, enum escape_mode mode)
{
    if (code_point < 0x80) {
        bool layout = code_point == '\n' || code_point == '\t';
        return (code_point >= ' ' && code_point != 0x7f) || (layout && mode == ESCAPE_CONSOLE);
    }
    for (size_t i = 0; i < sizeof(steering) / sizeof(steering)[0]; i++) {
        if (code_point >= steering[i].first && code_point <= steering[i].last) {
            return false;
        }
    }
    return true;
}

/* What has been written, and what would have been had there been room. */
struct sink {
    char *out;
    size_t room; /* less the NUL */
    size_t written;
    size_t needed;
};

static void sink_put(struct sink *sink, const char *bytes, size_t length)
{
    if (sink->needed == sink->written && length <= sink->room - sink->written) {
        memcpy(sink->out + sink->written, bytes, length);
        sink->written += length;
    }
    sink->needed += length;
}

static void sink_put_escaped(struct sink *sink, uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";
    char escape[] = {'\\', 'x', digits[byte >> 4], digits[byte & 0xf]};
    sink_put(sink, escape, sizeof(escape));
}

size_t escape_text(struct text text, enum escape_mode mode, char *out, size_t size)
{
    struct sink sink = {.out = out, .room = size - 1};
    for (size_t at = 0; at < text.length;) {
        uint32_t code_point = 0;
        size_t taken = utf8_next(text.bytes + at, text.length - at, &code_point);
        if (taken > 0 && is_shown(code_point, mode)) {
            sink_put(&sink, text.bytes + at, taken);
            at += taken;
            continue;
        }
        size_t hidden = taken > 0 ? taken : 1;
        for (size_t i = 0; i < hidden; i++) {
            sink_put_escaped(&sink, (uint8_t)text.bytes[at + i]);
        }
        at += hidden;
    }
    out[sink.written] = '\0';
    return sink.needed;
}
