/* SPDX-License-Identifier: Apache-2.0 */
/* Asynchronous work whose end a guest's connection waits for: an upgrade, or an operation of a
 * helper. The kinds look the same to the connection.
 *
 * Threads  read, unref: any thread.
 * Lock     the owner's own; none is held on return.
 * Owner    a pointer given out is one reference; pending_unref gives it back.
 */
#ifndef HOST_PENDING_H
#define HOST_PENDING_H

#include "wire/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PENDING_TEXT_MAX = 1536 };

/* A copy of the state of the work. */
struct pending_view {
    bool ended; /* the answer is known: NoPayload if code is 0, else an error */
    enum error_code code;
    uint64_t revision; /* grows with every change */
    bool has_progress; /* `status` is what PROGRESS has; status.detail points into `text` */
    struct upgrade_status status;
    char text[PENDING_TEXT_MAX]; /* one line, escaped; the error's text when it ended in one */
};

struct pending;

/* Which kind of work it is. */
struct pending_kind {
    void (*look)(const struct pending *pending, struct pending_view *ret);
    void (*unref)(struct pending *pending);
    /* When the daemon stops: true if the work resumes at the next start, so that no answer can be
     * sent; false if it ends before the daemon does. */
    bool outlives;
};

/* The first member of each kind's struct; constant once it is given out. */
struct pending {
    const struct pending_kind *kind;
    enum command command; /* that asked for it */
};

static inline void pending_read(const struct pending *pending, struct pending_view *ret)
{
    pending->kind->look(pending, ret);
}

static inline struct pending *pending_unref(struct pending *pending)
{
    if (pending != NULL) {
        pending->kind->unref(pending);
    }
    return NULL;
}

/* `notify` is called after every change, with no lock held; it must not block. */
struct pending_wakeup {
    void (*notify)(void *context);
    void *context;
};

#endif
