/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/conf/conf.h"
#include "host/conf/conf_kind.h"
#include "wire/decimal.h"

/* --- lists of numbers --- */

static int numbers_add(const struct conf_key *key, const char *text, void *field)
{
    struct conf_numbers *list = field;
    uint64_t value;
    int result = decimal_parse(text, key->min, key->max, &value);
    if (result != 0) {
        return result;
    }
    uint32_t *items = realloc(list->items, (list->count + 1) * sizeof(*items));
    if (items == NULL) {
        return -ENOMEM;
    }
    items[list->count++] = (uint32_t)value;
    list->items = items;
    return 0;
}

static size_t numbers_count(const void *field)
{
    const struct conf_numbers *list = field;
    return list->count;
}

static void numbers_item(const struct conf_key *key, const void *field, size_t index,
                         char out[CONF_ITEM_MAX])
{
    const struct conf_numbers *list = field;
    (void)key;
    snprintf(out, CONF_ITEM_MAX, "%" PRIu32, list->items[index]);
}

static void numbers_clear(void *field)
{
    struct conf_numbers *list = field;
    free(list->items);
    *list = (struct conf_numbers){0};
}

static void numbers_allowed(const struct conf_key *key, char out[CONF_ALLOWED_MAX])
{
    char amount[CONF_AMOUNT_MAX];
    conf_amount(key, amount);
    snprintf(out, CONF_ALLOWED_MAX, "%s numbers from %" PRIu64 " to %" PRIu64, amount, key->min,
             key->max);
}

const struct conf_kind conf_number_list = {.list = true,
                                           .add = numbers_add,
                                           .count = numbers_count,
                                           .item = numbers_item,
                                           .clear = numbers_clear,
                                           .allowed = numbers_allowed};

/* --- sets of names: a bit each --- */

enum { BITS = 32 };

static int set_add(const struct conf_key *key, const char *text, void *field)
{
    for (unsigned bit = 0; bit < BITS; bit++) {
        const char *name = key->bit_name(bit);
        if (name != NULL && strcmp(name, text) == 0) {
            *(uint32_t *)field |= UINT32_C(1) << bit;
            return 0;
        }
    }
    return -EINVAL;
}

static size_t set_count(const void *field)
{
    return (size_t)__builtin_popcount(*(const uint32_t *)field);
}

static void set_item(const struct conf_key *key, const void *field, size_t index,
                     char out[CONF_ITEM_MAX])
{
    uint32_t left = *(const uint32_t *)field;
    for (size_t i = 0; i < index; i++) {
        left &= left - 1; /* drops the lowest bit */
    }
    snprintf(out, CONF_ITEM_MAX, "%s", key->bit_name((unsigned)__builtin_ctz(left)));
}

static void set_clear(void *field)
{
    *(uint32_t *)field = 0;
}

static void set_allowed(const struct conf_key *key, char out[CONF_ALLOWED_MAX])
{
    char amount[CONF_AMOUNT_MAX];
    conf_amount(key, amount);
    size_t length = (size_t)snprintf(out, CONF_ALLOWED_MAX, "%s of:", amount);
    for (unsigned bit = 0; bit < BITS && length < CONF_ALLOWED_MAX; bit++) {
        const char *name = key->bit_name(bit);
        if (name != NULL) {
            length += (size_t)snprintf(out + length, CONF_ALLOWED_MAX - length, " %s", name);
        }
    }
}

const struct conf_kind conf_set = {.list = true,
                                   .add = set_add,
                                   .count = set_count,
                                   .item = set_item,
                                   .clear = set_clear,
                                   .allowed = set_allowed};
