/* SPDX-License-Identifier: Apache-2.0 */
#include "host/conf/conf_types.h"

#include "host/conf/conf.h"
#include "wire/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

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
enum { UNITS = sizeof units - 1, UNIT_BITS = 10 };

static int size_add(const struct conf_key *key, const char *text, void *field)
{
    char digits[32];
    size_t length = strlen(text);
    if (length == 0 || length >= sizeof digits) {
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
    size_t tail = sizeof suffix - 1;
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

static void conf_amount(const struct conf_key *key, char out[CONF_AMOUNT_MAX])
{
    if (key->min_count == 0) {
        snprintf(out, CONF_AMOUNT_MAX, "at most %u", key->max_count);
    } else {
        snprintf(out, CONF_AMOUNT_MAX, "%u to %u", key->min_count, key->max_count);
    }
}

static int append(const char *text, void *field)
{
    struct conf_strings *list = field;
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

static void conf_list_describe(const struct conf_key *key, const char *what,
                               char out[CONF_ALLOWED_MAX])
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
    conf_list_describe(key, "words", out);
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
    conf_list_describe(key, "absolute paths", out);
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
    conf_list_describe(key, "words, the first one an absolute path", out);
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
    conf_list_describe(key, "addresses, none twice: vsock:any:PORT, vsock:CID:PORT or unix:PATH",
                       out);
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
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
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
    conf_list_describe(key, "beginnings of URLs, such as https://HOST/PATH", out);
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
    conf_list_describe(key, "of:", out);
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

/* --- lists of numbers --- */

static int numbers_add(const struct conf_key *key, const char *text, void *field)
{
    struct conf_numbers *list = field;
    uint64_t value;
    int result = decimal_parse(text, key->min, key->max, &value);
    if (result != 0) {
        return result;
    }
    uint32_t *items = realloc(list->items, (list->count + 1) * sizeof *items);
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
