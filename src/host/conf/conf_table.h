/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of the configuration's keys, in the order of conf/vsock_host.conf. */
#ifndef HOST_CONF_CONF_TABLE_H
#define HOST_CONF_CONF_TABLE_H

#include "host/conf/conf_types.h"

extern const struct conf_key conf_keys[];
extern const size_t conf_keys_count;
enum { CONF_KEYS_MAX = 80 };

/* The first key of that section and name, or NULL. A NULL section or name matches every one. */
const struct conf_key *conf_key_find(const char *section, const char *name);

/* The closest key of the section; with a NULL section, the closest section. NULL: none is close. */
const char *conf_suggest(const char *section, const char *name);

#endif
