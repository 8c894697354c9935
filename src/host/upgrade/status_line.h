/* SPDX-License-Identifier: Apache-2.0 */
/* An upgrade's status as one line for systemd's STATUS= and for the log.
 *
 * Threads  pure functions.
 */
#ifndef HOST_STATUS_LINE_H
#define HOST_STATUS_LINE_H

#include <stddef.h>

#include "host/upgrade/progress.h"
#include "wire/message.h"

enum {
    STATUS_LINE_MAX = 512,
    SHORT_HASH_SIZE = 13, /* 12 digits name an image well enough for a person */
};

void short_hash(const uint8_t sha256[SHA256_SIZE], char out[SHORT_HASH_SIZE]);

/* Such as "upgrade 0f1e2d3c4b5a: downloading, 42 %, 112721920 of 268435456 bytes, 45.0 MiB/s, 4 s
 * left". `rate` and `left` are PROGRESS_UNKNOWN where there are none. Cut to fit. */
void status_line_format(const struct upgrade_status *status, uint64_t rate, uint64_t left,
                        char out[STATUS_LINE_MAX]);

#endif
