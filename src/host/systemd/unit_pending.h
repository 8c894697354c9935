/* SPDX-License-Identifier: Apache-2.0 */
/* Whether systemd has begun a unit, or is about to: for a daemon that cannot remember whether its
 * StartUnit was heard.
 *
 * Threads  unit_pending blocks its caller, for limit_ms at most; each call has a connection of its own.
 * Units    milliseconds.
 * Errors   0 or -errno: it could not be found out; -ECANCELED: the daemon stops.
 * Source   org.freedesktop.systemd1(5); DBUS_SYSTEM_BUS_ADDRESS names the bus, if it is set.
 */
#ifndef HOST_UNIT_PENDING_H
#define HOST_UNIT_PENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/attributes.h"

enum { UNIT_PENDING_LIMIT_MS = 5 * 1000 }; /* a bus that lives answers in a fraction of that */

/* *ret: a job of it waits or runs, or it is activating, active, reloading or deactivating. stop_fd:
 * readable: the daemon stops; -1: none. */
MUST_CHECK int unit_pending(const char *unit, int stop_fd, int64_t limit_ms, bool *ret);

#endif
