/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that goes to stderr while a run is under way: a progress bar that stays on its line,
 * and the lines that come between.
 *
 * Threads  one thread.
 */
#ifndef GUEST_SCREEN_H
#define GUEST_SCREEN_H

#include "guest/options.h"
#include "wire/message.h"

/* An upgrade's progress as a line: a bar for a terminal, plain text for a log. What is shown never
 * goes back within a phase, and 100 % is shown only when every byte is there.
 *
 * Threads  values and pure functions; time is passed in.
 * Units    bytes; milliseconds of any clock that does not go back.
 */
enum {
    PROGRESS_WIDTH_MAX = 240, /* columns of the bar's line */
    PROGRESS_LINE_MAX = PROGRESS_WIDTH_MAX + 1,
};

struct progress {
    bool begun;
    uint16_t phase;
    uint64_t done;
    uint64_t total;
    double rate;   /* bytes a second, smoothed; 0: not known yet */
    int64_t at_ms; /* of the last sample that the rate is made of */
    uint64_t at_done;
    bool told; /* progress_due has said yes in this phase */
    unsigned told_tenth;
};

void progress_feed(struct progress *progress, const struct upgrade_status *status, int64_t now_ms);

/* Phase, percent, bar, bytes, rate and time left, as much as fits, filled up to `columns` so that
 * it covers what was there before. ASCII. */
void progress_bar(const struct progress *progress, unsigned columns, char out[PROGRESS_LINE_MAX]);

/* The same without a bar, for a log. */
void progress_text(const struct progress *progress, char out[PROGRESS_LINE_MAX]);

/* True when a log should be told: a new phase, or a tenth more of the bytes. Says so once. */
bool progress_due(struct progress *progress);

struct screen {
    bool terminal; /* stderr is one */
    bool verbose;
    bool quiet;
    bool bar;       /* progress as a bar */
    bool lines;     /* progress as lines */
    unsigned drawn; /* columns of the bar that is on the terminal's last line */
    int64_t start_ms;
    struct progress progress;
};

void screen_init(struct screen *screen, const struct options *options, int64_t start_ms);

/* True when progress is shown at all. */
bool screen_wants_progress(const struct screen *screen);

void screen_progress(struct screen *screen, const struct upgrade_status *status);

/* A step, for --verbose, with the time since the start. */
void screen_trace(struct screen *screen, const char *line);

/* Something that is worth knowing beside the answer; not with --quiet. */
void screen_remark(struct screen *screen, const char *line);

/* A note for a person who waits: only on a terminal, and not with --quiet. */
void screen_note(struct screen *screen, const char *line);

/* Leaves the bar where it is and goes on below it. */
void screen_end(struct screen *screen);

#endif
