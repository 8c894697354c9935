/* SPDX-License-Identifier: Apache-2.0 */
/* The last lines of a program's output, for the error that says why it failed.
 *
 * Threads  a value of its caller.
 */
#ifndef HOST_TAIL_H
#define HOST_TAIL_H

#include <stddef.h>

#include "wire/message.h"

enum {
    TAIL_LINES = 5,
    TAIL_MAX = 1024, /* bytes of the joined text */
};

struct tail {
    char bytes[TAIL_LINES][TAIL_MAX];
    size_t length[TAIL_LINES];
    size_t count; /* lines seen in all */
};

void tail_init(struct tail *tail);
void tail_add(struct tail *tail, struct text line);

/* The last lines, escaped, joined with " | ", oldest first. What does not fit is left out from the
 * oldest on; the newest is there always, cut if it must be. */
void tail_join(const struct tail *tail, char out[TAIL_MAX + 1]);

#endif
