/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of the configuration's keys, in the order of conf/vsock_host.conf. */
#ifndef HOST_CONF_CONF_TABLE_H
#define HOST_CONF_CONF_TABLE_H

#include "host/conf/conf_types.h"

extern const struct conf_key conf_keys[];
extern const size_t conf_keys_count;
enum { CONF_KEYS_MAX = 80 };

/* NULL when there is none. A NULL section stands for the first section that has the key. */
const struct conf_key *conf_key_find(const char *section, const char *name);

/* The table's own spelling of the section; NULL when there is none. */
const char *conf_section_find(const char *section);

/* The closest name of the table, or NULL. */
const char *conf_key_suggest(const char *section, const char *name);
const char *conf_section_suggest(const char *section);

#endif
