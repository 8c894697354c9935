/* SPDX-License-Identifier: Apache-2.0 */
/* One command from the search for the host to the answer, or to what came in its place.
 *
 * Threads  one thread.
 * Owner    the outcome's texts are in the asking; they live until ask_done.
 */
#ifndef GUEST_ASK_H
#define GUEST_ASK_H

#include "compat/client.h"
#include "guest/screen.h"

struct asking {
    const struct options *options;
    struct screen *screen;
    int stop_fd;
    int64_t deadline_ms;
    int64_t trying_since_ms; /* 0: every try so far was the first */
    bool noted;
    struct client client;
    struct client_outcome outcome;
};

void ask_run(struct asking *asking, const struct options *options, struct screen *screen,
             int stop_fd, int64_t deadline_ms);
void ask_done(struct asking *asking);

#endif
