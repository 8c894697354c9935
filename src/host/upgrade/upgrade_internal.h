/* SPDX-License-Identifier: Apache-2.0 */
/* The struct that the files upgrade*.c share, and what they use from each other.
 *
 * Lock     rank 3. It guards what is below it in struct upgrade, and every struct upgrade_pending.
 *          Only the job thread changes the state of the current upgrade (its urls aside), and reads
 *          that without the lock. Before upgrade_start the main thread acts as the job thread.
 *          No I/O under the lock: copy, unlock, then act.
 */
#ifndef HOST_UPGRADE_UPGRADE_INTERNAL_H
#define HOST_UPGRADE_UPGRADE_INTERNAL_H

#include "host/lock.h"
#include "host/upgrade/installer.h"
#include "host/upgrade/recover.h"
#include "host/upgrade/state.h"
#include "host/upgrade/status_line.h"

#include <stdatomic.h>

/* One upgrade, shared by all who asked for it. */
struct upgrade_pending {
    struct pending pending; /* first */
    struct upgrade *upgrade;
    struct upgrade_pending *next; /* in the queue */
    unsigned references;          /* of guests, and one while it is current or in the queue */
    bool recorded;                /* its file in the queue is written: it may be started */
    uint64_t revision;
    struct state state;
};

struct upgrade {
    struct installer installer;        /* its conf is the current upgrade's */
    _Atomic(const struct conf *) next; /* of requests, and of the next upgrade */
    struct pending_wakeup wakeup;
    int directory_fd;
    int64_t reboot_grace_ms; /* after the time of a reboot, until it counts as not coming */
    char boot_id[BOOT_ID_SIZE];
    pthread_t thread;
    bool running; /* the thread */

    /* Of the job thread. */
    enum recover_action first; /* for the upgrade found at the start */
    struct progress progress;
    int64_t logged_ms;    /* when progress was logged last */
    size_t recorded_urls; /* how many urls of the current upgrade the state file has */

    struct lock lock;
    pthread_cond_t changed; /* the queue or `stopping` changed */
    bool stopping;
    struct upgrade_pending *current; /* the one that runs, or the last; NULL: none yet */
    struct upgrade_pending *queue;   /* oldest first */
    uint64_t requests;               /* number of the last request, over all runs */
    unsigned watchers;               /* references of guests */
    uint64_t revision;
};

/* --- upgrade_phase.c: the only place where a phase changes --- */

/* One reference, the caller's. NULL: out of memory. */
struct upgrade_pending *upgrade_pending_new(struct upgrade *upgrade, const struct state *state);
/* Gives back a reference that is not a guest's. */
void upgrade_pending_drop(struct upgrade_pending *pending);

/* Checks the transition and sets it in memory, for an upgrade that is not the current one. */
void upgrade_set_phase_locked(struct upgrade *upgrade, struct upgrade_pending *pending,
                              enum phase to) REQUIRES_LOCK(upgrade->lock);

/* A copy of the current upgrade's state. */
void upgrade_copy(struct upgrade *upgrade, struct state *ret);

/* Writes `next`, with the byte counts of `progress`, to the state file, makes it the current
 * upgrade's state, and reports it: to guests, systemd and the journal. A phase that needs its record
 * is not entered when the writing fails; any other is, and the error is logged. The urls are left
 * alone. 0 or -errno of the writing. */
int upgrade_publish(struct upgrade *upgrade, struct state *next);
/* The current upgrade fails. `outcome_unknown`: how the installation ended is not known. */
void upgrade_publish_failure(struct upgrade *upgrade, enum error_code code, const char *text,
                             bool outcome_unknown);
void upgrade_publish_progress(struct upgrade *upgrade, uint64_t done, uint64_t total);
/* One line for the guests, and one for the journal. */
void upgrade_publish_retry(struct upgrade *upgrade, const char *public_text,
                           const char *journal_text);
/* Sets STATUS= of systemd. */
void upgrade_notify_status(const struct state *state, const struct progress *progress);
void upgrade_log_phase(const struct state *state, const struct progress *progress);
/* Removes a file of the queue; logs a failure. */
void upgrade_forget_queued(struct upgrade *upgrade, const uint8_t sha256[SHA256_SIZE]);

/* --- upgrade_queue.c --- */

bool upgrade_is_active(const struct upgrade_pending *pending);

/* Gives `fresh`, or the upgrade to the same image that is there already, to a guest. */
MUST_CHECK enum error_code upgrade_queue_add(struct upgrade *upgrade, struct upgrade_pending *fresh,
                                             struct pending **ret, char why[PENDING_TEXT_MAX]);
/* Waits for an upgrade and makes the oldest the current one. False: the daemon stops. */
bool upgrade_queue_take(struct upgrade *upgrade);
/* Ends all that wait: another image was booted, or is about to be. */
void upgrade_queue_end(struct upgrade *upgrade);
/* Reads the queue that an earlier run left. 0 or -errno, with a problem. */
MUST_CHECK int upgrade_queue_restore(struct upgrade *upgrade, char problem[CONF_PROBLEM_MAX]);

/* Renames a damaged file of [upgrade] directory, and logs what is lost with it. */
void upgrade_set_aside(const struct upgrade *upgrade, const char *name, const char *aside,
                       const char *lost);

/* --- upgrade_restore.c --- */

/* Reads the state file and decides what follows from it. 0 or -errno, with a problem. */
MUST_CHECK int upgrade_restore(struct upgrade *upgrade, char problem[CONF_PROBLEM_MAX]);

/* Publishes the phase that a decision means; returns what is left to do. */
enum recover_action upgrade_apply(struct upgrade *upgrade, const struct recover_decision *decision);

/* --- upgrade_thread.c --- */

void *upgrade_thread_run(void *context);

#endif
