/* SPDX-License-Identifier: Apache-2.0 */
/* What vsock_guest says about itself.
 *
 * Threads  pure functions and constant texts.
 */
#ifndef GUEST_HELP_H
#define GUEST_HELP_H

#include <stdbool.h>
#include <stddef.h>

enum { HELP_MAX = 4096 };

/* One screen: 24 lines of 80 columns. */
extern const char help_screen[];

/* True for a command that has a page, help and decode among them. */
bool help_has(const char *command);
/* The command that was probably meant, or NULL. */
const char *help_suggest(const char *wrong);
/* The page of a command that has one: usage, examples, exit codes. */
void help_page(const char *command, char out[HELP_MAX]); /* empty for a name without a page */

#endif
