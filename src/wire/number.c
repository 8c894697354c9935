/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/number.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

/* Reads digits and moves *text past them. -EINVAL: there is none. -ERANGE: more than 64 bits. */
static int read_digits(const char **text, uint64_t *ret)
{
    uint64_t number = 0;
    bool overflow = false;
    const char *at = *text;
    for (; is_digit(*at); at++) {
        overflow |= __builtin_mul_overflow(number, 10, &number);
        overflow |= __builtin_add_overflow(number, (uint64_t)(*at - '0'), &number);
    }
    if (at == *text) {
        return -EINVAL;
    }
    *text = at;
    *ret = number;
    return overflow ? -ERANGE : 0;
}

int decimal_parse(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
    uint64_t number = 0;
    int error = read_digits(&text, &number);
    if (error == -EINVAL || *text != '\0') {
        return -EINVAL;
    }
    if (error < 0 || number < min || number > max) {
        return -ERANGE;
    }
    *ret = number;
    return 0;
}

/* Reads the digits after a point as milliseconds; digits after the third round up. */
static unsigned read_fraction(const char **text)
{
    unsigned ms = 0;
    unsigned unit = 100;
    bool more = false;
    for (; is_digit(**text); (*text)++) {
        unsigned digit = (unsigned)(**text - '0');
        ms += digit * unit;
        more |= unit == 0 && digit > 0;
        unit /= 10;
    }
    return ms + more;
}

int decimal_parse_seconds(const char *text, int64_t min_ms, int64_t max_ms, int64_t *ret_ms)
{
    uint64_t seconds = 0;
    uint64_t ms = 0;
    bool whole = is_digit(*text);
    int error = whole ? read_digits(&text, &seconds) : 0;
    unsigned fraction = 0;
    if (*text == '.' && (whole || is_digit(text[1]))) {
        text++;
        fraction = read_fraction(&text);
        whole = true;
    }
    if (!whole || *text != '\0') {
        return -EINVAL;
    }
    if (error < 0 || __builtin_mul_overflow(seconds, 1000, &ms) ||
        __builtin_add_overflow(ms, fraction, &ms) || ms < (uint64_t)min_ms ||
        ms > (uint64_t)max_ms) {
        return -ERANGE;
    }
    *ret_ms = (int64_t)ms;
    return 0;
}

void sha256_format(const uint8_t sha256[SHA256_SIZE], char out[SHA256_HEX + 1])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        out[2 * i] = digits[sha256[i] >> 4];
        out[2 * i + 1] = digits[sha256[i] & 0xf];
    }
    out[SHA256_HEX] = '\0';
}

/* The value of a hex digit, or -1. */
static int digit_value(char digit)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *found = digit != '\0' ? strchr(digits, digit) : NULL;
    return found != NULL ? (int)((found - digits) % 16) : -1;
}

int sha256_parse(struct text text, uint8_t ret[SHA256_SIZE])
{
    uint8_t sha256[SHA256_SIZE];
    if (text.length != SHA256_HEX) {
        return -EINVAL;
    }
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        int high = digit_value(text.bytes[2 * i]);
        int low = digit_value(text.bytes[2 * i + 1]);
        if (high < 0 || low < 0) {
            return -EINVAL;
        }
        sha256[i] = (uint8_t)(high << 4 | low);
    }
    memcpy(ret, sha256, sizeof sha256);
    return 0;
}
