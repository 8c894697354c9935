/* SPDX-License-Identifier: Apache-2.0 */
/* Where each key was last given, so that what is wrong with the whole can be told with a place.
 *
 * Owner    the files outlive it.
 */
#ifndef HOST_CONF_MENTION_H
#define HOST_CONF_MENTION_H

#include "host/conf/conf.h"
#include "host/conf/conf_read.h"
#include "host/conf/conf_table.h"

struct conf_mention {
    const char *path; /* NULL: in no file */
    unsigned file;    /* the how manieth file */
    unsigned line;
};

/* One for each key, in the table's order. */
struct conf_mentions {
    struct conf_mention of[CONF_KEYS_MAX];
};

static inline struct conf_mention *conf_mention_of(struct conf_mentions *mentions,
                                                   const struct conf_key *key)
{
    return &mentions->of[key - conf_keys];
}

#endif
