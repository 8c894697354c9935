/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/retry.h"

#include <errno.h>
#include <stddef.h>

void retry_init(struct retry *retry, int64_t limit_ms)
{
    *retry = (struct retry){.left_ms = limit_ms, .pause_ms = RETRY_FIRST_MS};
}

void retry_spend(struct retry *retry, int64_t used_ms)
{
    retry->left_ms = used_ms < retry->left_ms ? retry->left_ms - used_ms : 0;
}

bool retry_next(struct retry *retry, int64_t *ret_pause_ms)
{
    if (retry->left_ms <= 0) {
        return false;
    }
    int64_t pause_ms = retry->pause_ms < retry->left_ms ? retry->pause_ms : retry->left_ms;
    retry->left_ms -= pause_ms;
    retry->pause_ms =
        retry->pause_ms < RETRY_LONGEST_MS / 2 ? 2 * retry->pause_ms : RETRY_LONGEST_MS;
    *ret_pause_ms = pause_ms;
    return true;
}

bool retry_errno(int error, bool unix_path)
{
    static const int passing[] = {ECONNREFUSED, ECONNRESET,    ENODEV,
                                  ETIMEDOUT,    EADDRNOTAVAIL, EAGAIN};
    for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
        if (error == passing[i]) {
            return true;
        }
    }
    return unix_path && error == ENOENT;
}
