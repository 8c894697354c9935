/* SPDX-License-Identifier: Apache-2.0 */
/* Messages on the host's consoles: a thread writes them, again and again as often as was asked, one
 * message after the other, so that the repeats of two are not mixed.
 *
 * Threads  notify: any thread.  new, stop, free: main thread.
 * Lock     one, rank 4 (ranks: main.c). Devices are opened and written with no lock held.
 * Errors   0 or -errno from new; refusals are values that the guest is told. The console thread
 *          logs devices that it skips.
 * Owner    notify copies the message.
 */
#ifndef HOST_CONSOLE_H
#define HOST_CONSOLE_H

#include "host/conf/conf.h"
#include "wire/attributes.h"
#include "wire/message.h"

#include <stdbool.h>
#include <stddef.h>

/* Writing to a console device without ever waiting long for it.
 *
 * Threads  any.
 * Errors   0 or -errno; -ETIMEDOUT: it took nothing for 1 s.
 * Source   interfaces: consoles are opened O_WRONLY|O_NOCTTY|O_NONBLOCK|O_APPEND.
 */

/* Whether an operator's full-screen tool owns the console now.
 *
 * Threads  any; /proc is read at every call.
 * Errors   a process that cannot be read is not the one.
 */
/* True while a process of root runs whose command line holds all the words (NULL after the last);
 * with no word, never. */
bool console_is_busy(char *const words[]);

struct console;

enum { CONSOLE_WHY_MAX = 256 };

MUST_CHECK int console_new(const struct conf *conf, struct console **ret);
/* From the next message on. */
void console_configure(struct console *console, const struct conf *conf);
/* Ends the repeats that are under way, and joins the thread. */
void console_stop(struct console *console);
struct console *console_free(struct console *console);

/* ERROR_NONE once one device could be opened and the message is queued; else the code and one line
 * in `why`. A count of 0 is done at once; more than [console] max_repeats is cut to it. */
enum error_code console_notify(struct console *console, struct text message, uint32_t count,
                               char why[CONSOLE_WHY_MAX]);

#endif
