/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/hex.h"

#include <errno.h>

void sha256_format(const uint8_t sha256[SHA256_SIZE], char out[SHA256_HEX + 1])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        out[2 * i] = digits[sha256[i] >> 4];
        out[2 * i + 1] = digits[sha256[i] & 0xf];
    }
    out[SHA256_HEX] = '\0';
}

/* The value of a hex digit, or 16. */
static unsigned digit_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return (unsigned)(digit - '0');
    }
    if (digit >= 'a' && digit <= 'f') {
        return (unsigned)(digit - 'a') + 10;
    }
    if (digit >= 'A' && digit <= 'F') {
        return (unsigned)(digit - 'A') + 10;
    }
    return 16;
}

int sha256_parse(struct text text, uint8_t ret[SHA256_SIZE])
{
    uint8_t sha256[SHA256_SIZE];
    if (text.length != SHA256_HEX) {
        return -EINVAL;
    }
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        unsigned high = digit_value(text.bytes[2 * i]);
        unsigned low = digit_value(text.bytes[2 * i + 1]);
        if (high > 15 || low > 15) {
            return -EINVAL;
        }
        sha256[i] = (uint8_t)(high << 4 | low);
    }
    memcpy(ret, sha256, sizeof(sha256));
    return 0;
}
