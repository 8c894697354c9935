/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that goes to stderr while a run is under way: a progress bar that stays on its line,
 * and the lines that come between.
 *
 * Threads  one thread.
 */
#ifndef GUEST_SCREEN_H
#define GUEST_SCREEN_H

#include "guest/options.h"
#include "guest/progress.h"

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
