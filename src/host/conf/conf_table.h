/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of the configuration's keys, and what a key's kind can do.
 *
 * Threads  constant.
 * Units    a range of seconds is in milliseconds, of sizes in bytes.
 */
#ifndef HOST_CONF_CONF_TABLE_H
#define HOST_CONF_CONF_TABLE_H

#include "wire/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf_key;

enum {
    CONF_ITEM_MAX = 256, /* bytes that `item` writes at most, NUL included */
    CONF_ALLOWED_MAX = 256,
};

/* How values of one kind are read and written. `field` is the member of struct conf. */
struct conf_kind {
    bool list;
    /* Sets a single value, appends one word to a list. 0, -EINVAL, -ERANGE or -ENOMEM; on failure
     * the field is as it was. */
    int (*add)(const struct conf_key *key, const char *text, void *field);
    /* How many words a list holds; NULL for a single value. */
    size_t (*count)(const void *field);
    /* Writes the value, or one word of a list, as a file has it. */
    void (*item)(const struct conf_key *key, const void *field, size_t index,
                 char out[CONF_ITEM_MAX]);
    /* Empties a list, frees a text; NULL when there is nothing to do. */
    void (*clear)(void *field);
    /* Writes what is allowed, such as "a whole number from 1 to 64". */
    void (*allowed)(const struct conf_key *key, char out[CONF_ALLOWED_MAX]);
    /* What is wrong with this very text, better than `allowed` can say it; NULL: nothing better. */
    const char *(*objection)(const char *text);
};

struct conf_key {
    const char *section;
    const char *name;
    const struct conf_kind *kind;
    size_t offset; /* of the member of struct conf */
    uint64_t min;  /* of a number, or of each number in a list */
    uint64_t max;
    unsigned min_count; /* words in a list */
    unsigned max_count;
    const char *const *choices;            /* NULL-terminated: the words that are taken */
    const char *(*bit_name)(unsigned bit); /* of a set: NULL for a bit without a meaning */
    const char *default_value;             /* the default, as a file would have it */
    bool restart;                          /* a change is taken at the next start, not on reload */
    const char *description;
};

extern const struct conf_key conf_keys[];
extern const size_t conf_keys_count;
enum { CONF_KEYS_MAX = 80 };

/* NULL when there is none. A NULL section stands for the first section that has the key. */
const struct conf_key *conf_key_find(const char *section, const char *name);
bool conf_section_known(const char *section);

/* What was probably meant, or NULL. */
const char *conf_key_suggest(const char *section, const char *name);
const char *conf_section_suggest(const char *section);

#endif
