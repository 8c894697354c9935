/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an operator's full-screen tool owns the console now.
 *
 * Threads  any; /proc is read at every call.
 * Errors   a process that cannot be read is not the one.
 */
#ifndef HOST_BUSY_CONSOLE_H
#define HOST_BUSY_CONSOLE_H

#include <stdbool.h>

/* True while a process of root runs whose command line holds all the words (NULL after the last);
 * with no word, never. */
bool busy_console(char *const words[]);

#endif
