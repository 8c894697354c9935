/* SPDX-License-Identifier: Apache-2.0 */
/* What vsock_guest prints about itself: its commands, options and exit codes. */
#ifndef GUEST_HELP_H
#define GUEST_HELP_H

#include "wire/message.h"

enum { HELP_MAX = 4096 };

enum exit_code {
    EXIT_DONE = 0,
    EXIT_HOST_ERROR = 1,
    EXIT_USAGE = 2,
    EXIT_NO_CONNECTION = 3,
    EXIT_TIME_OVER = 4,
    EXIT_NO_PROTOCOL = 5,
    EXIT_BROKEN = 6,
    EXIT_STDOUT = 7,
};

/* True for a command that has a page; so do help and decode. */
bool help_has(const char *command);
const char *help_suggest(const char *wrong); /* NULL: no command is near */

/* What may be so at the host when the answer to a command was lost. */
const char *help_unknown_outcome(enum command command);

/* The page of a command: usage, examples, exit codes. NULL: the screen of 24 lines of 80 columns. */
void help_text(const char *command, char out[HELP_MAX]);

#endif
