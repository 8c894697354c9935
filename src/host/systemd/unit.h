/* SPDX-License-Identifier: Apache-2.0 */
/* Starts units that are installed, waits for their end, and finds out whether they are pending.
 *
 * Threads  each call blocks its caller and has a connection of its own.
 * Units    *_ms: CLOCK_MONOTONIC milliseconds (deadline_ms), milliseconds (the others).
 * Source   org.freedesktop.systemd1(5): the results of JobRemoved, the errors of StartUnit;
 *          systemctl(1): the states of units.
 */
#ifndef HOST_SYSTEMD_UNIT_H
#define HOST_SYSTEMD_UNIT_H

#include "host/systemd/bus.h"
#include "wire/message.h"

enum {
    UNIT_WORD_MAX = 48,               /* a state or a result, with its NUL */
    UNIT_WORDS_MAX = 1024,            /* unit_outcome_format */
    UNIT_SILENCE_MS = 30 * 1000,      /* longer than polkit may take, and a restart of systemd */
    UNIT_PENDING_LIMIT_MS = 5 * 1000, /* for unit_is_pending; a bus answers in a fraction of it */
};

enum unit_end {
    UNIT_REFUSED, /* it was not started, for certain: `error` and `message` say why */
    UNIT_ENDED,   /* systemd's job has ended: the rest says how */
    UNIT_LATE,    /* the deadline passed, or systemd was silent; systemd goes on with it */
    UNIT_LEFT,    /* the daemon stops; likewise */
};

/* Texts that are not known are empty. */
struct unit_outcome {
    enum unit_end end;
    char error[BUS_ERROR_MAX];
    char message[BUS_MESSAGE_MAX];
    bool outcome_unknown;    /* at the last poll the bus was gone, or systemd did not answer */
    char job[UNIT_WORD_MAX]; /* done, failed, timeout, canceled, dependency, skipped, ...; "": not
                                 * received, but nothing is pending any more */
    char active[UNIT_WORD_MAX]; /* ActiveState */
    char sub[UNIT_WORD_MAX];    /* SubState */
    char result[UNIT_WORD_MAX]; /* Result: success, exit-code, signal, timeout, ... */
};

struct unit_start {
    const char *unit; /* valid by systemd.unit(5) */
    bool restart;     /* RestartUnit instead of StartUnit */
    int64_t deadline_ms;
    int stop_fd;       /* readable: the daemon stops; -1: none */
    int64_t settle_ms; /* a unit that is active is polled once more after this time; 0: it is not */
    int64_t
        silence_ms; /* systemd is given up after so long without an answer; 0: UNIT_SILENCE_MS */
};

/* The end is systemd's JobRemoved. When it cannot have been received (the bus went away, systemd
 * re-executed itself) the unit is polled until no job of it is pending. */
void unit_run(const struct unit_start *start, struct unit_outcome *ret);

/* ERROR_NONE: its job is done, and what it started is active, or has succeeded. Otherwise the error for
 * the guest. */
enum error_code unit_outcome_code(const struct unit_outcome *outcome);

/* One line, escaped, with the unit's name. */
void unit_outcome_format(const struct unit_outcome *outcome, const char *unit,
                         char out[UNIT_WORDS_MAX]);

/* *ret: a job of it waits or runs, or it is activating, active, reloading or deactivating. 0, or -errno:
 * unknown; -ECANCELED: the daemon stops (stop_fd is readable; -1: none). */
MUST_CHECK int unit_is_pending(const char *unit, int stop_fd, int64_t limit_ms, bool *ret);

#endif
