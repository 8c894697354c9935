/* SPDX-License-Identifier: Apache-2.0 */
/* CLOCK_MONOTONIC in milliseconds, and absolute deadlines on it. */
#ifndef WIRE_CLOCK_H
#define WIRE_CLOCK_H

#include <stdint.h>

#define CLOCK_NEVER INT64_MAX /* a deadline that never passes */

int64_t clock_ms(void);

/* The deadline `ms` from now, without overflow; CLOCK_NEVER stays CLOCK_NEVER. */
int64_t clock_deadline(int64_t ms);

/* For poll() and epoll_wait(): the milliseconds left, at most INT_MAX; 0: passed; -1: CLOCK_NEVER. */
int clock_poll_timeout(int64_t deadline_ms);

#endif
