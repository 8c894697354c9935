/* SPDX-License-Identifier: Apache-2.0 */
/* Messages on the host's consoles. One thread writes a message as often as was asked, then the next
 * one, so that the repeats of two messages are not mixed.
 *
 * Threads  notify: any thread.  new, configure, stop, free: main thread.
 * Lock     one, rank 4 (ranks: main.c). Devices are opened and written with no lock held.
 * Errors   0 or -errno from new; notify: the error that the guest gets. The console thread logs the
 *          devices that it skips.
 * Owner    notify copies the message.
 */
#ifndef HOST_CONSOLE_H
#define HOST_CONSOLE_H

#include "host/conf/conf.h"
#include "wire/attributes.h"
#include "wire/message.h"

#include <stdbool.h>
#include <stddef.h>

struct console;

MUST_CHECK int console_new(const struct conf *conf, struct console **ret);
/* From the next message on. */
void console_configure(struct console *console, const struct conf *conf);
/* Ends the repeats that are under way, and joins the thread. */
void console_stop(struct console *console);
struct console *console_free(struct console *console);

/* ERROR_NONE once one device could be opened and the message is queued; else the code and one line
 * in `why`. A count of 0 writes nothing; [console] max_repeats limits it. */
enum error_code console_notify(struct console *console, struct text message, uint32_t count,
                               char why[], size_t size);

/* True while a process of root runs whose command line holds all the words (NULL after the last):
 * a full-screen tool of the operator's owns the console. Without words, never. */
bool console_is_busy(char *const words[]);

#endif
