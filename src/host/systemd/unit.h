/* SPDX-License-Identifier: Apache-2.0 */
/* Whether systemd has begun a unit, or is about to: for a daemon that cannot remember whether its
 * StartUnit was heard.
 *
 * Threads  unit_is_pending blocks its caller, for limit_ms at most; each call has a connection of its own.
 * Units    milliseconds.
 * Errors   0 or -errno: it could not be found out; -ECANCELED: the daemon stops.
 * Source   org.freedesktop.systemd1(5); DBUS_SYSTEM_BUS_ADDRESS names the bus, if it is set.
 */
#ifndef HOST_SYSTEMD_UNIT_H
#define HOST_SYSTEMD_UNIT_H

#include "wire/attributes.h"
#include "wire/message.h"

#include <stdbool.h>
#include <stdint.h>

/* What came of starting a unit, as facts, and those facts in words.
 *
 * Threads  pure functions.
 * Source   org.freedesktop.systemd1(5): the results of JobRemoved, the errors of StartUnit;
 *          systemctl(1): the states of units.
 */
enum {
    UNIT_WORD_MAX = 48,     /* a state or a result, and its end */
    UNIT_ERROR_MAX = 128,   /* the name of a D-Bus error */
    UNIT_MESSAGE_MAX = 384, /* what came with it */
    UNIT_WORDS_MAX = 1024,  /* unit_outcome_format */
};

enum unit_end {
    UNIT_REFUSED, /* it was not started, for certain: `error` and `message` say why */
    UNIT_ENDED,   /* systemd's job has ended: the rest says how */
    UNIT_LATE,    /* the deadline passed first; systemd goes on with it */
    UNIT_LEFT,    /* the daemon stops; likewise */
};

/* Texts that are not known are empty. */
struct unit_outcome {
    enum unit_end end;
    char error[UNIT_ERROR_MAX];
    char message[UNIT_MESSAGE_MAX];
    bool outcome_unknown;       /* at the last look the bus was gone, or systemd did not answer */
    char job[UNIT_WORD_MAX];    /* done, failed, timeout, canceled, dependency, skipped, ...; "": it
                                 * was not heard, but nothing is pending any more */
    char active[UNIT_WORD_MAX]; /* ActiveState */
    char sub[UNIT_WORD_MAX];    /* SubState */
    char result[UNIT_WORD_MAX]; /* Result: success, exit-code, signal, timeout, ... */
};

/* Its job is known to be done, and what it started is up, or has done its work. */
bool unit_outcome_well(const struct unit_outcome *outcome);

/* What a guest is told of one that did not go well. */
enum error_code unit_outcome_code(const struct unit_outcome *outcome);

/* One line, escaped, that names the unit and says what happened. */
void unit_outcome_format(const struct unit_outcome *outcome, const char *unit,
                         char out[UNIT_WORDS_MAX]);

/* Starting or restarting a unit over the system bus, and waiting until systemd's job for it has
 * ended. Only units that are there: none is ever made.
 *
 * systemd's word is JobRemoved. Where it cannot have been heard (the bus went away, systemd
 * executed itself anew) the unit is looked at from time to time instead, until no job of it is
 * pending. When nothing is heard at all for some time, that is the outcome. So whatever happens to
 * the bus, the caller is not held up until its deadline.
 *
 * Threads  unit_run blocks its caller; each call has a connection of its own.
 * Units    *_ms: CLOCK_MONOTONIC milliseconds (deadline_ms), milliseconds (the others).
 * Errors   all of them are outcomes.
 * Source   org.freedesktop.systemd1(5); DBUS_SYSTEM_BUS_ADDRESS names the bus, if it is set.
 */
enum {
    UNIT_LOOK_MS = 10 * 1000,    /* between two looks at a unit whose end was not heard of */
    UNIT_RETRY_MS = 1000,        /* between two tries to reach a bus that went away */
    UNIT_UNHEARD_MS = 30 * 1000, /* without a word: longer than polkit may take, and a restart */
};

struct unit_start {
    const char *unit; /* letters of unit names alone: see systemd.unit(5) */
    bool restart;     /* RestartUnit instead of StartUnit */
    int64_t deadline_ms;
    int stop_fd;        /* readable: the daemon stops; -1: none */
    int64_t settle_ms;  /* what is up is looked at once more after so long; 0: it is not */
    int64_t look_ms;    /* 0: UNIT_LOOK_MS */
    int64_t unheard_ms; /* 0: UNIT_UNHEARD_MS */
};

void unit_run(const struct unit_start *job, struct unit_outcome *ret);

enum { UNIT_PENDING_LIMIT_MS = 5 * 1000 }; /* a bus that lives answers in a fraction of that */

/* *ret: a job of it waits or runs, or it is activating, active, reloading or deactivating. stop_fd:
 * readable: the daemon stops; -1: none. */
MUST_CHECK int unit_is_pending(const char *unit, int stop_fd, int64_t limit_ms, bool *ret);

#endif
