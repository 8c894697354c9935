/* SPDX-License-Identifier: Apache-2.0 */
#include "host/conf/conf_value.h"

#include "host/conf/conf_read.h"
#include "wire/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

/* The value, or one word of a list, as a file has it. */
static void conf_value_item(const struct conf_key *key, const struct conf *conf, size_t index,
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
    (void)escape_text(text_of(word), ESCAPE_LINE, shown, sizeof shown);
    conf_value_allowed(key, allowed);
    snprintf(why, CONF_WHY_MAX, "\"%s\": %.370s", shown, objection != NULL ? objection : allowed);
}

int conf_value_add(const struct conf_key *key, const char *word, struct conf *conf,
                   char why[CONF_WHY_MAX])
{
    int result = key->kind->add(key, word, field_of(key, conf));
    if (result == 0 && conf_value_count(key, conf) > key->max_count) {
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

/* Writes "key = item", without the blanks when only so the line is short enough to be read. */
static size_t begin_line(const struct conf_key *key, const char *item, FILE *out)
{
    bool wide = strlen(key->name) + strlen(" = ") + strlen(item) <= CONF_LINE_MAX;
    const char *separator = item[0] == '\0' ? " =" : wide ? " = " : "=";
    return (size_t)fprintf(out, "%s%s%s", key->name, separator, item);
}

/* A list goes on in another line with the same key before a line would be too long to be read. */
static void dump_key(const struct conf_key *key, const struct conf *conf, FILE *out)
{
    size_t count = conf_value_count(key, conf);
    char item[CONF_ITEM_MAX] = "";
    if (count > 0) {
        conf_value_item(key, conf, 0, item);
    }
    size_t length = begin_line(key, item, out);
    for (size_t i = 1; i < count; i++) {
        conf_value_item(key, conf, i, item);
        if (length + 1 + strlen(item) <= CONF_LINE_MAX) {
            length += (size_t)fprintf(out, " %s", item);
        } else {
            fputc('\n', out);
            length = begin_line(key, item, out);
        }
    }
    fputc('\n', out);
}

int conf_dump(const struct conf *conf, FILE *out)
{
    const char *section = "";
    for (size_t i = 0; i < conf_keys_count; i++) {
        const struct conf_key *key = &conf_keys[i];
        if (strcmp(section, key->section) != 0) {
            fprintf(out, "%s[%s]\n", i == 0 ? "" : "\n", key->section);
            section = key->section;
        }
        dump_key(key, conf, out);
    }
    if (fflush(out) != 0) {
        return -errno;
    }
    return ferror(out) ? -EIO : 0; /* an earlier write failed, and its errno is gone */
}

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

int conf_carry_over(const struct conf *now, struct conf *fresh,
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
