/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/utf8.h"

/* The lead bytes: which bits are fixed, how long the character is, and the first code point that
 * needs so many bytes. */
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

size_t utf8_next(const char *bytes, size_t left, uint32_t *code_point)
{
    const uint8_t *at = (const uint8_t *)bytes;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms)[0]; i++) {
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
