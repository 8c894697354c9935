/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "host/conf/conf_kind.h"
#include "wire/decimal.h"

_Static_assert(sizeof(mode_t) == sizeof(uint32_t), "a mode is stored as a uint32_t");

typedef void format_function(uint64_t value, char out[CONF_ITEM_MAX]);

static void describe(const struct conf_key *key, const char *what, format_function *format,
                     char out[CONF_ALLOWED_MAX])
{
    char min[CONF_ITEM_MAX];
    char max[CONF_ITEM_MAX];
    format(key->min, min);
    format(key->max, max);
    snprintf(out, CONF_ALLOWED_MAX, "%s from %.64s to %.64s", what, min, max);
}

/* --- whole numbers --- */

static int count_add(const struct conf_key *key, const char *text, void *field)
{
    uint64_t value;
    int result = decimal_parse(text, key->min, key->max, &value);
    if (result == 0) {
        *(uint32_t *)field = (uint32_t)value;
    }
    return result;
}

static void count_format(uint64_t value, char out[CONF_ITEM_MAX])
{
    snprintf(out, CONF_ITEM_MAX, "%" PRIu64, value);
}

static void count_item(const struct conf_key *key, const void *field, size_t index,
                       char out[CONF_ITEM_MAX])
{
    (void)key;
    (void)index;
    count_format(*(const uint32_t *)field, out);
}

static void count_allowed(const struct conf_key *key, char out[CONF_ALLOWED_MAX])
{
    describe(key, "a whole number", count_format, out);
}

const struct conf_kind conf_count = {
    .add = count_add, .item = count_item, .allowed = count_allowed};

/* --- seconds --- */

static int seconds_add(const struct conf_key *key, const char *text, void *field)
{
    return decimal_parse_seconds(text, (int64_t)key->min, (int64_t)key->max, field);
}

static void seconds_format(uint64_t ms, char out[CONF_ITEM_MAX])
{
    int length = snprintf(out, CONF_ITEM_MAX, "%" PRIu64 ".%03u", ms / 1000, (unsigned)(ms % 1000));
    while (out[length - 1] == '0') {
        length--;
    }
    out[out[length - 1] == '.' ? length - 1 : length] = '\0';
}

static void seconds_item(const struct conf_key *key, const void *field, size_t index,
                         char out[CONF_ITEM_MAX])
{
    (void)key;
    (void)index;
    int64_t ms = *(const int64_t *)field;
    seconds_format((uint64_t)ms, out);
}

static void seconds_allowed(const struct conf_key *key, char out[CONF_ALLOWED_MAX])
{
    describe(key, "seconds", seconds_format, out);
}

const struct conf_kind conf_seconds = {
    .add = seconds_add, .item = seconds_item, .allowed = seconds_allowed};

/* --- sizes, powers of 1024 --- */

static const char units[] = "KMGT";
enum { UNITS = sizeof(units) - 1, UNIT_BITS = 10 };

static int size_add(const struct conf_key *key, const char *text, void *field)
{
    char digits[32];
    size_t length = strlen(text);
    if (length == 0 || length >= sizeof(digits)) {
        return -EINVAL;
    }
    const char *unit = strchr(units, text[length - 1]);
    unsigned shift = unit == NULL ? 0 : UNIT_BITS * (unsigned)(unit - units + 1);
    length -= unit != NULL;
    memcpy(digits, text, length);
    digits[length] = '\0';
    uint64_t value;
    int result = decimal_parse(digits, 0, UINT64_MAX >> shift, &value);
    if (result != 0) {
        return result;
    }
    value <<= shift;
    if (value < key->min || value > key->max) {
        return -ERANGE;
    }
    *(uint64_t *)field = value;
    return 0;
}

/* In the largest unit that leaves no fraction. */
static void size_format(uint64_t value, char out[CONF_ITEM_MAX])
{
    unsigned unit = 0;
    while (value != 0 && unit < UNITS && value % (1U << UNIT_BITS) == 0) {
        value >>= UNIT_BITS;
        unit++;
    }
    char letter[] = {unit == 0 ? '\0' : units[unit - 1], '\0'};
    snprintf(out, CONF_ITEM_MAX, "%" PRIu64 "%s", value, letter);
}

static void size_item(const struct conf_key *key, const void *field, size_t index,
                      char out[CONF_ITEM_MAX])
{
    (void)key;
    (void)index;
    size_format(*(const uint64_t *)field, out);
}

static void size_allowed(const struct conf_key *key, char out[CONF_ALLOWED_MAX])
{
    describe(key, "bytes, or K, M, G, T of them,", size_format, out);
}

const struct conf_kind conf_size = {.add = size_add, .item = size_item, .allowed = size_allowed};

/* --- octal modes and hexadecimal ids --- */

static int based_add(const struct conf_key *key, const char *digits, int base, void *field)
{
    const char *known = base == 8 ? "01234567" : "0123456789abcdefABCDEF";
    size_t length = strlen(digits);
    if (length == 0 || length > 8 || strspn(digits, known) != length) {
        return -EINVAL;
    }
    unsigned long value = strtoul(digits, NULL, base); /* 8 digits always fit */
    if (value < key->min || value > key->max) {
        return -ERANGE;
    }
    *(uint32_t *)field = (uint32_t)value;
    return 0;
}

static int mode_add(const struct conf_key *key, const char *text, void *field)
{
    return based_add(key, text, 8, field);
}

static void mode_format(uint64_t value, char out[CONF_ITEM_MAX])
{
    snprintf(out, CONF_ITEM_MAX, "0%03" PRIo64, value);
}

static void mode_item(const struct conf_key *key, const void *field, size_t index,
                      char out[CONF_ITEM_MAX])
{
    (void)key;
    (void)index;
    mode_format(*(const mode_t *)field, out);
}

static void mode_allowed(const struct conf_key *key, char out[CONF_ALLOWED_MAX])
{
    describe(key, "an octal mode", mode_format, out);
}

const struct conf_kind conf_mode = {.add = mode_add, .item = mode_item, .allowed = mode_allowed};

static int hex_add(const struct conf_key *key, const char *text, void *field)
{
    return strncmp(text, "0x", 2) == 0 ? based_add(key, text + 2, 16, field) : -EINVAL;
}

static void hex_format(uint64_t value, char out[CONF_ITEM_MAX])
{
    snprintf(out, CONF_ITEM_MAX, "0x%04" PRIx64, value);
}

static void hex_item(const struct conf_key *key, const void *field, size_t index,
                     char out[CONF_ITEM_MAX])
{
    (void)key;
    (void)index;
    hex_format(*(const uint32_t *)field, out);
}

static void hex_allowed(const struct conf_key *key, char out[CONF_ALLOWED_MAX])
{
    describe(key, "a hexadecimal number", hex_format, out);
}

const struct conf_kind conf_hex = {.add = hex_add, .item = hex_item, .allowed = hex_allowed};
