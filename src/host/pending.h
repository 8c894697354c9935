/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest's connection waits for: work that goes on elsewhere and ends in an answer. An upgrade
 * and a step program are such work; whoever waits sees no difference.
 *
 * Threads  look, unref: any thread.
 * Lock     the owner's own; none is held on return.
 * Owner    a ticket is one reference; ticket_unref gives it back.
 */
#ifndef HOST_PENDING_H
#define HOST_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/message.h"

enum { TICKET_TEXT_MAX = 1536 };

/* A copy of where the work stands. */
struct ticket_view {
    bool ended; /* the answer is known: NoPayload if code is 0, else an error */
    enum error_code code;
    uint64_t
        revision; /* grows with every change, so that a watcher knows if it has seen this one */
    bool has_progress; /* then `status` is what PROGRESS tells; status.detail points into `text` */
    struct upgrade_status status;
    char text[TICKET_TEXT_MAX]; /* one line, escaped; the error's text when it ended in one */
};

struct ticket;

/* Which kind of work it is. */
struct ticket_kind {
    void (*look)(const struct ticket *ticket, struct ticket_view *ret);
    void (*unref)(struct ticket *ticket);
    /* When the daemon stops: true if the work goes on at the next start, so that its end cannot be
     * told now; false if it ends before the daemon does. */
    bool outlives;
};

/* The first member of every ticket; constant once it is given out. */
struct ticket {
    const struct ticket_kind *kind;
    enum command command; /* that asked for it */
};

static inline void ticket_look(const struct ticket *ticket, struct ticket_view *ret)
{
    ticket->kind->look(ticket, ret);
}

static inline struct ticket *ticket_unref(struct ticket *ticket)
{
    if (ticket != NULL) {
        ticket->kind->unref(ticket);
    }
    return NULL;
}

/* `rang` is called after every change, with no lock held: it must only ring. */
struct ticket_bell {
    void (*rang)(void *context);
    void *context;
};

#endif
