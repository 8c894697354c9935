/* SPDX-License-Identifier: Apache-2.0 */
/* The name that was probably meant, for errors about options, commands and keys.
 *
 * Threads  pure functions.
 */
#ifndef WIRE_SUGGEST_H
#define WIRE_SUGGEST_H

#include <stddef.h>

/* The name with the fewest insertions, deletions, replacements and swaps of neighbours from
 * `wrong`; the first one of equals. NULL when even that one differs in more than a third of its
 * bytes. */
const char *suggest_name(const char *wrong, const char *const names[], size_t count);

#endif
