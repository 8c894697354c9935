/* SPDX-License-Identifier: Apache-2.0 */
#include "host/upgrade/status_line.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "wire/attributes.h"
#include "wire/hex.h"

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
