/* SPDX-License-Identifier: Apache-2.0 */
#include "host/download/content_range.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Digits up to `end`, which is taken too; '\0' as the end is left alone. */
static bool take_number(const char **at, char end, uint64_t *ret)
{
    const char *text = *at;
    uint64_t value = 0;
    if (*text < '0' || *text > '9') {
        return false;
    }
    for (; *text >= '0' && *text <= '9'; text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        if (value > (UINT64_MAX - 1 - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    if (*text != end) {
        return false;
    }
    *at = end == '\0' ? text : text + 1;
    *ret = value;
    return true;
}

static bool take_total(const char **at, uint64_t *ret)
{
    if (strcmp(*at, "*") == 0) {
        *ret = CONTENT_RANGE_UNKNOWN;
        return true;
    }
    return take_number(at, '\0', ret);
}

int content_range_parse(const char *value, struct content_range *ret)
{
    static const char unit[] = "bytes ";
    struct content_range range;
    if (strncasecmp(value, unit, strlen(unit)) != 0) {
        return -EINVAL;
    }
    const char *at = value + strlen(unit);
    if (!take_number(&at, '-', &range.first) || !take_number(&at, '/', &range.last) ||
        !take_total(&at, &range.total) || range.last < range.first || range.total <= range.last) {
        return -EINVAL;
    }
    *ret = range;
    return 0;
}
