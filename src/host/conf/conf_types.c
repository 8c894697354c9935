/* SPDX-License-Identifier: Apache-2.0 */
#include "host/conf/conf_types.h"

#include "wire/address.h"
#include "wire/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- whole numbers --- */

static int parse_count(const struct conf_key *key, const char *text, uint64_t *ret)
{
    (void)key;
    return decimal_parse(text, 0, UINT64_MAX, ret);
}

static void format_count(const struct conf_key *key, uint64_t value, char out[CONF_ITEM_MAX])
{
    (void)key;
    snprintf(out, CONF_ITEM_MAX, "%" PRIu64, value);
}

const struct conf_kind conf_count = {CONF_UINT32, .what = "a whole number", .parse = parse_count,
                                     .format = format_count};
const struct conf_kind conf_number_list = {CONF_NUMBERS, .list = true, .what = "numbers",
                                           .parse = parse_count, .format = format_count};

/* --- seconds --- */

static int parse_seconds(const struct conf_key *key, const char *text, uint64_t *ret)
{
    int64_t ms;
    int result = decimal_parse_seconds(text, (int64_t)key->min, (int64_t)key->max, &ms);
    if (result == 0) {
        *ret = (uint64_t)ms;
    }
    return result;
}

static void format_seconds(const struct conf_key *key, uint64_t ms, char out[CONF_ITEM_MAX])
{
    (void)key;
    int length = snprintf(out, CONF_ITEM_MAX, "%" PRIu64 ".%03u", ms / 1000, (unsigned)(ms % 1000));
    while (out[length - 1] == '0') {
        length--;
    }
    out[out[length - 1] == '.' ? length - 1 : length] = '\0';
}

const struct conf_kind conf_seconds = {CONF_UINT64, .what = "seconds", .parse = parse_seconds,
                                       .format = format_seconds};

/* --- sizes, powers of 1024 --- */

static const char units[] = "KMGT";
enum { UNITS = sizeof units - 1, UNIT_BITS = 10 };

static int parse_size(const struct conf_key *key, const char *text, uint64_t *ret)
{
    char digits[32];
    size_t length = strlen(text);
    (void)key;
    if (length == 0 || length >= sizeof digits) {
        return -EINVAL;
    }
    const char *unit = strchr(units, text[length - 1]);
    unsigned shift = unit == NULL ? 0 : UNIT_BITS * (unsigned)(unit - units + 1);
    snprintf(digits, sizeof digits, "%.*s", (int)(length - (unit != NULL)), text);
    int result = decimal_parse(digits, 0, UINT64_MAX >> shift, ret);
    if (result == 0) {
        *ret <<= shift;
    }
    return result;
}

/* In the largest unit that leaves no fraction. */
static void format_size(const struct conf_key *key, uint64_t value, char out[CONF_ITEM_MAX])
{
    unsigned unit = 0;
    (void)key;
    while (value != 0 && unit < UNITS && value % (1U << UNIT_BITS) == 0) {
        value >>= UNIT_BITS;
        unit++;
    }
    snprintf(out, CONF_ITEM_MAX, "%" PRIu64 "%.*s", value, unit == 0 ? 0 : 1,
             &units[unit == 0 ? 0 : unit - 1]);
}

const struct conf_kind conf_size = {CONF_UINT64, .what = "bytes, or K, M, G, T of them,",
                                    .parse = parse_size, .format = format_size};

/* --- octal modes and hexadecimal ids --- */

static int parse_digits(const char *digits, const char *known, int base, uint64_t *ret)
{
    size_t length = strlen(digits);
    if (length == 0 || length > 8 || strspn(digits, known) != length) {
        return -EINVAL;
    }
    *ret = strtoul(digits, NULL, base); /* 8 digits always fit */
    return 0;
}

static int parse_mode(const struct conf_key *key, const char *text, uint64_t *ret)
{
    (void)key;
    return parse_digits(text, "01234567", 8, ret);
}

static void format_mode(const struct conf_key *key, uint64_t value, char out[CONF_ITEM_MAX])
{
    (void)key;
    snprintf(out, CONF_ITEM_MAX, "0%03" PRIo64, value);
}

static int parse_hex(const struct conf_key *key, const char *text, uint64_t *ret)
{
    (void)key;
    return strncmp(text, "0x", 2) == 0 ? parse_digits(text + 2, "0123456789abcdefABCDEF", 16, ret)
                                       : -EINVAL;
}

static void format_hex(const struct conf_key *key, uint64_t value, char out[CONF_ITEM_MAX])
{
    (void)key;
    snprintf(out, CONF_ITEM_MAX, "0x%04" PRIx64, value);
}

const struct conf_kind conf_mode = {CONF_UINT32, .what = "an octal mode", .parse = parse_mode,
                                    .format = format_mode};
const struct conf_kind conf_hex = {CONF_UINT32, .what = "a hexadecimal number", .parse = parse_hex,
                                   .format = format_hex};

/* --- names: their numbers are stored --- */

static const char *word_of(const struct conf_key *key, unsigned index)
{
    if (key->word != NULL) {
        return key->word(index);
    }
    return key->choices != NULL ? key->choices[index] : NULL;
}

static int parse_word(const struct conf_key *key, const char *text, uint64_t *ret)
{
    for (unsigned i = 0; i < CONF_WORDS_MAX; i++) {
        const char *word = word_of(key, i);
        if (word != NULL && strcmp(word, text) == 0) {
            *ret = i;
            return 0;
        }
    }
    return -EINVAL;
}

static void format_word(const struct conf_key *key, uint64_t value, char out[CONF_ITEM_MAX])
{
    snprintf(out, CONF_ITEM_MAX, "%s", word_of(key, (unsigned)value));
}

const struct conf_kind conf_choice = {CONF_UINT32, .what = "", .parse = parse_word,
                                      .format = format_word};
const struct conf_kind conf_set = {CONF_BITS, .list = true, .what = "of:", .parse = parse_word,
                                   .format = format_word};

/* --- texts --- */

static const char not_allowed[] = "";

static const char *object_text(const char *text, const struct conf_strings *list)
{
    (void)list;
    return text[0] != '\0' ? NULL : not_allowed;
}

static const char *object_path(const char *text, const struct conf_strings *list)
{
    (void)list;
    return text[0] == '/' ? NULL : not_allowed;
}

static const char *object_optional_path(const char *text, const struct conf_strings *list)
{
    return text[0] == '\0' ? NULL : object_path(text, list);
}

static bool ends_with(const char *text, const char *suffix)
{
    size_t length = strlen(text);
    size_t tail = strlen(suffix);
    return length > tail && strcmp(text + length - tail, suffix) == 0;
}

static const char *object_optional_prom(const char *text, const struct conf_strings *list)
{
    bool named = text[0] == '\0' || ends_with(text, ".prom");
    return named ? object_optional_path(text, list) : not_allowed;
}

static const char *object_unit(const char *text, const struct conf_strings *list)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789:_.\\@-";
    (void)list;
    return ends_with(text, ".service") && text[strspn(text, letters)] == '\0' ? NULL : not_allowed;
}

const struct conf_kind conf_text = {CONF_TEXT, .what = "a text that is not empty",
                                    .object = object_text};
const struct conf_kind conf_path = {CONF_TEXT, .what = "an absolute path", .object = object_path};
const struct conf_kind conf_optional_path = {CONF_TEXT, .what = "an absolute path, or nothing",
                                             .object = object_optional_path};
const struct conf_kind conf_optional_prom = {
    CONF_TEXT, .what = "an absolute path that ends in .prom, or nothing",
    .object = object_optional_prom};
const struct conf_kind conf_unit = {
    CONF_TEXT, .what = "the name of a systemd unit that ends in .service", .object = object_unit};

/* --- lists of texts --- */

static const char *object_argv(const char *text, const struct conf_strings *list)
{
    return list->count == 0 ? object_path(text, list) : NULL;
}

/* A list in a file cannot have an address with a blank, so --listen does not allow one either. */
static const char *object_address(const char *text, const struct conf_strings *list)
{
    struct address address;
    const char *why;
    if (address_parse(text, ADDRESS_LISTEN, &address, &why) != 0) {
        return why;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], text) == 0) {
            return not_allowed;
        }
    }
    return strpbrk(text, " \t") == NULL ? NULL : not_allowed;
}

/* url_policy.c compares the rest. */
static const char *object_prefix(const char *text, const struct conf_strings *list)
{
    (void)list;
    bool https = strncmp(text, "https://", strlen("https://")) == 0;
    bool http = strncmp(text, "http://", strlen("http://")) == 0;
    const char *host = text + strlen(https ? "https://" : "http://");
    return (http || https) && host[0] != '\0' && strchr("/?#", host[0]) == NULL ? NULL
                                                                                : not_allowed;
}

const struct conf_kind conf_words = {CONF_TEXTS, .list = true, .what = "words"};
const struct conf_kind conf_paths = {CONF_TEXTS, .list = true, .what = "absolute paths",
                                     .object = object_path};
const struct conf_kind conf_argv = {CONF_TEXTS, .list = true,
                                    .what = "words, the first one an absolute path",
                                    .object = object_argv};
const struct conf_kind conf_addresses = {
    CONF_TEXTS, .list = true,
    .what = "addresses, none twice: vsock:any:PORT, vsock:CID:PORT or unix:/PATH",
    .object = object_address};
const struct conf_kind conf_prefixes = {CONF_TEXTS, .list = true,
                                        .what = "beginnings of URLs, such as https://HOST/PATH",
                                        .object = object_prefix};
const struct conf_kind conf_choices = {CONF_TEXTS, .list = true,
                                       .what = "of:", .parse = parse_word};

/* --- what is allowed --- */

PRINTF_LIKE(2, 3)
static void append_allowed(char out[CONF_ALLOWED_MAX], const char *format, ...)
{
    va_list arguments;
    size_t length = strlen(out);
    va_start(arguments, format);
    vsnprintf(out + length, CONF_ALLOWED_MAX - length, format, arguments);
    va_end(arguments);
}

void conf_allowed(const struct conf_key *key, char out[CONF_ALLOWED_MAX])
{
    const struct conf_kind *kind = key->kind;
    const char *separator = kind->list ? " " : "";
    out[0] = '\0';
    if (kind->list && key->min_count == 0) {
        append_allowed(out, "at most %u ", key->max_count);
    } else if (kind->list) {
        append_allowed(out, "%u to %u ", key->min_count, key->max_count);
    }
    append_allowed(out, "%s", kind->what);
    if (key->max != 0) {
        char min[CONF_ITEM_MAX];
        char max[CONF_ITEM_MAX];
        kind->format(key, key->min, min);
        kind->format(key, key->max, max);
        append_allowed(out, " from %s to %s", min, max);
    }
    for (unsigned i = 0; i < CONF_WORDS_MAX; i++) {
        const char *word = word_of(key, i);
        if (word != NULL) {
            append_allowed(out, "%s%s", separator, word);
            separator = kind->list ? " " : " or ";
        }
    }
}
