/* SPDX-License-Identifier: Apache-2.0 */
/* How long, and how often, a guest tries to reach its host again.
 *
 * Threads  pure functions; time is passed in.
 * Units    milliseconds.
 */
#ifndef COMPAT_RETRY_H
#define COMPAT_RETRY_H

#include <stdbool.h>
#include <stdint.h>

enum { RETRY_FIRST_MS = 100, RETRY_LONGEST_MS = 1000 };

/* What is left of the time for connecting, and the next pause. */
struct retry {
    int64_t left_ms;
    int64_t pause_ms;
};

void retry_init(struct retry *retry, int64_t limit_ms);

/* Takes the time that a try itself has used. */
void retry_spend(struct retry *retry, int64_t used_ms);

/* Takes the next pause out of what is left, cut to it; each one is twice as long as the one before,
 * up to RETRY_LONGEST_MS. False when nothing is left: then there is no further try. */
bool retry_next(struct retry *retry, int64_t *ret_pause_ms);

/* True for a failure that may pass: a host that is booting, restarting or overloaded. A missing
 * path passes only where the address is a Unix socket. `error` is a positive errno. */
bool retry_errno(int error, bool unix_path);

#endif
