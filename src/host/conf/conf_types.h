/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of values that the table names, and the type of their members in struct conf.
 *
 * Threads  constant; their functions are pure but for the allocations of texts and lists.
 */
#ifndef HOST_CONF_CONF_TYPES_H
#define HOST_CONF_CONF_TYPES_H

#include "host/conf/conf_table.h"

/* conf_number.c */
extern const struct conf_kind conf_count;   /* uint32_t: 64 */
extern const struct conf_kind conf_seconds; /* int64_t milliseconds: 0.5 */
extern const struct conf_kind conf_size;    /* uint64_t bytes: 16G */
extern const struct conf_kind conf_mode;    /* mode_t: 0600 */
extern const struct conf_kind conf_hex;     /* uint32_t: 0x20a0 */

/* conf_text.c */
extern const struct conf_kind conf_text;          /* char * */
extern const struct conf_kind conf_path;          /* char *, absolute */
extern const struct conf_kind conf_optional_path; /* char *, absolute or "" */
extern const struct conf_kind conf_unit;          /* char *, a systemd unit */
extern const struct conf_kind conf_choice;        /* an enum, by its place in `choices` */

/* conf_list.c: struct conf_strings */
extern const struct conf_kind conf_words;
extern const struct conf_kind conf_paths;     /* absolute */
extern const struct conf_kind conf_argv;      /* the first one an absolute path */
extern const struct conf_kind conf_addresses; /* listeners, none twice */
extern const struct conf_kind conf_prefixes;  /* of URLs */
extern const struct conf_kind conf_choices;   /* words of `choices` */

/* conf_set.c */
extern const struct conf_kind conf_number_list; /* struct conf_numbers */
extern const struct conf_kind conf_set;         /* uint32_t, a bit for each word */

/* "1 to 16" or "at most 16": how many words a list takes. */
enum { CONF_AMOUNT_MAX = 32 };

#endif
