/* SPDX-License-Identifier: Apache-2.0 */
/* What each thread does now, and until when it may take: so that one that hangs is noticed, and one
 * that is merely slow is not.
 *
 * A thread enters, then says before each step how long that may take, or that it is idle. The limits
 * are generous: to be late means to hang. A step that touches neither a disk nor a program has
 * WATCH_QUICK beside the patience that watchdog_init was given: the watchdog's whole interval.
 *
 * Threads  init: main thread, before the first thread.  enter, leave, step, idle: each thread for
 *          itself; in one that has not entered, and without watchdog_init, they do nothing.
 *          late: main thread.
 * Lock     none: a slot is written by its thread and read by main.
 * Units    *_ms: milliseconds; now_ms: CLOCK_MONOTONIC milliseconds.
 * Owner    names of threads and steps are constant texts.
 */
#ifndef HOST_WATCHDOG_H
#define HOST_WATCHDOG_H

#include "wire/clock.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    WATCHDOG_QUICK = 0,
    WATCHDOG_DISK_MS =
        10 * 60 * 1000,        /* one write, fsync or rename on a disk that is slow, not dead */
    WATCHDOG_THREADS_MAX = 80, /* 64 workers and the others */
};

/* `patience_ms`: what each step has beside its own limit; 0: nothing is watched. */
void watchdog_init(int64_t patience_ms);
bool watchdog_is_on(void);

/* `number`: which one of several with that name, from 1 on; 0: there is one. */
void watchdog_enter(const char *name, unsigned number);
void watchdog_leave(void);

void watchdog_expect_at(const char *step, int64_t limit_ms, int64_t now_ms);
static inline void watchdog_expect(const char *step, int64_t limit_ms)
{
    if (watchdog_is_on()) {
        watchdog_expect_at(step, limit_ms, clock_ms());
    }
}
/* It waits for work, or for a time that may be far away. */
void watchdog_idle(void);

struct watchdog_late {
    const char *name;
    unsigned number;
    const char *step;
    int64_t late_ms;
};

/* The thread that is past its deadline, of several the one that is most. False: none is. */
bool watchdog_find_late(int64_t now_ms, struct watchdog_late *ret);

#endif
