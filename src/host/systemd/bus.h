/* SPDX-License-Identifier: Apache-2.0 */
/* Asking systemd about units over the system bus: a connection of one's own, and questions that end
 * at a time, or when the daemon stops.
 *
 * Threads  each call blocks its caller; a connection belongs to one thread.
 * Units    until_ms: CLOCK_MONOTONIC milliseconds.
 * Errors   enum bus_result, or another -errno: the bus is gone, and is to be closed.
 * Source   org.freedesktop.systemd1(5); DBUS_SYSTEM_BUS_ADDRESS names the bus, if it is set.
 */
#ifndef HOST_SYSTEMD_BUS_H
#define HOST_SYSTEMD_BUS_H

#include "host/systemd/unit.h"
#include "wire/attributes.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BUS_PATH_MAX = 512 }; /* of an object: longer ones are not systemd's */

enum bus_result {
    BUS_HEARD = 0,
    BUS_REFUSED = -EREMOTEIO, /* the answer is an error */
    BUS_STOPPED = -ECANCELED,
    BUS_TOO_LATE = -ETIMEDOUT,
};

struct bus {
    int stop_fd; /* readable: the daemon stops; -1: none */
    /* systemd's JobRemoved, of every unit, while a call runs; NULL: not listened to. */
    void (*removed)(void *context, const char *unit, const char *job, const char *result);
    void *context;
    struct sd_bus *bus; /* NULL: gone */
};

/* Does not wait for the bus: the first question does. */
MUST_CHECK int bus_open(struct bus *bus);
/* One that is gone is taken. */
void bus_close(struct bus *bus);

/* Deals with what comes until `over` says that it is enough; also while the bus is gone. */
MUST_CHECK int bus_attend(struct bus *bus, bool (*over)(const void *context), const void *context,
                          int64_t until_ms);

/* StartUnit or RestartUnit. On success `job` is systemd's job; when it was refused, the error and its
 * message are in `refused`. */
MUST_CHECK int bus_start(struct bus *bus, const char *method, const char *unit, int64_t until_ms,
                         char job[BUS_PATH_MAX], struct unit_outcome *refused);

enum bus_property {
    UNIT_JOB, /* the path of the job that is pending, "/": none */
    UNIT_ACTIVE,
    UNIT_SUB,
    UNIT_RESULT,
};
#define UNIT_NO_JOB "/"

/* What does not fit into `size` is cut: it is no state that is known. */
MUST_CHECK int bus_get(struct bus *bus, const char *unit, enum bus_property property,
                       int64_t until_ms, char *out, size_t size);

#endif
