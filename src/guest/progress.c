/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/progress.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    PIECE_MAX = 48,
    TAIL_MAX = 4 * PIECE_MAX,
    BAR_MIN = 10,              /* columns between the brackets; a shorter bar is left out */
    TIME_SHOWN_MAX_S = 359999, /* 99:59:59; a longer time left is no help to anybody */
};
#define RATE_WEIGHT 0.3 /* of the newest sample */

static bool is_counted(const struct progress *progress)
{
    return progress->phase == PHASE_DOWNLOADING || progress->done < progress->total ||
           (progress->phase == PHASE_VERIFYING && progress->done > 0);
}

/* Of the phases that are counted: 100 % is for an image that is verified, as the host shows it. */
static unsigned percent_of(const struct progress *progress)
{
    bool all = progress->done >= progress->total;
    unsigned percent =
        all ? 100 : (unsigned)((double)progress->done * 100 / (double)progress->total);
    return percent < 99 ? percent : 99;
}

static void begin_phase(struct progress *progress, const struct upgrade_status *status,
                        int64_t now_ms)
{
    *progress = (struct progress){.begun = true,
                                  .phase = status->phase,
                                  .done = status->done,
                                  .total = status->total,
                                  .at_ms = now_ms,
                                  .at_done = status->done};
}

static void take_sample(struct progress *progress, int64_t now_ms)
{
    int64_t passed_ms = now_ms - progress->at_ms;
    if (passed_ms <= 0) {
        return;
    }
    double rate = (double)(progress->done - progress->at_done) * 1000 / (double)passed_ms;
    bool first = progress->rate <= 0;
    progress->rate = first ? rate : (1 - RATE_WEIGHT) * progress->rate + RATE_WEIGHT * rate;
    progress->at_ms = now_ms;
    progress->at_done = progress->done;
}

void progress_feed(struct progress *progress, const struct upgrade_status *status, int64_t now_ms)
{
    if (!progress->begun || progress->phase != status->phase) {
        begin_phase(progress, status, now_ms);
        return;
    }
    progress->total = status->total;
    if (status->done > progress->done) {
        progress->done = status->done;
    }
    take_sample(progress, now_ms);
}

/* Such as 107.5 MiB. */
static void format_bytes(double bytes, char out[PIECE_MAX])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;
    while (bytes >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        bytes /= 1024;
        unit++;
    }
    snprintf(out, PIECE_MAX, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
}

/* "downloading  42%", the phase padded so that the columns behind it stay where they are. */
static void format_head(const struct progress *progress, char out[PIECE_MAX])
{
    const char *name = phase_name(progress->phase);
    char number[16];
    snprintf(number, sizeof(number), "phase %u", progress->phase);
    int length = snprintf(out, PIECE_MAX, "%-11s", name != NULL ? name : number);
    if (is_counted(progress) && progress->total > 0) {
        snprintf(out + length, PIECE_MAX - (size_t)length, " %3u%%", percent_of(progress));
    }
}

static void format_amount(const struct progress *progress, char out[PIECE_MAX])
{
    char done[PIECE_MAX];
    char total[PIECE_MAX];
    out[0] = '\0';
    if (!is_counted(progress)) {
        return;
    }
    format_bytes((double)progress->done, done);
    format_bytes((double)progress->total, total);
    snprintf(out, PIECE_MAX, progress->total > 0 ? "%.20s of %.20s" : "%.20s", done, total);
}

static void format_rate(const struct progress *progress, char out[PIECE_MAX])
{
    out[0] = '\0';
    if (is_counted(progress) && progress->rate > 0) {
        char rate[PIECE_MAX];
        format_bytes(progress->rate, rate);
        snprintf(out, PIECE_MAX, "%.20s/s", rate);
    }
}

static void format_time_left(const struct progress *progress, char out[PIECE_MAX])
{
    out[0] = '\0';
    if (!is_counted(progress) || progress->rate <= 0 || progress->done >= progress->total) {
        return;
    }
    double left = (double)(progress->total - progress->done) / progress->rate;
    if (left > TIME_SHOWN_MAX_S) {
        return;
    }
    unsigned seconds = (unsigned)(left + 0.999); /* rounded up: 0 is for the end */
    if (seconds >= 3600) {
        snprintf(out, PIECE_MAX, "%u:%02u:%02u left", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
    } else {
        snprintf(out, PIECE_MAX, "%u:%02u left", seconds / 60, seconds % 60);
    }
}

/* The pieces behind the bar, widest selection first; each drops the one of least use. */
static size_t choose_tail(const struct progress *progress, size_t room, char out[TAIL_MAX])
{
    char amount[PIECE_MAX];
    char rate[PIECE_MAX];
    char left[PIECE_MAX];
    format_amount(progress, amount);
    format_rate(progress, rate);
    format_time_left(progress, left);
    const char *pieces[] = {amount, rate, left};
    for (size_t kept = 3; kept > 0; kept--) {
        size_t length = 0;
        out[0] = '\0';
        for (size_t i = 0; i < kept; i++) {
            if (pieces[i][0] != '\0') {
                length += (size_t)snprintf(out + length, TAIL_MAX - length, "  %s", pieces[i]);
            }
        }
        if (length <= room) {
            return length;
        }
    }
    out[0] = '\0';
    return 0;
}

/* " [=====>    ]" over exactly `columns`. */
static void draw_bar(unsigned percent, size_t columns, char *out)
{
    size_t inside = columns - 3;
    size_t filled = inside * percent / 100;
    out[0] = ' ';
    out[1] = '[';
    memset(out + 2, ' ', inside);
    memset(out + 2, '=', filled);
    if (filled < inside) {
        out[2 + filled] = '>';
    }
    out[2 + inside] = ']';
}

void progress_bar(const struct progress *progress, unsigned columns, char out[PROGRESS_LINE_MAX])
{
    char head[PIECE_MAX];
    char tail[TAIL_MAX];
    size_t width = columns < PROGRESS_WIDTH_MAX ? columns : PROGRESS_WIDTH_MAX;
    format_head(progress, head);
    memset(out, ' ', width);
    out[width] = '\0';
    size_t head_length = strlen(head) < width ? strlen(head) : width;
    memcpy(out, head, head_length);
    size_t tail_length = choose_tail(progress, width - head_length, tail);
    size_t bar = width - head_length - tail_length;
    if (is_counted(progress) && progress->total > 0 && bar >= BAR_MIN + 3) {
        draw_bar(percent_of(progress), bar, out + head_length);
    } else {
        bar = 0;
    }
    memcpy(out + head_length + bar, tail, tail_length);
}

void progress_text(const struct progress *progress, char out[PROGRESS_LINE_MAX])
{
    char head[PIECE_MAX];
    char tail[TAIL_MAX];
    format_head(progress, head);
    (void)choose_tail(progress, sizeof(tail), tail);
    int length = snprintf(out, PROGRESS_LINE_MAX, "%s%s", head, tail);
    while (length > 0 && out[length - 1] == ' ') {
        out[--length] = '\0';
    }
}

bool progress_due(struct progress *progress)
{
    bool tenths = is_counted(progress) && progress->total > 0;
    unsigned tenth = tenths ? percent_of(progress) / 10 : 0;
    bool due = !progress->told || tenth > progress->told_tenth;
    progress->told = true;
    progress->told_tenth = tenth;
    return due;
}
