/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of systemd's methods for units over the system bus, on a connection of the caller's own. A call
 * ends with its answer, at a time, or when the daemon stops.
 *
 * Threads  each call blocks its caller; a connection belongs to one thread.
 * Units    until_ms: CLOCK_MONOTONIC milliseconds.
 * Errors   enum bus_result, or another -errno: the bus is gone, and is to be closed.
 * Source   org.freedesktop.systemd1(5); DBUS_SYSTEM_BUS_ADDRESS names the bus, if it is set.
 */
#ifndef HOST_SYSTEMD_BUS_H
#define HOST_SYSTEMD_BUS_H

#include "wire/attributes.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BUS_PATH_MAX = 512,    /* of an object: longer ones are not systemd's */
    BUS_ERROR_MAX = 128,   /* the name of an error */
    BUS_MESSAGE_MAX = 384, /* the message of an error */
};

enum bus_result {
    BUS_ANSWERED = 0,
    BUS_REFUSED = -EREMOTEIO, /* the answer is an error */
    BUS_STOPPED = -ECANCELED,
    BUS_TIMEOUT = -ETIMEDOUT,
};

struct bus {
    int stop_fd; /* readable: the daemon stops; -1: none */
    /* systemd's JobRemoved, of every unit, while a call runs; NULL: no subscription. */
    void (*on_removed)(void *context, const char *unit, const char *job, const char *result);
    void *context;
    struct sd_bus *bus; /* NULL: closed */
};

/* Does not wait for the bus: the first call does. */
MUST_CHECK int bus_open(struct bus *bus);
void bus_close(struct bus *bus);

/* Processes messages until `is_done`, which may be NULL; also while the bus is closed. */
MUST_CHECK int bus_process(struct bus *bus, bool (*is_done)(const void *context),
                           const void *context, int64_t until_ms);

/* StartUnit or RestartUnit. BUS_ANSWERED: `job` is the path of systemd's job. BUS_REFUSED: `error` and
 * `message` are set. */
MUST_CHECK int bus_start(struct bus *bus, const char *method, const char *unit, int64_t until_ms,
                         char job[BUS_PATH_MAX], char error[BUS_ERROR_MAX],
                         char message[BUS_MESSAGE_MAX]);

enum bus_property {
    BUS_UNIT_JOB, /* the path of the pending job, BUS_NO_JOB: none */
    BUS_UNIT_ACTIVE,
    BUS_UNIT_SUB,
    BUS_UNIT_RESULT,
};
#define BUS_NO_JOB "/"

/* What does not fit into `size` is cut: it is no known state. */
MUST_CHECK int bus_get(struct bus *bus, const char *unit, enum bus_property property,
                       int64_t until_ms, char *out, size_t size);

#endif
