/* SPDX-License-Identifier: Apache-2.0 */
/* SIGINT and SIGTERM as a descriptor that every wait watches. One thread. */
#ifndef GUEST_STOP_H
#define GUEST_STOP_H

#include "wire/attributes.h"

#include <stdint.h>

/* Catches the signals, except those that are ignored. *ret_fd is readable from the first one on. */
MUST_CHECK int stop_watch(int *ret_fd);

int stop_signal(void); /* the signal that came; 0: none */

/* Waits for `events` of a descriptor; -1: none. 0, -ETIME, -ECANCELED (stop_fd is readable) or
 * -errno. */
MUST_CHECK int stop_wait(int fd, short events, int stop_fd, int64_t deadline_ms);

/* Dies by the signal, with its default action. */
_Noreturn void stop_die(int signal);

#endif
