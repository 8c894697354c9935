/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/screen.h"

#include "guest/bytes.h"
#include "wire/clock.h"
#include "wire/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    PIECE_MAX = 48,
    TAIL_MAX = 4 * PIECE_MAX,
    BAR_MIN = 10,              /* columns between the brackets; a shorter bar is left out */
    TIME_SHOWN_MAX_S = 359999, /* 99:59:59; a longer time is not shown */
};
#define RATE_WEIGHT 0.3 /* of the newest sample */

static bool is_counted(const struct progress *progress)
{
    return progress->phase == PHASE_DOWNLOADING || progress->done < progress->total ||
           (progress->phase == PHASE_VERIFYING && progress->done > 0);
}

/* At most 99: 100 % is for a verified image, as the host shows it. */
static unsigned percent_of(const struct progress *progress)
{
    if (progress->done >= progress->total) {
        return 99;
    }
    unsigned percent = (unsigned)((double)progress->done * 100 / (double)progress->total);
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

static void add_sample(struct progress *progress, int64_t now_ms)
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
    add_sample(progress, now_ms);
}

/* Such as 107.5 MiB. */
static void format_bytes(double bytes, char out[PIECE_MAX])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;
    while (bytes >= 1024 && unit + 1 < sizeof units / sizeof units[0]) {
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
    snprintf(number, sizeof number, "phase %u", progress->phase);
    int length = snprintf(out, PIECE_MAX, "%-11s", name != NULL ? name : number);
    if (is_counted(progress) && progress->total > 0) {
        snprintf(out + length, PIECE_MAX - (size_t)length, " %3u%%", percent_of(progress));
    }
}

static void format_time_left(double seconds_left, char out[PIECE_MAX])
{
    if (seconds_left > TIME_SHOWN_MAX_S) {
        return;
    }
    unsigned seconds = (unsigned)(seconds_left + 0.999); /* rounded up: 0 is for the end */
    if (seconds >= 3600) {
        snprintf(out, PIECE_MAX, "%u:%02u:%02u left", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
    } else {
        snprintf(out, PIECE_MAX, "%u:%02u left", seconds / 60, seconds % 60);
    }
}

enum { PIECES = 3 /* amount, rate, time left; the last is of least use */ };

static void format_pieces(const struct progress *progress, char pieces[PIECES][PIECE_MAX])
{
    char done[PIECE_MAX];
    char total[PIECE_MAX];
    memset(pieces, 0, PIECES * sizeof pieces[0]);
    if (!is_counted(progress)) {
        return;
    }
    format_bytes((double)progress->done, done);
    format_bytes((double)progress->total, total);
    snprintf(pieces[0], PIECE_MAX, progress->total > 0 ? "%.20s of %.20s" : "%.20s", done, total);
    if (progress->rate <= 0) {
        return;
    }
    format_bytes(progress->rate, done);
    snprintf(pieces[1], PIECE_MAX, "%.20s/s", done);
    if (progress->done < progress->total) {
        format_time_left((double)(progress->total - progress->done) / progress->rate, pieces[2]);
    }
}

/* As many pieces as fit behind the bar. */
static size_t choose_tail(const struct progress *progress, size_t room, char out[TAIL_MAX])
{
    char pieces[PIECES][PIECE_MAX];
    format_pieces(progress, pieces);
    for (size_t kept = PIECES; kept > 0; kept--) {
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
    (void)choose_tail(progress, sizeof tail, tail);
    int length = snprintf(out, PROGRESS_LINE_MAX, "%s%s", head, tail);
    while (length > 0 && out[length - 1] == ' ') {
        out[--length] = '\0';
    }
}

bool progress_due(struct progress *progress)
{
    bool tenths = is_counted(progress) && progress->total > 0;
    unsigned tenth = tenths ? percent_of(progress) / 10 : 0;
    bool due = !progress->reported || tenth > progress->last_tenth;
    progress->reported = true;
    progress->last_tenth = tenth;
    return due;
}

enum { LINE_BYTES_MAX = 1024, COLUMNS_DEFAULT = 80 };

void screen_init(struct screen *screen, const struct options *options, int64_t start_ms)
{
    bool terminal = isatty(STDERR_FILENO) == 1;
    bool wanted = !options->quiet && options->progress != WHEN_NEVER;
    *screen = (struct screen){
        .terminal = terminal,
        .verbose = options->verbose,
        .quiet = options->quiet,
        .bar = wanted && terminal,
        .lines = wanted && !terminal && options->progress == WHEN_ALWAYS,
        .start_ms = start_ms,
    };
}

bool screen_wants_progress(const struct screen *screen)
{
    return screen->bar || screen->lines;
}

/* One column less than there are: after a full line some terminals go to the next one. */
static unsigned terminal_columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 2) {
        return COLUMNS_DEFAULT - 1;
    }
    return size.ws_col - 1U;
}

static void clear_bar(struct screen *screen)
{
    char blank[PROGRESS_LINE_MAX + 2];
    if (screen->drawn > 0) {
        int length = snprintf(blank, sizeof blank, "\r%*s\r", (int)screen->drawn, "");
        bytes_write_stderr(blank, (size_t)length);
        screen->drawn = 0;
    }
}

PRINTF_LIKE(2, 3) static void show_line(struct screen *screen, const char *format, ...)
{
    char line[LINE_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    size_t end = (size_t)length < sizeof line - 2 ? (size_t)length : sizeof line - 2;
    line[end] = '\n';
    clear_bar(screen);
    bytes_write_stderr(line, end + 1);
}

void screen_progress(struct screen *screen, const struct upgrade_status *status)
{
    char line[PROGRESS_LINE_MAX];
    char drawn[PROGRESS_LINE_MAX + 1];
    progress_feed(&screen->progress, status, clock_ms());
    if (screen->bar) {
        progress_bar(&screen->progress, terminal_columns(), line);
        int length = snprintf(drawn, sizeof drawn, "\r%s", line);
        bytes_write_stderr(drawn, (size_t)length);
        screen->drawn = (unsigned)length - 1;
    } else if (screen->lines && progress_due(&screen->progress)) {
        progress_text(&screen->progress, line);
        show_line(screen, "%s", line);
    }
}

void screen_trace(struct screen *screen, const char *line)
{
    if (screen->verbose) {
        char escaped[LINE_BYTES_MAX];
        escape_text(text_of(line), ESCAPE_LINE, escaped, sizeof escaped);
        show_line(screen, "%.3f s: %s", (double)(clock_ms() - screen->start_ms) / 1000, escaped);
    }
}

void screen_remark(struct screen *screen, const char *line)
{
    if (!screen->quiet) {
        show_line(screen, "note: %s", line);
    }
}

void screen_note(struct screen *screen, const char *line)
{
    if (screen->terminal && !screen->quiet) {
        show_line(screen, "%s", line);
    }
}

void screen_end(struct screen *screen)
{
    if (screen->drawn > 0) {
        bytes_write_stderr("\n", 1);
        screen->drawn = 0;
    }
}
