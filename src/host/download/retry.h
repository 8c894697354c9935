/* SPDX-License-Identifier: Apache-2.0 */
/* When a failed attempt is made again: so many times in a row, each time after twice the wait.
 *
 * Threads  pure functions; chance is passed in.
 * Units    milliseconds.
 */
#ifndef HOST_RETRY_H
#define HOST_RETRY_H

#include <stdbool.h>
#include <stdint.h>

enum { RETRY_DELAY_MAX_MS = 60000 };

struct retry {
    uint32_t allowed; /* attempts after the first, in a row without progress */
    uint32_t failed;  /* attempts in a row */
    int64_t first_ms;
};

static inline struct retry retry_of(uint32_t allowed, int64_t first_ms)
{
    return (struct retry){.allowed = allowed, .first_ms = first_ms};
}

/* Counts a failed attempt. False: it was the last. True: wait *delay_ms, at least half of the full
 * time and at most all of it as `chance` has it, so that a thousand hosts do not come back at once.
 * `progressed` says that the attempt brought something, and counting starts anew. */
bool retry_next(struct retry *retry, bool progressed, uint32_t chance, int64_t *delay_ms);

#endif
