/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "host/conf/conf_value.h"

static bool differs(const struct conf_key *key, const struct conf *now, const struct conf *fresh)
{
    size_t count = conf_value_count(key, now);
    bool same = count == conf_value_count(key, fresh);
    for (size_t i = 0; same && i < count; i++) {
        char kept[CONF_ITEM_MAX];
        char wanted[CONF_ITEM_MAX];
        conf_value_item(key, now, i, kept);
        conf_value_item(key, fresh, i, wanted);
        same = strcmp(kept, wanted) == 0;
    }
    return !same;
}

/* What was read once is read again: only memory can be missing. */
static int copy(const struct conf_key *key, const struct conf *now, struct conf *fresh)
{
    int result = 0;
    if (key->kind->list) {
        conf_value_clear(key, fresh);
    }
    for (size_t i = 0; i < conf_value_count(key, now) && result == 0; i++) {
        char item[CONF_ITEM_MAX];
        char why[CONF_WHY_MAX];
        conf_value_item(key, now, i, item);
        result = key->kind->list ? conf_value_add(key, item, fresh, why)
                                 : conf_value_take(key, item, fresh, why);
    }
    return result;
}

int conf_keep(const struct conf *now, struct conf *fresh,
              void (*told)(const char *section, const char *name))
{
    int result = 0;
    for (size_t i = 0; i < conf_keys_count && result == 0; i++) {
        const struct conf_key *key = &conf_keys[i];
        if (key->restart && differs(key, now, fresh)) {
            told(key->section, key->name);
            result = copy(key, now, fresh);
        }
    }
    return result;
}

bool conf_same(const struct conf *a, const struct conf *b)
{
    bool same = true;
    for (size_t i = 0; same && i < conf_keys_count; i++) {
        same = !differs(&conf_keys[i], a, b);
    }
    return same;
}
