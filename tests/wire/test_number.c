/* SPDX-License-Identifier: Apache-2.0 */
#include "support/golden.h"
#include "support/unit.h"
#include "wire/clock.h"
#include "wire/number.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

static const struct {
    const char *text;
    uint64_t min;
    uint64_t max;
    int error;
    uint64_t number;
} decimals[] = {
    {"0", 0, 9, 0, 0},
    {"007", 0, 9, 0, 7},
    {"9", 0, 9, 0, 9},
    {"10", 0, 9, -ERANGE, 0},
    {"3", 4, 9, -ERANGE, 0},
    {"4", 4, 9, 0, 4},
    {"18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX},
    {"18446744073709551616", 0, UINT64_MAX, -ERANGE, 0},
    {"99999999999999999999999", 0, UINT64_MAX, -ERANGE, 0},
    {"", 0, 9, -EINVAL, 0},
    {" 1", 0, 9, -EINVAL, 0},
    {"1 ", 0, 9, -EINVAL, 0},
    {"+1", 0, 9, -EINVAL, 0},
    {"-1", 0, 9, -EINVAL, 0},
    {"0x1", 0, 9, -EINVAL, 0},
    {"1.0", 0, 9, -EINVAL, 0},
    {"99999999999999999999999x", 0, UINT64_MAX, -EINVAL, 0},
};

UNIT_TEST(test_decimal, "decimal: numbers and their limits")
{
    CHECK_EACH(i, decimals, "%s", decimals[i].text) {
        uint64_t number = 77;
        int error = decimal_parse(decimals[i].text, decimals[i].min, decimals[i].max, &number);
        CHECK_EQUAL(error, decimals[i].error);
        CHECK_EQUAL(number, error == 0 ? decimals[i].number : 77);
    }
}

static const struct {
    const char *text;
    int error;
    int64_t ms;
} seconds[] = {
    {"0", 0, 0},
    {"30", 0, 30000},
    {"2.", 0, 2000},
    {"0.5", 0, 500},
    {".5", 0, 500},
    {"0.001", 0, 1},
    {"0.0001", 0, 1}, /* rounded up: not 0, which is "none" */
    {"1.0009", 0, 1001},
    {"1.00000", 0, 1000},
    {"59.999", 0, 59999},
    {"60", 0, 60000},
    {"60.0000001", -ERANGE, 0},
    {"60.001", -ERANGE, 0},
    {"9223372036854775.808", -ERANGE, 0},
    {"18446744073709551615", -ERANGE, 0},
    {"18446744073709551616", -ERANGE, 0},
    {"", -EINVAL, 0},
    {".", -EINVAL, 0},
    {"1.2.3", -EINVAL, 0},
    {"-1", -EINVAL, 0},
    {"1s", -EINVAL, 0},
    {"1e3", -EINVAL, 0},
    {" 1", -EINVAL, 0},
};

UNIT_TEST(test_seconds, "decimal: seconds, rounded up")
{
    CHECK_EACH(i, seconds, "%s", seconds[i].text) {
        int64_t ms = 77;
        int error = decimal_parse_seconds(seconds[i].text, 0, 60000, &ms);
        CHECK_EQUAL(error, seconds[i].error);
        CHECK_EQUAL(ms, error == 0 ? seconds[i].ms : 77);
    }
    int64_t ms = 77;
    CHECK_EQUAL(decimal_parse_seconds("0.0991", 100, 60000, &ms), 0);
    CHECK_EQUAL(ms, 100);
    CHECK_EQUAL(decimal_parse_seconds("0.099", 100, 60000, &ms), -ERANGE);
    CHECK_EQUAL(decimal_parse_seconds("9223372036854775.807", 0, INT64_MAX, &ms), 0);
    CHECK_EQUAL(ms, INT64_MAX);
    CHECK_EQUAL(decimal_parse_seconds("9223372036854775.808", 0, INT64_MAX, &ms), -ERANGE);
}

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aAbBcCdDeEfF"

UNIT_TEST(test_hex, "hex: a digest both ways")
{
    uint8_t sha256[SHA256_SIZE] = {0};
    char out[SHA256_HEX + 1];
    CHECK_EQUAL(sha256_parse(text_of(HEX), sha256), 0);
    CHECK_EQUAL(sha256[0], 0x00);
    CHECK_EQUAL(sha256[9], 0x99);
    CHECK_EQUAL(sha256[31], 0xff);
    sha256_format(sha256, out);
    CHECK_STRING(out, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
}

UNIT_TEST(test_hex_refused, "hex: what is no digest")
{
    static const char outside[] = "/:@G`g \n\x80";
    uint8_t before[SHA256_SIZE];
    uint8_t sha256[SHA256_SIZE];
    memset(before, 0x5a, sizeof before);
    memcpy(sha256, before, sizeof before);
    for (size_t i = 0; i < 2 * (sizeof outside - 1); i++) {
        CHECK_ROW("i = %zu", i);
        char text[] = HEX;
        text[i % 2 == 0 ? 0 : SHA256_HEX - 1] = outside[i / 2];
        CHECK_EQUAL(sha256_parse(text_of(text), sha256), -EINVAL);
    }
    CHECK_EQUAL(sha256_parse((struct text){HEX, SHA256_HEX - 1}, sha256), -EINVAL);
    CHECK_EQUAL(sha256_parse(text_of(HEX "0"), sha256), -EINVAL);
    CHECK_EQUAL(sha256_parse((struct text){NULL, 0}, sha256), -EINVAL);
    CHECK_BYTES(before, sha256, sizeof before);
}

UNIT_TEST(test_clock, "clock: deadlines")
{
    int64_t before = clock_ms();
    int64_t deadline = clock_deadline(1000);
    int64_t after = clock_ms();
    CHECK_COMPARE(before + 1000, <=, deadline);
    CHECK_COMPARE(deadline, <=, after + 1000);
    CHECK_EQUAL(clock_deadline(CLOCK_NEVER), CLOCK_NEVER);
    CHECK_EQUAL(clock_deadline(CLOCK_NEVER - 1), CLOCK_NEVER);
}

UNIT_TEST(test_clock_poll_timeout, "clock: what poll wants")
{
    int64_t now = clock_ms();
    CHECK_EQUAL(clock_poll_timeout(CLOCK_NEVER), -1);
    CHECK_EQUAL(clock_poll_timeout(CLOCK_NEVER - 1), INT_MAX);
    CHECK_EQUAL(clock_poll_timeout(now), 0);
    CHECK_EQUAL(clock_poll_timeout(now - 5), 0);
    CHECK_EQUAL(clock_poll_timeout(INT64_MIN), 0);
    int left = clock_poll_timeout(now + 1000000);
    CHECK_COMPARE(left, >, 0);
    CHECK_COMPARE(left, <=, 1000000);
}

UNIT_MAIN("wire numbers")
