/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/conf/conf.h"
#include "host/conf/conf_kind.h"

void conf_amount(const struct conf_key *key, char out[CONF_AMOUNT_MAX])
{
    if (key->least == 0) {
        snprintf(out, CONF_AMOUNT_MAX, "at most %u", key->most);
    } else {
        snprintf(out, CONF_AMOUNT_MAX, "%u to %u", key->least, key->most);
    }
}

static int append(const char *text, void *field)
{
    struct conf_strings *list = field;
    char *copy = strdup(text);
    char **items = copy != NULL ? realloc(list->items, (list->count + 2) * sizeof(*items)) : NULL;
    if (items == NULL) {
        free(copy);
        return -ENOMEM;
    }
    items[list->count++] = copy;
    items[list->count] = NULL;
    list->items = items;
    return 0;
}

static size_t list_count(const void *field)
{
    const struct conf_strings *list = field;
    return list->count;
}

static void list_item(const struct conf_key *key, const void *field, size_t index,
                      char out[CONF_ITEM_MAX])
{
    const struct conf_strings *list = field;
    (void)key;
    snprintf(out, CONF_ITEM_MAX, "%s", list->items[index]);
}

static void list_clear(void *field)
{
    struct conf_strings *list = field;
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i]);
    }
    free(list->items);
    *list = (struct conf_strings){0};
}

static void describe(const struct conf_key *key, const char *what, char out[CONF_ALLOWED_MAX])
{
    char amount[CONF_AMOUNT_MAX];
    conf_amount(key, amount);
    snprintf(out, CONF_ALLOWED_MAX, "%s %s", amount, what);
}

/* --- words --- */

static int words_add(const struct conf_key *key, const char *text, void *field)
{
    (void)key;
    return append(text, field);
}

static void words_allowed(const struct conf_key *key, char out[CONF_ALLOWED_MAX])
{
    describe(key, "words", out);
}

const struct conf_kind conf_words = {.list = true,
                                     .add = words_add,
                                     .count = list_count,
                                     .item = list_item,
                                     .clear = list_clear,
                                     .allowed = words_allowed};

/* --- paths --- */

static int paths_add(const struct conf_key *key, const char *text, void *field)
{
    (void)key;
    return text[0] == '/' ? append(text, field) : -EINVAL;
}

static void paths_allowed(const struct conf_key *key, char out[CONF_ALLOWED_MAX])
{
    describe(key, "absolute paths", out);
}

const struct conf_kind conf_paths = {.list = true,
                                     .add = paths_add,
                                     .count = list_count,
                                     .item = list_item,
                                     .clear = list_clear,
                                     .allowed = paths_allowed};

/* --- a command --- */

static int argv_add(const struct conf_key *key, const char *text, void *field)
{
    return list_count(field) == 0 ? paths_add(key, text, field) : append(text, field);
}

static void argv_allowed(const struct conf_key *key, char out[CONF_ALLOWED_MAX])
{
    describe(key, "words, the first one an absolute path", out);
}

const struct conf_kind conf_argv = {.list = true,
                                    .add = argv_add,
                                    .count = list_count,
                                    .item = list_item,
                                    .clear = list_clear,
                                    .allowed = argv_allowed};

/* --- listeners --- */

static bool holds(const struct conf_strings *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], text) == 0) {
            return true;
        }
    }
    return false;
}

/* A blank could not be written in a file, and --listen takes nothing that a file could not hold. */
static int addresses_add(const struct conf_key *key, const char *text, void *field)
{
    struct address address;
    const char *why;
    (void)key;
    if (holds(field, text) || strpbrk(text, " \t") != NULL ||
        address_parse(text, ADDRESS_LISTEN, &address, &why) != 0) {
        return -EINVAL;
    }
    return append(text, field);
}

static void addresses_allowed(const struct conf_key *key, char out[CONF_ALLOWED_MAX])
{
    describe(key, "addresses, none twice: vsock:any:PORT, vsock:CID:PORT or unix:PATH", out);
}

static const char *addresses_objection(const char *text)
{
    struct address address;
    const char *why = NULL;
    return address_parse(text, ADDRESS_LISTEN, &address, &why) != 0 ? why : NULL;
}

const struct conf_kind conf_addresses = {.list = true,
                                         .add = addresses_add,
                                         .count = list_count,
                                         .item = list_item,
                                         .clear = list_clear,
                                         .allowed = addresses_allowed,
                                         .objection = addresses_objection};

/* --- prefixes of URLs: what they mean is url_policy's business --- */

static int prefixes_add(const struct conf_key *key, const char *text, void *field)
{
    static const char *const schemes[] = {"http://", "https://"};
    (void)key;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t length = strlen(schemes[i]);
        if (strncmp(text, schemes[i], length) == 0 && strspn(text + length, "/?#") == 0 &&
            text[length] != '\0') {
            return append(text, field);
        }
    }
    return -EINVAL;
}

static void prefixes_allowed(const struct conf_key *key, char out[CONF_ALLOWED_MAX])
{
    describe(key, "beginnings of URLs, such as https://HOST/PATH", out);
}

const struct conf_kind conf_prefixes = {.list = true,
                                        .add = prefixes_add,
                                        .count = list_count,
                                        .item = list_item,
                                        .clear = list_clear,
                                        .allowed = prefixes_allowed};

/* --- words of a few --- */

static int choices_add(const struct conf_key *key, const char *text, void *field)
{
    for (size_t i = 0; key->choices[i] != NULL; i++) {
        if (strcmp(key->choices[i], text) == 0) {
            return append(text, field);
        }
    }
    return -EINVAL;
}

static void choices_allowed(const struct conf_key *key, char out[CONF_ALLOWED_MAX])
{
    describe(key, "of:", out);
    size_t length = strlen(out);
    for (size_t i = 0; key->choices[i] != NULL && length < CONF_ALLOWED_MAX; i++) {
        length += (size_t)snprintf(out + length, CONF_ALLOWED_MAX - length, " %s", key->choices[i]);
    }
}

const struct conf_kind conf_choices = {.list = true,
                                       .add = choices_add,
                                       .count = list_count,
                                       .item = list_item,
                                       .clear = list_clear,
                                       .allowed = choices_allowed};
