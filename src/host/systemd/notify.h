/* SPDX-License-Identifier: Apache-2.0 */
/* Notifications to the service manager (sd_notify(3)) and entries for the journal (sd_journal_sendv(3)).
 * Without NOTIFY_SOCKET a notification does nothing. A failure is reported by notify_ready alone. */
#ifndef HOST_SYSTEMD_NOTIFY_H
#define HOST_SYSTEMD_NOTIFY_H

#include "wire/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* 0 or -errno: systemd still waits, and ends the daemon after TimeoutStartSec=. */
MUST_CHECK int notify_ready(const char *status);
/* STATUS=, escaped already, one line. */
void notify_status(const char *status);
void notify_stopping(const char *status);
/* RELOADING=1, to be followed by notify_ready (sd_notify(3)). */
void notify_reloading(void);
/* WatchdogSec= in milliseconds, within which systemd expects notify_alive; 0: it does not. */
int64_t notify_watchdog_ms(void);
void notify_alive(void);
/* The current part of the start or stop may take so long from now on; past TimeoutStartSec= or
 * TimeoutStopSec= systemd ends a daemon that is silent for longer. Not for a reload, in which the
 * watchdog counts. */
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
