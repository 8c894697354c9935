/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/clock.h"

#include <limits.h>
#include <time.h>

int64_t clock_ms(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock on Linux */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_deadline(int64_t ms)
{
    int64_t deadline = 0;
    if (ms == CLOCK_NEVER || __builtin_add_overflow(clock_ms(), ms, &deadline)) {
        return CLOCK_NEVER;
    }
    return deadline;
}

/* clock_ms() rounds down, so the deadline has passed when a wait of this length ends. */
int clock_poll_timeout(int64_t deadline_ms)
{
    if (deadline_ms == CLOCK_NEVER) {
        return -1;
    }
    int64_t now = clock_ms();
    if (deadline_ms <= now) {
        return 0;
    }
    int64_t left = deadline_ms - now;
    return left > INT_MAX ? INT_MAX : (int)left;
}
