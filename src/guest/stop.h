/* SPDX-License-Identifier: Apache-2.0 */
/* SIGINT and SIGTERM as a descriptor, so that every wait sees them and the last line can be told.
 *
 * Threads  one thread; called once.
 */
#ifndef GUEST_STOP_H
#define GUEST_STOP_H

#include "wire/attributes.h"

#include <stdint.h>

/* Watches for the signals; one that was ignored when the program began stays ignored. *ret_fd
 * becomes readable at the first one, and stays so. */
MUST_CHECK int stop_watch(int *ret_fd);

/* The signal that came, 0 for none. */
int stop_signal(void);

/* Waits for the deadline: 0, or -ECANCELED when a signal came first. */
MUST_CHECK int stop_wait(int stop_fd, int64_t deadline_ms);

/* Dies by the signal, as if it had never been watched. */
_Noreturn void stop_die(int signal);

#endif
