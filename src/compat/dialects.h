/* SPDX-License-Identifier: Apache-2.0 */
/* The table of dialects. To retire a dialect, delete its file and its row. */
#ifndef COMPAT_DIALECTS_H
#define COMPAT_DIALECTS_H

#include "compat/dialect.h"

/* Ended by NULL; the oldest of a family first. The first row that claims a stream gets it. */
extern const struct dialect *const dialects[];
extern const size_t dialects_count;

/* The dialect of a peer that has sent nothing of any dialect; the one with a greeting. */
extern const struct dialect *const dialect_default;

/* More than so many first bytes do not change the result of dialect_sniff. */
enum { DIALECT_SNIFFED = 5 };

/* The dialect whose stream these bytes (at least 1) begin, or NULL. */
const struct dialect *dialect_sniff(const uint8_t *bytes, size_t length);

/* NULL: there is none of that name. */
const struct dialect *dialect_find(const char *name);

#endif
