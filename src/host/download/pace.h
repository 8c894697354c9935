/* SPDX-License-Identifier: Apache-2.0 */
/* The stall rule: at least so many bytes per second, looked at over a window of time.
 *
 * Threads  pure functions; the time is passed in.
 * Units    milliseconds, bytes.
 */
#ifndef HOST_PACE_H
#define HOST_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
    int64_t window_ms;
    uint64_t bytes_per_second;
    int64_t began_ms; /* the window's start */
    uint64_t bytes;   /* in this window */
};

static inline struct pace pace_of(int64_t window_ms, uint64_t bytes_per_second, int64_t now_ms)
{
    return (struct pace){window_ms, bytes_per_second, now_ms, 0};
}

static inline void pace_count(struct pace *pace, uint64_t bytes)
{
    pace->bytes += bytes;
}

/* Time that we ourselves took is not the server's. */
static inline void pace_forgive(struct pace *pace, int64_t ms)
{
    pace->began_ms += ms;
}

/* Milliseconds until the window ends, at least 1. */
static inline int64_t pace_left(const struct pace *pace, int64_t now_ms)
{
    int64_t left = pace->began_ms + pace->window_ms - now_ms;
    return left > 0 ? left : 1;
}

/* True if a window has ended with too little in it. One that had enough is followed by the next. */
static inline bool pace_stalled(struct pace *pace, int64_t now_ms)
{
    int64_t took = now_ms - pace->began_ms;
    if (took < pace->window_ms) {
        return false;
    }
    /* Bytes of one window and a millisecond of a year are both far from overflow. */
    bool stalled = pace->bytes * 1000 < pace->bytes_per_second * (uint64_t)took;
    pace->began_ms = now_ms;
    pace->bytes = 0;
    return stalled;
}

#endif
