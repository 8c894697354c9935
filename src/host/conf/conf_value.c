/* SPDX-License-Identifier: Apache-2.0 */
#include "host/conf/conf_value.h"

#include <errno.h>
#include <stdlib.h>

#include "wire/escape.h"

static void *field_of(const struct conf_key *key, struct conf *conf)
{
    return (char *)conf + key->offset;
}

static const void *constant_field_of(const struct conf_key *key, const struct conf *conf)
{
    return (const char *)conf + key->offset;
}

void conf_value_clear(const struct conf_key *key, struct conf *conf)
{
    if (key->kind->clear != NULL) {
        key->kind->clear(field_of(key, conf));
    }
}

size_t conf_value_count(const struct conf_key *key, const struct conf *conf)
{
    return key->kind->list ? key->kind->count(constant_field_of(key, conf)) : 1;
}

void conf_value_item(const struct conf_key *key, const struct conf *conf, size_t index,
                     char out[CONF_ITEM_MAX])
{
    key->kind->item(key, constant_field_of(key, conf), index, out);
}

void conf_value_allowed(const struct conf_key *key, char why[CONF_WHY_MAX])
{
    char allowed[CONF_ALLOWED_MAX];
    key->kind->allowed(key, allowed);
    snprintf(why, CONF_WHY_MAX, "allowed: %s", allowed);
}

/* A list's line may hold many words, so the one that is meant is named. */
static void blame_word(const struct conf_key *key, const char *word, char why[CONF_WHY_MAX])
{
    char shown[CONF_ITEM_MAX];
    char allowed[CONF_WHY_MAX];
    const char *objection = key->kind->objection != NULL ? key->kind->objection(word) : NULL;
    (void)escape_text(text_of(word), ESCAPE_LINE, shown, sizeof(shown));
    conf_value_allowed(key, allowed);
    snprintf(why, CONF_WHY_MAX, "\"%s\": %.370s", shown, objection != NULL ? objection : allowed);
}

int conf_value_add(const struct conf_key *key, const char *word, struct conf *conf,
                   char why[CONF_WHY_MAX])
{
    int result = key->kind->add(key, word, field_of(key, conf));
    if (result == 0 && conf_value_count(key, conf) > key->most) {
        result = -E2BIG;
    }
    if (result == 0 || result == -ENOMEM) {
        return result;
    }
    blame_word(key, word, why);
    return -EINVAL;
}

static int take_words(const struct conf_key *key, const char *text, struct conf *conf,
                      char why[CONF_WHY_MAX])
{
    char *copy = strdup(text);
    if (copy == NULL) {
        return -ENOMEM;
    }
    int result = 0;
    char *next = copy;
    for (char *word = strsep(&next, " \t"); word != NULL && result == 0;
         word = strsep(&next, " \t")) {
        if (word[0] != '\0') {
            result = conf_value_add(key, word, conf, why);
        }
    }
    free(copy);
    return result;
}

int conf_value_take(const struct conf_key *key, const char *text, struct conf *conf,
                    char why[CONF_WHY_MAX])
{
    if (key->kind->list) {
        return take_words(key, text, conf, why);
    }
    int result = key->kind->add(key, text, field_of(key, conf));
    if (result == 0 || result == -ENOMEM) {
        return result;
    }
    conf_value_allowed(key, why);
    return -EINVAL;
}
