/* SPDX-License-Identifier: Apache-2.0 */
/* What no single line can get wrong: lists that are too short once all files are read, and keys
 * that do not fit each other.
 *
 * Errors   0 or -EINVAL with one line in `problem`, which names both keys of two.
 */
#ifndef HOST_CONF_CONF_LOAD_H
#define HOST_CONF_CONF_LOAD_H

#include "host/conf/conf.h"
#include "host/conf/conf_read.h"
#include "host/conf/conf_table.h"

/* Where each key was last given, so that what is wrong with the whole can be told with a place.
 *
 * Owner    the files outlive it.
 */
struct conf_origin {
    const char *path; /* NULL: in no file */
    unsigned file;    /* the how manieth file */
    unsigned line;
};

/* One for each key, in the table's order. */
struct conf_origins {
    struct conf_origin of[CONF_KEYS_MAX];
};

static inline struct conf_origin *conf_origin_of(struct conf_origins *origins,
                                                 const struct conf_key *key)
{
    return &origins->of[key - conf_keys];
}

#endif
