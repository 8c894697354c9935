/* SPDX-License-Identifier: Apache-2.0 */
/* Time as this project counts it: CLOCK_MONOTONIC in milliseconds, and absolute deadlines on it.
 *
 * Threads  any.
 */
#ifndef WIRE_CLOCK_H
#define WIRE_CLOCK_H

#include <stdint.h>

#define CLOCK_NEVER INT64_MAX /* the deadline that never passes */

int64_t clock_ms(void);

/* The deadline `ms` from now, without overflow; CLOCK_NEVER stays CLOCK_NEVER. */
int64_t clock_deadline(int64_t ms);

/* What poll() and epoll_wait() want: the milliseconds left, rounded up, 0 when it has passed, -1
 * for CLOCK_NEVER, at most INT_MAX. */
int clock_poll_timeout(int64_t deadline_ms);

#endif
