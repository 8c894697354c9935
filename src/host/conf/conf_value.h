/* SPDX-License-Identifier: Apache-2.0 */
/* One key's value in a struct conf: taken from a line's text, emptied, counted, shown.
 *
 * Threads  the struct conf is the caller's.
 * Errors   0, -EINVAL with one line in `why` that says what is allowed, -ENOMEM.
 */
#ifndef HOST_CONF_CONF_VALUE_H
#define HOST_CONF_CONF_VALUE_H

#include "host/conf/conf.h"
#include "host/conf/conf_table.h"

enum { CONF_WHY_MAX = 640 };

/* Sets a single value; appends each word of the text to a list. */
MUST_CHECK int conf_value_take(const struct conf_key *key, const char *text, struct conf *conf,
                               char why[CONF_WHY_MAX]);

/* As conf_value_take for one word of a list, whatever blanks it holds. */
MUST_CHECK int conf_value_add(const struct conf_key *key, const char *word, struct conf *conf,
                              char why[CONF_WHY_MAX]);

/* Frees what the value holds; a list is empty afterwards. */
void conf_value_clear(const struct conf_key *key, struct conf *conf);

/* Words of a list; 1 for a single value. */
size_t conf_value_count(const struct conf_key *key, const struct conf *conf);

/* Writes "allowed: " and what is allowed. */
void conf_value_allowed(const struct conf_key *key, char why[CONF_WHY_MAX]);

#endif
