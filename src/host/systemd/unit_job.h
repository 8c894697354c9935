/* SPDX-License-Identifier: Apache-2.0 */
/* Starting or restarting a unit over the system bus, and waiting until systemd's job for it has
 * ended. Only units that are there: none is ever made.
 *
 * systemd's word is JobRemoved. Where it cannot have been heard (the bus went away, systemd
 * executed itself anew) the unit is looked at from time to time instead, until no job of it is
 * pending. When nothing is heard at all for some time, that is the outcome. So whatever happens to
 * the bus, the caller is not held up until its deadline.
 *
 * Threads  unit_job_run blocks its caller; each call has a connection of its own.
 * Units    *_ms: CLOCK_MONOTONIC milliseconds (deadline_ms), milliseconds (the others).
 * Errors   all of them are outcomes.
 * Source   org.freedesktop.systemd1(5); DBUS_SYSTEM_BUS_ADDRESS names the bus, if it is set.
 */
#ifndef HOST_UNIT_JOB_H
#define HOST_UNIT_JOB_H

#include <stdint.h>

#include "host/systemd/unit_outcome.h"

enum {
    UNIT_LOOK_MS = 10 * 1000,    /* between two looks at a unit whose end was not heard of */
    UNIT_RETRY_MS = 1000,        /* between two tries to reach a bus that went away */
    UNIT_UNHEARD_MS = 30 * 1000, /* without a word: longer than polkit may take, and a restart */
};

struct unit_job {
    const char *unit; /* letters of unit names alone: see systemd.unit(5) */
    bool restart;     /* RestartUnit instead of StartUnit */
    int64_t deadline_ms;
    int stop_fd;        /* readable: the daemon stops; -1: none */
    int64_t settle_ms;  /* what is up is looked at once more after so long; 0: it is not */
    int64_t look_ms;    /* 0: UNIT_LOOK_MS */
    int64_t unheard_ms; /* 0: UNIT_UNHEARD_MS */
};

void unit_job_run(const struct unit_job *job, struct unit_outcome *ret);

#endif
