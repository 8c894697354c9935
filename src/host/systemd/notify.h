/* SPDX-License-Identifier: Apache-2.0 */
/* What the service manager and the journal are told: sd_notify(3), sd_journal_sendv(3). What is
 * asked of the system bus is in logind.h, unit_start.h and unit_is_pending.h.
 *
 * Threads  any. service_* send one datagram to NOTIFY_SOCKET and do nothing without it.
 * Errors   telling systemd is best effort: failures of service_* are ignored, except for notify_ready's.
 */
#ifndef HOST_SYSTEMD_NOTIFY_H
#define HOST_SYSTEMD_NOTIFY_H

#include "wire/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* 0 or -errno: then systemd waits for it still, and would end the daemon after TimeoutStartSec=. */
MUST_CHECK int notify_ready(const char *status);
/* STATUS=, escaped already, one line. */
void notify_status(const char *status);
void notify_stopping(const char *status);
/* RELOADING=1, to be followed by notify_ready (sd_notify(3)). */
void notify_reloading(void);
/* How often systemd wants to hear of a daemon that is well, in milliseconds; 0: it does not. */
int64_t notify_watchdog_ms(void);
void notify_alive(void);
/* What the start or the stop is at now may take so long from now on; past TimeoutStartSec= or
 * TimeoutStopSec= systemd ends a daemon that says nothing for longer. Neither a reload, in which the
 * watchdog counts, nor a daemon that runs has a use for it. */
void notify_extend_timeout(int64_t ms);

/* How many sockets systemd passed (sd_listen_fds(3)), or -errno. They begin at SERVICE_PASSED_FIRST,
 * close on exec, and are no longer named in the environment. Before the first thread, once. */
enum { SERVICE_PASSED_FIRST = 3 };
MUST_CHECK int notify_passed_sockets(void);

/* True if a journal listens on this machine. */
bool journal_available(void);

/* One entry for the journal, as sd_journal_sendv(3). 0 or -errno. */
int journal_send(const struct iovec *fields, int count);

#endif
