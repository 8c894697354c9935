/* SPDX-License-Identifier: Apache-2.0 */
#include "host/download/retry.h"

static int64_t full_delay(const struct retry *retry)
{
    int64_t delay = retry->first_ms;
    for (uint32_t i = 1; i < retry->failed && delay < RETRY_DELAY_MAX_MS; i++) {
        delay *= 2;
    }
    return delay < RETRY_DELAY_MAX_MS ? delay : RETRY_DELAY_MAX_MS;
}

bool retry_next(struct retry *retry, bool progressed, uint32_t chance, int64_t *delay_ms)
{
    if (progressed) {
        retry->failed = 0;
    }
    if (retry->failed >= retry->allowed) {
        return false;
    }
    retry->failed++;
    int64_t full = full_delay(retry);
    int64_t half = full / 2;
    *delay_ms = half + (int64_t)chance % (full - half + 1);
    return true;
}
