/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/conf/conf_kind.h"

static void text_clear(void *field)
{
    char **text = field;
    free(*text);
    *text = NULL;
}

static int replace(const char *text, void *field)
{
    char *copy = strdup(text);
    if (copy == NULL) {
        return -ENOMEM;
    }
    text_clear(field);
    *(char **)field = copy;
    return 0;
}

static void text_item(const struct conf_key *key, const void *field, size_t index,
                      char out[CONF_ITEM_MAX])
{
    (void)key;
    (void)index;
    snprintf(out, CONF_ITEM_MAX, "%s", *(char *const *)field);
}

static int text_add(const struct conf_key *key, const char *text, void *field)
{
    (void)key;
    return text[0] != '\0' ? replace(text, field) : -EINVAL;
}

static void text_allowed(const struct conf_key *key, char out[CONF_ALLOWED_MAX])
{
    (void)key;
    snprintf(out, CONF_ALLOWED_MAX, "a text that is not empty");
}

const struct conf_kind conf_text = {
    .add = text_add, .item = text_item, .clear = text_clear, .allowed = text_allowed};

/* --- paths --- */

static int path_add(const struct conf_key *key, const char *text, void *field)
{
    (void)key;
    return text[0] == '/' ? replace(text, field) : -EINVAL;
}

static void path_allowed(const struct conf_key *key, char out[CONF_ALLOWED_MAX])
{
    (void)key;
    snprintf(out, CONF_ALLOWED_MAX, "an absolute path");
}

const struct conf_kind conf_path = {
    .add = path_add, .item = text_item, .clear = text_clear, .allowed = path_allowed};

static int optional_path_add(const struct conf_key *key, const char *text, void *field)
{
    return text[0] == '\0' ? replace(text, field) : path_add(key, text, field);
}

static void optional_path_allowed(const struct conf_key *key, char out[CONF_ALLOWED_MAX])
{
    (void)key;
    snprintf(out, CONF_ALLOWED_MAX, "an absolute path, or nothing");
}

const struct conf_kind conf_optional_path = {.add = optional_path_add,
                                             .item = text_item,
                                             .clear = text_clear,
                                             .allowed = optional_path_allowed};

/* --- systemd units, systemd.unit(5) --- */

static int unit_add(const struct conf_key *key, const char *text, void *field)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789:_.\\@-";
    static const char suffix[] = ".service";
    (void)key;
    size_t length = strlen(text);
    size_t tail = sizeof(suffix) - 1;
    bool named = length > tail && strcmp(text + length - tail, suffix) == 0;
    return named && strspn(text, letters) == length ? replace(text, field) : -EINVAL;
}

static void unit_allowed(const struct conf_key *key, char out[CONF_ALLOWED_MAX])
{
    (void)key;
    snprintf(out, CONF_ALLOWED_MAX, "the name of a systemd unit that ends in .service");
}

const struct conf_kind conf_unit = {
    .add = unit_add, .item = text_item, .clear = text_clear, .allowed = unit_allowed};

/* --- one word of a few: stored as its place, which is how its enum counts --- */

static int choice_add(const struct conf_key *key, const char *text, void *field)
{
    for (unsigned i = 0; key->choices[i] != NULL; i++) {
        if (strcmp(key->choices[i], text) == 0) {
            *(unsigned *)field = i;
            return 0;
        }
    }
    return -EINVAL;
}

static void choice_item(const struct conf_key *key, const void *field, size_t index,
                        char out[CONF_ITEM_MAX])
{
    (void)index;
    snprintf(out, CONF_ITEM_MAX, "%s", key->choices[*(const unsigned *)field]);
}

static void choice_allowed(const struct conf_key *key, char out[CONF_ALLOWED_MAX])
{
    int length = 0;
    for (unsigned i = 0; key->choices[i] != NULL && length < CONF_ALLOWED_MAX; i++) {
        length += snprintf(out + length, CONF_ALLOWED_MAX - (size_t)length, "%s%s",
                           i == 0 ? "" : " or ", key->choices[i]);
    }
}

const struct conf_kind conf_choice = {
    .add = choice_add, .item = choice_item, .allowed = choice_allowed};
