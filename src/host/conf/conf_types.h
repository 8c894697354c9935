/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of the configuration's values: which texts a kind takes and how a value is written.
 * conf_value.c stores the values. */
#ifndef HOST_CONF_CONF_TYPES_H
#define HOST_CONF_CONF_TYPES_H

#include "host/conf/conf.h"

enum {
    CONF_ITEM_MAX = 256, /* a value, or one word of a list, with its NUL */
    CONF_ALLOWED_MAX = 256,
    CONF_WORDS_MAX = 32, /* names of a choice or of a set */
};

struct conf_key;

/* The type of a key's member in struct conf. */
enum conf_storage {
    CONF_UINT32, /* also mode_t and the enums */
    CONF_UINT64, /* also int64_t */
    CONF_TEXT,   /* char * */
    CONF_TEXTS,  /* struct conf_strings */
    CONF_NUMBERS,
    CONF_BITS, /* uint32_t, a bit for each word */
};

struct conf_kind {
    enum conf_storage storage;
    bool list;
    const char *what; /* what is allowed, without the range and the words */
    /* Numbers: 0 or -errno; the caller checks the key's range. */
    int (*parse)(const struct conf_key *key, const char *text, uint64_t *ret);
    void (*format)(const struct conf_key *key, uint64_t value, char out[CONF_ITEM_MAX]);
    /* Texts: NULL for one that is allowed; "" for one that is not what conf_allowed() says; else
     * what is wrong with it. `list` holds the words before it. A NULL function allows every text. */
    const char *(*object)(const char *text, const struct conf_strings *list);
};

struct conf_key {
    const char *section;
    const char *name;
    const struct conf_kind *kind;
    size_t offset;      /* of the member of struct conf */
    uint64_t min;       /* of a number, or of each number in a list; milliseconds or bytes */
    uint64_t max;       /* 0: no range */
    unsigned min_count; /* words in a list */
    unsigned max_count;
    const char *const *choices;        /* CONF_WORDS_MAX names, NULL for one without a meaning */
    const char *(*word)(unsigned bit); /* the same as a function */
    const char *default_value;         /* as a file would have it */
    bool restart;                      /* a change is taken at the next start, not on reload */
    const char *description;
};

extern const struct conf_kind conf_count;   /* 64 */
extern const struct conf_kind conf_seconds; /* 0.5, in milliseconds */
extern const struct conf_kind conf_size;    /* 16G */
extern const struct conf_kind conf_mode;    /* 0600 */
extern const struct conf_kind conf_hex;     /* 0x20a0 */
extern const struct conf_kind conf_choice;  /* an enum: its name's index in `choices` */

extern const struct conf_kind conf_text;
extern const struct conf_kind conf_path;
extern const struct conf_kind conf_optional_path;
extern const struct conf_kind conf_optional_prom; /* a path for node_exporter */
extern const struct conf_kind conf_unit;          /* systemd.unit(5) */

extern const struct conf_kind conf_words;
extern const struct conf_kind conf_paths;
extern const struct conf_kind conf_argv;
extern const struct conf_kind conf_addresses;
extern const struct conf_kind conf_prefixes;
extern const struct conf_kind conf_choices;
extern const struct conf_kind conf_number_list;
extern const struct conf_kind conf_set;

/* Writes what is allowed, such as "a whole number from 1 to 64". */
void conf_allowed(const struct conf_key *key, char out[CONF_ALLOWED_MAX]);

#endif
