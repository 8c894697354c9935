/* SPDX-License-Identifier: Apache-2.0 */
/* The progress of a download and an upgrade's status as one line, for systemd's STATUS= and the log.
 * Pure functions; the time is passed in.
 *
 * Units    bytes, bytes a second, seconds; now_ms: CLOCK_MONOTONIC milliseconds.
 */
#ifndef HOST_UPGRADE_STATUS_LINE_H
#define HOST_UPGRADE_STATUS_LINE_H

#include "wire/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROGRESS_INTERVAL_MS = 1000 };
#define PROGRESS_UNKNOWN UINT64_MAX

/* Reported at most once a second, but the size as soon as it is known. */
struct progress {
    uint64_t done; /* never falls, and is never above `total` once that is known */
    uint64_t total;
    uint64_t rate; /* smoothed; PROGRESS_UNKNOWN until there is one */
    bool changed;  /* `done` or `total`, since they were reported */
    int64_t reported_ms;
    int64_t mark_ms;    /* when the current measurement of the rate began */
    uint64_t mark_done; /* bytes stored then, which can be fewer than were reported */
};

/* Continues from what was reported before, 0 and 0 at the beginning. */
void progress_init(struct progress *progress, uint64_t done, uint64_t total, int64_t now_ms);

/* Takes the current count; total 0: not known. True: it is time to report it. */
bool progress_update(struct progress *progress, uint64_t done, uint64_t total, int64_t now_ms);

/* Seconds until all bytes are stored at the current rate, rounded up, or PROGRESS_UNKNOWN. */
uint64_t progress_left(const struct progress *progress);

/* 0 to 100, rounded down. 100 only in a phase in which every byte has been verified, before that
 * 99 at most. */
unsigned progress_percent(enum phase phase, uint64_t done, uint64_t total);

enum {
    STATUS_LINE_MAX = 512,
    SHORT_HASH_SIZE = 13, /* 12 digits */
};

void short_hash(const uint8_t sha256[SHA256_SIZE], char out[SHORT_HASH_SIZE]);

/* Such as "upgrade 0f1e2d3c4b5a: downloading, 42 %, 112721920 of 268435456 bytes, 45.0 MiB/s, 4 s
 * left". `rate` and `left` are PROGRESS_UNKNOWN where there are none. Cut to fit. */
void status_line_format(const struct upgrade_status *status, uint64_t rate, uint64_t left,
                        char out[STATUS_LINE_MAX]);

#endif
