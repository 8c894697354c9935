/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/text.h"

/* Lead bytes: the fixed bits, the length of the character, and the first code point that needs it. */
static const struct {
    uint8_t mask;
    uint8_t lead;
    uint8_t length;
    uint32_t first;
} forms[] = {
    {0x80, 0x00, 1, 0x1},
    {0xe0, 0xc0, 2, 0x80},
    {0xf0, 0xe0, 3, 0x800},
    {0xf8, 0xf0, 4, 0x10000},
};

static bool is_scalar_value(uint32_t code_point)
{
    bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
    return code_point <= 0x10ffff && !surrogate;
}

/* Reads the character at bytes[0]; `left` is at least 1. Returns its length, 1 to 4, or 0 when it is
 * not UTF-8. */
static size_t utf8_next(const char *bytes, size_t left, uint32_t *code_point)
{
    const uint8_t *at = (const uint8_t *)bytes;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if ((at[0] & forms[i].mask) != forms[i].lead) {
            continue;
        }
        if (forms[i].length > left) {
            return 0;
        }
        uint32_t value = at[0] & (uint8_t)~forms[i].mask;
        for (size_t j = 1; j < forms[i].length; j++) {
            if ((at[j] & 0xc0) != 0x80) {
                return 0;
            }
            value = value << 6 | (at[j] & 0x3f);
        }
        if (value < forms[i].first || !is_scalar_value(value)) {
            return 0;
        }
        *code_point = value;
        return forms[i].length;
    }
    return 0;
}

bool utf8_valid(const char *bytes, size_t length)
{
    uint32_t code_point = 0;
    for (size_t at = 0; at < length;) {
        size_t taken = utf8_next(bytes + at, length - at, &code_point);
        if (taken == 0) {
            return false;
        }
        at += taken;
    }
    return true;
}

size_t utf8_cut(const char *bytes, size_t length, size_t limit)
{
    if (length <= limit) {
        return length;
    }
    size_t cut = limit;
    while (cut > 0 && ((uint8_t)bytes[cut] & 0xc0) == 0x80) {
        cut--;
    }
    return cut;
}

/* Code points beyond ASCII that control a terminal or hide text. */
static const struct {
    uint32_t first;
    uint32_t last;
} controls[] = {
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
    for (size_t i = 0; i < sizeof controls / sizeof controls[0]; i++) {
        if (code_point >= controls[i].first && code_point <= controls[i].last) {
            return false;
        }
    }
    return true;
}

/* Written so far, and the length that an unlimited buffer would hold. */
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
    sink_put(sink, escape, sizeof escape);
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
