/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the upgrade job, shared by job*.c and by nothing else.
 *
 * Threads  what is below the lock in struct job, and every ticket, is read and written with the
 *          lock held; except that the job thread, the only one that changes the state of the
 *          present ticket (its urls aside), reads that without. Before upgrade_start the main thread
 *          stands for the job thread.
 * Lock     rank 3. No I/O under it: copy, give it back, then act.
 */
#ifndef HOST_UPGRADE_UPGRADE_INTERNAL_H
#define HOST_UPGRADE_UPGRADE_INTERNAL_H

#include "host/lock.h"
#include "host/upgrade/installer.h"
#include "host/upgrade/recover.h"
#include "host/upgrade/state.h"
#include "host/upgrade/status_line.h"
#include "host/upgrade/upgrade.h"

#include <stdatomic.h>

enum {
    UPGRADE_REBOOT_GRACE_MS = 600 * 1000, /* after its time, until a reboot counts as not coming */
    UPGRADE_POLL_MS = 500,                /* between two looks at an installer's lock */
};

/* One asked-for upgrade, shared by all who asked for it. */
struct upgrade_pending {
    struct pending pending; /* first */
    struct upgrade *upgrade;
    struct upgrade_pending *next; /* in the queue */
    unsigned references; /* tickets given out, and one while it is present or in the queue */
    bool recorded;       /* its file in the queue is written: it may be begun */
    uint64_t revision;
    struct state state;
};

struct upgrade {
    const struct conf *conf;           /* of the present upgrade: the job thread's */
    _Atomic(const struct conf *) next; /* of requests, and of the next upgrade */
    char *config_path;
    struct pending_wakeup wakeup;
    int directory_fd;
    int stop_fd; /* an eventfd: readable once the daemon stops */
    int64_t reboot_grace_ms;
    int64_t poll_ms;
    char boot_id[BOOT_ID_SIZE];
    pthread_t thread;
    bool running; /* the thread */

    /* The job thread's alone. */
    enum recover_action first; /* what the upgrade found at the start needs */
    struct progress progress;
    int64_t logged_ms;    /* when progress was logged last */
    size_t recorded_urls; /* how many the state file has of the present upgrade */

    struct lock lock;
    pthread_cond_t changed; /* the queue or `stopping` changed */
    bool stopping;
    struct upgrade_pending *current; /* the one that runs, or the last; NULL: none yet */
    struct upgrade_pending *queue;   /* oldest first */
    uint64_t requests;               /* requests that were numbered, over all runs */
    unsigned watchers;               /* tickets given out */
    uint64_t revision;
};

/* --- job.c --- */

/* NULL without memory. One reference, the caller's. */
struct upgrade_pending *upgrade_pending_new(struct upgrade *upgrade, const struct state *state);
/* Gives a reference of the machinery back. */
void upgrade_pending_drop(struct upgrade_pending *pending);
void upgrade_view_state(const struct state *state, struct upgrade_view *ret);
void upgrade_view_nothing(struct upgrade_view *ret);
/* For the present upgrade. */
struct installer upgrade_installer(const struct upgrade *upgrade);

/* --- upgrade_publish.c: the only place where a phase changes --- */

/* Checks the transition and sets it in memory; for upgrades that are not the present one. */
void upgrade_set_phase_locked(struct upgrade *upgrade, struct upgrade_pending *pending,
                              enum phase to) REQUIRES_LOCK(upgrade->lock);

/* A copy of the present upgrade's state. */
void upgrade_copy(struct upgrade *upgrade, struct state *ret);

/* Records the state, with the byte counts of `progress`, as the present upgrade's, then tells
 * watchers, systemd and the journal. A phase that needs its record is not entered when that fails;
 * any other is, and the failure logged. The urls are left alone. 0 or -errno, of the recording. */
int upgrade_publish(struct upgrade *upgrade, struct state *next);
/* The present upgrade ends. */
void upgrade_publish_failure(struct upgrade *upgrade, enum error_code code, const char *text);
/* The same, when how the installation ended was not seen. */
void upgrade_publish_unknown(struct upgrade *upgrade, enum error_code code, const char *text);
void upgrade_publish_progress(struct upgrade *upgrade, uint64_t done, uint64_t total);
/* One line that the guest may see, and one for the journal. */
void upgrade_publish_retry(struct upgrade *upgrade, const char *public_text,
                           const char *journal_text);
void upgrade_log_phase(const struct state *state, const struct progress *progress);

/* --- job_queue.c --- */

/* The oldest upgrade that waits becomes the present one. False: the daemon stops. */
bool upgrade_queue_take(struct upgrade *upgrade);
/* Ends all that wait: another image is about to be booted, or was. */
void upgrade_queue_end(struct upgrade *upgrade);
void upgrade_queue_forget(struct upgrade *upgrade, const uint8_t sha256[SHA256_SIZE]);
/* Takes up what an earlier run left waiting. 0 or -errno, with a problem. */
MUST_CHECK int upgrade_queue_restore(struct upgrade *upgrade, char problem[CONF_PROBLEM_MAX]);

/* --- upgrade_restore.c --- */

/* Reads the state file and settles what can be settled at once. 0 or -errno, with a problem. */
MUST_CHECK int upgrade_restore(struct upgrade *upgrade, char problem[CONF_PROBLEM_MAX]);

/* Renames a damaged file of [upgrade] directory, and warns of what is lost with it. */
void upgrade_set_aside(const struct upgrade *upgrade, const char *name, const char *aside,
                       const char *lost);

/* Carries a decision out as far as it is only told; returns what is left to do. */
enum recover_action upgrade_apply(struct upgrade *upgrade, const struct recover_decision *decision);

/* --- upgrade_thread_run.c --- */

void *upgrade_thread_run(void *context);

#endif
