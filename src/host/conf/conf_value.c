/* SPDX-License-Identifier: Apache-2.0 */
#include "host/conf/conf_value.h"

#include "host/conf/conf_table.h"
#include "wire/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(mode_t) == sizeof(uint32_t), "a mode is stored as a uint32_t");
_Static_assert(sizeof(enum conf_step_method) == sizeof(uint32_t), "and so is an enum");

/* --- members of struct conf --- */

static void *field_of(const struct conf_key *key, struct conf *conf)
{
    return (char *)conf + key->offset;
}

static const void *constant_field_of(const struct conf_key *key, const struct conf *conf)
{
    return (const char *)conf + key->offset;
}

int conf_strings_append(struct conf_strings *list, const char *text)
{
    char *copy = strdup(text);
    char **items = copy != NULL ? realloc(list->items, (list->count + 2) * sizeof *items) : NULL;
    if (items == NULL) {
        free(copy);
        return -ENOMEM;
    }
    items[list->count++] = copy;
    items[list->count] = NULL;
    list->items = items;
    return 0;
}

void conf_strings_clear(struct conf_strings *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i]);
    }
    free(list->items);
    *list = (struct conf_strings){0};
}

static int append_number(struct conf_numbers *list, uint32_t value)
{
    uint32_t *items = realloc(list->items, (list->count + 1) * sizeof *items);
    if (items == NULL) {
        return -ENOMEM;
    }
    items[list->count++] = value;
    list->items = items;
    return 0;
}

static int replace_text(char **field, const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL) {
        return -ENOMEM;
    }
    free(*field);
    *field = copy;
    return 0;
}

void conf_value_clear(const struct conf_key *key, struct conf *conf)
{
    void *field = field_of(key, conf);
    switch (key->kind->storage) {
    case CONF_TEXT:
        free(*(char **)field);
        *(char **)field = NULL;
        break;
    case CONF_TEXTS:
        conf_strings_clear(field);
        break;
    case CONF_NUMBERS:
        free(((struct conf_numbers *)field)->items);
        *(struct conf_numbers *)field = (struct conf_numbers){0};
        break;
    case CONF_BITS:
        *(uint32_t *)field = 0;
        break;
    case CONF_UINT32:
    case CONF_UINT64:
        break;
    }
}

size_t conf_value_count(const struct conf_key *key, const struct conf *conf)
{
    const void *field = constant_field_of(key, conf);
    switch (key->kind->storage) {
    case CONF_TEXTS:
        return ((const struct conf_strings *)field)->count;
    case CONF_NUMBERS:
        return ((const struct conf_numbers *)field)->count;
    case CONF_BITS:
        return (size_t)__builtin_popcount(*(const uint32_t *)field);
    case CONF_UINT32:
    case CONF_UINT64:
    case CONF_TEXT:
    default:
        return 1;
    }
}

/* --- from a text --- */

static int store_number(const struct conf_key *key, const char *text, void *field)
{
    uint64_t value = 0;
    int result = key->kind->parse(key, text, &value);
    if (result == 0 && key->max != 0 && (value < key->min || value > key->max)) {
        result = -ERANGE;
    }
    if (result != 0) {
        return result;
    }
    switch (key->kind->storage) {
    case CONF_UINT64:
        *(uint64_t *)field = value;
        return 0;
    case CONF_BITS:
        *(uint32_t *)field |= UINT32_C(1) << value;
        return 0;
    case CONF_NUMBERS:
        return append_number(field, (uint32_t)value);
    case CONF_TEXTS:
        return conf_strings_append(field, text);
    case CONF_UINT32:
    case CONF_TEXT:
    default:
        *(uint32_t *)field = (uint32_t)value;
        return 0;
    }
}

/* *objection is empty when conf_allowed() says what is wrong. */
static int store_value(const struct conf_key *key, const char *text, void *field,
                       const char **objection)
{
    const struct conf_kind *kind = key->kind;
    *objection = "";
    if (strlen(text) >= CONF_ITEM_MAX) {
        *objection = "a value, and a word of a list, has at most 255 bytes";
        return -EINVAL;
    }
    if (kind->parse != NULL) {
        return store_number(key, text, field);
    }
    const char *wrong = kind->object != NULL ? kind->object(text, field) : NULL;
    if (wrong != NULL) {
        *objection = wrong;
        return -EINVAL;
    }
    return kind->list ? conf_strings_append(field, text) : replace_text(field, text);
}

int conf_value_add(const struct conf_key *key, const char *text, struct conf *conf,
                   char why[CONF_WHY_MAX])
{
    const char *objection;
    char allowed[CONF_ALLOWED_MAX];
    char word[CONF_ITEM_MAX];
    int result = store_value(key, text, field_of(key, conf), &objection);
    if (result == 0 && key->kind->list && conf_value_count(key, conf) > key->max_count) {
        result = -E2BIG;
    }
    if (result == 0 || result == -ENOMEM) {
        return result;
    }
    conf_allowed(key, allowed);
    const char *prefix = objection[0] == '\0' ? "allowed: " : "";
    const char *reason = objection[0] == '\0' ? allowed : objection;
    if (key->kind->list) { /* a line may hold many words */
        (void)escape_text(text_of(text), ESCAPE_LINE, word, sizeof word);
        snprintf(why, CONF_WHY_MAX, "\"%s\": %s%s", word, prefix, reason);
    } else {
        snprintf(why, CONF_WHY_MAX, "%s%s", prefix, reason);
    }
    return -EINVAL;
}

int conf_value_set(const struct conf_key *key, const char *text, struct conf *conf,
                   char why[CONF_WHY_MAX])
{
    if (!key->kind->list) {
        return conf_value_add(key, text, conf, why);
    }
    char *copy = strdup(text);
    if (copy == NULL) {
        return -ENOMEM;
    }
    int result = 0;
    char *rest = NULL;
    for (char *word = strtok_r(copy, " \t", &rest); word != NULL && result == 0;
         word = strtok_r(NULL, " \t", &rest)) {
        result = conf_value_add(key, word, conf, why);
    }
    free(copy);
    return result;
}

/* --- as a text --- */

static uint64_t number_at(const struct conf_key *key, const void *field, size_t index)
{
    uint32_t bits;
    switch (key->kind->storage) {
    case CONF_UINT64:
        return *(const uint64_t *)field;
    case CONF_NUMBERS:
        return ((const struct conf_numbers *)field)->items[index];
    case CONF_BITS:
        bits = *(const uint32_t *)field;
        for (size_t i = 0; i < index; i++) {
            bits &= bits - 1; /* clears the lowest bit */
        }
        return (unsigned)__builtin_ctz(bits);
    case CONF_UINT32:
    case CONF_TEXT:
    case CONF_TEXTS:
    default:
        return *(const uint32_t *)field;
    }
}

/* Writes the value, or one word of a list, as a file has it. */
static void format_item(const struct conf_key *key, const struct conf *conf, size_t index,
                        char out[CONF_ITEM_MAX])
{
    const void *field = constant_field_of(key, conf);
    if (key->kind->format != NULL) {
        key->kind->format(key, number_at(key, field, index), out);
    } else {
        snprintf(out, CONF_ITEM_MAX, "%s",
                 key->kind->list ? ((const struct conf_strings *)field)->items[index]
                                 : *(char *const *)field);
    }
}

/* A long list continues in another line with the same key. */
static void dump_key(const struct conf_key *key, const struct conf *conf, FILE *out)
{
    enum { WIDTH = 200 };
    size_t count = conf_value_count(key, conf);
    size_t length = (size_t)fprintf(out, "%s =", key->name);
    for (size_t i = 0; i < count; i++) {
        char item[CONF_ITEM_MAX];
        format_item(key, conf, i, item);
        if (i > 0 && length + 1 + strlen(item) > WIDTH) {
            length = (size_t)fprintf(out, "\n%s =", key->name) - 1;
        }
        length += (size_t)fprintf(out, "%s%s", item[0] == '\0' ? "" : " ", item);
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

static bool value_differs(const struct conf_key *key, const struct conf *a, const struct conf *b)
{
    size_t count = conf_value_count(key, a);
    bool same = count == conf_value_count(key, b);
    for (size_t i = 0; same && i < count; i++) {
        char left[CONF_ITEM_MAX];
        char right[CONF_ITEM_MAX];
        format_item(key, a, i, left);
        format_item(key, b, i, right);
        same = strcmp(left, right) == 0;
    }
    return !same;
}

/* The value was taken once, so only memory can be missing. */
static int copy_value(const struct conf_key *key, const struct conf *from, struct conf *to)
{
    int result = 0;
    if (key->kind->list) {
        conf_value_clear(key, to);
    }
    for (size_t i = 0; i < conf_value_count(key, from) && result == 0; i++) {
        char item[CONF_ITEM_MAX];
        char why[CONF_WHY_MAX];
        format_item(key, from, i, item);
        result = conf_value_add(key, item, to, why);
    }
    return result;
}

int conf_carry_over(const struct conf *now, struct conf *fresh,
                    void (*report)(const char *section, const char *name))
{
    int result = 0;
    for (size_t i = 0; i < conf_keys_count && result == 0; i++) {
        const struct conf_key *key = &conf_keys[i];
        if (key->restart && value_differs(key, now, fresh)) {
            report(key->section, key->name);
            result = copy_value(key, now, fresh);
        }
    }
    return result;
}

bool conf_same(const struct conf *a, const struct conf *b)
{
    bool same = true;
    for (size_t i = 0; same && i < conf_keys_count; i++) {
        same = !value_differs(&conf_keys[i], a, b);
    }
    return same;
}
