/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/decimal.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

/* Takes digits from *text on and leaves it behind the last one. -EINVAL: there is none. -ERANGE:
 * more than 64 bits. */
static int take_digits(const char **text, uint64_t *ret)
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
    int error = take_digits(&text, &number);
    if (error == -EINVAL || *text != '\0') {
        return -EINVAL;
    }
    if (error < 0 || number < min || number > max) {
        return -ERANGE;
    }
    *ret = number;
    return 0;
}

/* Takes the digits behind a point: milliseconds, what is beyond the third digit rounded up. */
static unsigned take_fraction(const char **text)
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
    int error = whole ? take_digits(&text, &seconds) : 0;
    unsigned fraction = 0;
    if (*text == '.' && (whole || is_digit(text[1]))) {
        text++;
        fraction = take_fraction(&text);
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
