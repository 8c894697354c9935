/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/screen.h"

#include "guest/bytes.h"
#include "wire/clock.h"
#include "wire/escape.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

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

/* One column less than there are: a full line would make some terminals go to the next one. */
static unsigned columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 2) {
        return COLUMNS_DEFAULT - 1;
    }
    return size.ws_col - 1U;
}

/* Takes the bar off its line. */
static void clear_bar(struct screen *screen)
{
    char blank[PROGRESS_LINE_MAX + 2];
    if (screen->drawn > 0) {
        int length = snprintf(blank, sizeof(blank), "\r%*s\r", (int)screen->drawn, "");
        bytes_tell(blank, (size_t)length);
        screen->drawn = 0;
    }
}

static void show_line(struct screen *screen, const char *format, ...) PRINTF_LIKE(2, 3);
static void show_line(struct screen *screen, const char *format, ...)
{
    char line[LINE_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof(line) - 1, format, arguments);
    va_end(arguments);
    size_t end = (size_t)length < sizeof(line) - 2 ? (size_t)length : sizeof(line) - 2;
    line[end] = '\n';
    clear_bar(screen);
    bytes_tell(line, end + 1);
}

void screen_progress(struct screen *screen, const struct upgrade_status *status)
{
    char line[PROGRESS_LINE_MAX];
    char drawn[PROGRESS_LINE_MAX + 1];
    progress_feed(&screen->progress, status, clock_ms());
    if (screen->bar) {
        progress_bar(&screen->progress, columns(), line);
        int length = snprintf(drawn, sizeof(drawn), "\r%s", line);
        bytes_tell(drawn, (size_t)length);
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
        escape_text(text_of(line), ESCAPE_LINE, escaped, sizeof(escaped));
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
        bytes_tell("\n", 1);
        screen->drawn = 0;
    }
}
