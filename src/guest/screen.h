/* SPDX-License-Identifier: Apache-2.0 */
/* What goes to stderr during a run: a progress bar on one line, and other lines. One thread. */
#ifndef GUEST_SCREEN_H
#define GUEST_SCREEN_H

#include "guest/options.h"
#include "wire/message.h"

/* An upgrade's progress. What is shown never decreases within a phase. */
enum {
    PROGRESS_WIDTH_MAX = 240, /* columns of the bar's line */
    PROGRESS_LINE_MAX = PROGRESS_WIDTH_MAX + 1,
};

struct progress {
    bool begun;
    uint16_t phase;
    uint64_t done;
    uint64_t total;
    double rate;   /* bytes a second, smoothed; 0: unknown */
    int64_t at_ms; /* of the last sample of the rate */
    uint64_t at_done;
    bool reported; /* progress_due returned true in this phase */
    unsigned last_tenth;
};

void progress_feed(struct progress *progress, const struct upgrade_status *status, int64_t now_ms);

/* Phase, percent, bar, bytes, rate and time left, as much as fits, padded to `columns`. */
void progress_bar(const struct progress *progress, unsigned columns, char out[PROGRESS_LINE_MAX]);

void progress_text(const struct progress *progress, char out[PROGRESS_LINE_MAX]);

/* True once for each phase and each tenth of the bytes. */
bool progress_due(struct progress *progress);

struct screen {
    bool terminal; /* stderr is one */
    bool verbose;
    bool quiet;
    bool bar;       /* progress as a bar */
    bool lines;     /* progress as lines */
    unsigned drawn; /* columns of the bar on the terminal's last line */
    int64_t start_ms;
    struct progress progress;
};

void screen_init(struct screen *screen, const struct options *options, int64_t start_ms);
bool screen_wants_progress(const struct screen *screen);
void screen_progress(struct screen *screen, const struct upgrade_status *status);

/* For --verbose, with the time since the start. */
void screen_trace(struct screen *screen, const char *line);

/* A note beside the answer; not with --quiet. */
void screen_remark(struct screen *screen, const char *line);

/* Why the program waits: only on a terminal, and not with --quiet. */
void screen_note(struct screen *screen, const char *line);

/* Ends the line of the bar. */
void screen_end(struct screen *screen);

#endif
