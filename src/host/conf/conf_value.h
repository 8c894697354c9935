/* SPDX-License-Identifier: Apache-2.0 */
/* One key's value in a struct conf.
 *
 * Errors   0, -ENOMEM, or -EINVAL with one line in `why` that says what is allowed; the value is
 *          then as it was, but a list may hold one word too many.
 */
#ifndef HOST_CONF_CONF_VALUE_H
#define HOST_CONF_CONF_VALUE_H

#include "host/conf/conf_types.h"

enum { CONF_WHY_MAX = 640 };

/* Sets a single value; appends each word of the text to a list. */
MUST_CHECK int conf_value_set(const struct conf_key *key, const char *text, struct conf *conf,
                              char why[CONF_WHY_MAX]);

/* The same, with the whole text as one word of a list. */
MUST_CHECK int conf_value_add(const struct conf_key *key, const char *text, struct conf *conf,
                              char why[CONF_WHY_MAX]);

/* Frees what the value holds; a list is empty afterwards. */
void conf_value_clear(const struct conf_key *key, struct conf *conf);

/* Words of a list; 1 for a single value. */
size_t conf_value_count(const struct conf_key *key, const struct conf *conf);

MUST_CHECK int conf_strings_append(struct conf_strings *list, const char *text);
void conf_strings_clear(struct conf_strings *list);

#endif
