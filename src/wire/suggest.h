/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_SUGGEST_H
#define WIRE_SUGGEST_H

#include <stddef.h>

/* For "did you mean": the name with the fewest insertions, deletions, replacements and swaps of
 * neighbours from `wrong`, the first of equals. NULL: it differs in more than a third of its bytes. */
const char *suggest_name(const char *wrong, const char *const names[], size_t count);

#endif
