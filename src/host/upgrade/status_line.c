/* SPDX-License-Identifier: Apache-2.0 */
#include "host/upgrade/status_line.h"

#include "wire/attributes.h"
#include "wire/number.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void progress_init(struct progress *progress, uint64_t done, uint64_t total, int64_t now_ms)
{
    *progress = (struct progress){.done = done,
                                  .total = total,
                                  .rate = PROGRESS_UNKNOWN,
                                  .reported_ms = now_ms,
                                  .mark_ms = now_ms,
                                  .mark_done = done};
}

/* bytes * 1000 / ms, without overflow. */
static uint64_t per_second(uint64_t bytes, uint64_t ms)
{
    return bytes <= UINT64_MAX / 1000 ? bytes * 1000 / ms : bytes / ms * 1000;
}

/* One sample a second, weight a quarter: smooths bursts, shows a stall. */
static void measure_rate(struct progress *progress, uint64_t done, int64_t now_ms)
{
    int64_t elapsed_ms = now_ms - progress->mark_ms;
    if (done < progress->mark_done) { /* the download began again */
        progress->mark_ms = now_ms;
        progress->mark_done = done;
        return;
    }
    if (elapsed_ms < PROGRESS_INTERVAL_MS) {
        return;
    }
    uint64_t sample = per_second(done - progress->mark_done, (uint64_t)elapsed_ms);
    progress->rate = progress->rate == PROGRESS_UNKNOWN
                         ? sample
                         : progress->rate / 4 * 3 + progress->rate % 4 * 3 / 4 + sample / 4;
    progress->mark_ms = now_ms;
    progress->mark_done = done;
}

bool progress_update(struct progress *progress, uint64_t done, uint64_t total, int64_t now_ms)
{
    uint64_t reported = done > progress->done ? done : progress->done;
    if (total != 0 && reported > total) {
        reported = total;
    }
    bool sized = total != progress->total;
    progress->changed = progress->changed || reported != progress->done || sized;
    progress->done = reported;
    progress->total = total;
    measure_rate(progress, done, now_ms);
    if (!progress->changed || (!sized && now_ms - progress->reported_ms < PROGRESS_INTERVAL_MS)) {
        return false;
    }
    progress->changed = false;
    progress->reported_ms = now_ms;
    return true;
}

uint64_t progress_left(const struct progress *progress)
{
    if (progress->total == 0 || progress->rate == PROGRESS_UNKNOWN || progress->rate == 0) {
        return PROGRESS_UNKNOWN;
    }
    uint64_t bytes = progress->total - progress->done;
    return bytes / progress->rate + (bytes % progress->rate != 0 ? 1 : 0);
}

unsigned progress_percent(enum phase phase, uint64_t done, uint64_t total)
{
    if (total == 0) {
        return 0;
    }
    uint64_t percent = done <= UINT64_MAX / 100 ? done * 100 / total : done / (total / 100);
    bool verified =
        phase == PHASE_INSTALLING || phase == PHASE_REBOOTING || phase == PHASE_UPGRADED;
    uint64_t max = verified ? 100 : 99;
    return (unsigned)(percent < max ? percent : max);
}

void short_hash(const uint8_t sha256[SHA256_SIZE], char out[SHORT_HASH_SIZE])
{
    char hex[SHA256_HEX + 1];
    sha256_format(sha256, hex);
    memcpy(out, hex, SHORT_HASH_SIZE - 1);
    out[SHORT_HASH_SIZE - 1] = '\0';
}

static void append(char out[STATUS_LINE_MAX], const char *format, ...) PRINTF_LIKE(2, 3);

static void append(char out[STATUS_LINE_MAX], const char *format, ...)
{
    size_t length = strlen(out);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(out + length, STATUS_LINE_MAX - length, format, arguments);
    va_end(arguments);
}

static void append_bytes(char out[STATUS_LINE_MAX], const struct upgrade_status *status)
{
    if (status->phase == PHASE_FAILED && status->total != 0) {
        append(out, ", %" PRIu64 " of %" PRIu64 " bytes", status->done, status->total);
    } else if (status->total != 0) {
        append(out, ", %u %%, %" PRIu64 " of %" PRIu64 " bytes",
               progress_percent((enum phase)status->phase, status->done, status->total),
               status->done, status->total);
    } else if (status->done != 0) {
        append(out, ", %" PRIu64 " bytes", status->done);
    }
}

static void append_rate(char out[STATUS_LINE_MAX], uint64_t rate, uint64_t left)
{
    if (rate != PROGRESS_UNKNOWN) {
        append(out, ", %.1f MiB/s", (double)rate / (1024.0 * 1024.0));
    }
    if (left != PROGRESS_UNKNOWN) {
        append(out, ", %" PRIu64 " s left", left);
    }
}

void status_line_format(const struct upgrade_status *status, uint64_t rate, uint64_t left,
                        char out[STATUS_LINE_MAX])
{
    out[0] = '\0';
    if (!status->has_sha256) {
        append(out, "no upgrade");
        return;
    }
    char hash[SHORT_HASH_SIZE];
    short_hash(status->sha256, hash);
    append(out, "upgrade %s: %s", hash, phase_name(status->phase));
    append_bytes(out, status);
    if (status->phase == PHASE_DOWNLOADING) {
        append_rate(out, rate, left);
    }
    if (status->result != ERROR_NONE) {
        append(out, ", %s", error_name(status->result));
    }
    if (status->detail.length > 0) {
        append(out, ": %.*s", (int)status->detail.length, status->detail.bytes);
    }
}
