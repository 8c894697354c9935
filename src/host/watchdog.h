/* SPDX-License-Identifier: Apache-2.0 */
/* What each thread does, and its deadline: a thread that hangs is noticed, one that is slow is not.
 *
 * A thread enters, then announces each activity with its limit, or that it is idle. The limits are
 * generous: to be late means to hang. Beside its limit an activity has the patience that watchdog_init
 * was given, the watchdog's whole interval; that is all of WATCHDOG_QUICK, for what touches neither a
 * disk nor a program.
 *
 * Threads  init: main thread, before the first thread.  find_late: main thread.  The rest: each thread
 *          for itself; without enter and init they do nothing.
 * Lock     none: a slot is written by its thread and read by main.
 * Units    *_ms: milliseconds; now_ms: CLOCK_MONOTONIC milliseconds.
 * Owner    names of threads and activities are constant texts.
 */
#ifndef HOST_WATCHDOG_H
#define HOST_WATCHDOG_H

#include "wire/clock.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    WATCHDOG_QUICK = 0,
    WATCHDOG_DISK_MS = 600000, /* one write, fsync or rename on a disk that is slow, not dead */
    WATCHDOG_THREADS_MAX = 80, /* 64 workers and the others */
};

/* 0: nothing is watched. */
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
/* The thread waits for work, or for a time that may be far away. */
void watchdog_idle(void);

struct watchdog_late {
    const char *name;
    unsigned number;
    const char *step;
    int64_t late_ms;
};

/* The thread that is past its deadline, of several the latest. False: none is. */
bool watchdog_find_late(int64_t now_ms, struct watchdog_late *ret);

#endif
