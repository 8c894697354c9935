/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the upgrade job, shared by job*.c and by nothing else.
 *
 * Threads  what is below the lock in struct job, and every ticket, is read and written with the
 *          lock held; except that the job thread, the only one that changes the state of the
 *          present ticket (its urls aside), reads that without. Before job_start the main thread
 *          stands for the job thread.
 * Lock     rank 3. No I/O under it: copy, give it back, then act.
 */
#ifndef HOST_UPGRADE_UPGRADE_INTERNAL_H
#define HOST_UPGRADE_UPGRADE_INTERNAL_H

#include <stdatomic.h>

#include "host/lock.h"
#include "host/upgrade/installer.h"
#include "host/upgrade/recover.h"
#include "host/upgrade/state.h"
#include "host/upgrade/status_line.h"
#include "host/upgrade/upgrade.h"

enum {
    JOB_REBOOT_GRACE_MS = 600 * 1000, /* after its time, until a reboot counts as not coming */
    JOB_POLL_MS = 500,                /* between two looks at an installer's lock */
};

/* One asked-for upgrade, shared by all who asked for it. */
struct job_ticket {
    struct ticket ticket; /* first */
    struct job *job;
    struct job_ticket *next; /* in the queue */
    unsigned references;     /* tickets given out, and one while it is present or in the queue */
    bool recorded;           /* its file in the queue is written: it may be begun */
    uint64_t revision;
    struct state state;
};

struct job {
    const struct conf *conf;           /* of the present upgrade: the job thread's */
    _Atomic(const struct conf *) next; /* of requests, and of the next upgrade */
    char *config_path;
    struct ticket_bell bell;
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
    pthread_cond_t news; /* the queue or `stopping` changed */
    bool stopping;
    struct job_ticket *present; /* the one that runs, or the last; NULL: none yet */
    struct job_ticket *queue;   /* oldest first */
    uint64_t requests;          /* requests that were numbered, over all runs */
    unsigned watchers;          /* tickets given out */
    uint64_t revision;
};

/* --- job.c --- */

/* NULL without memory. One reference, the caller's. */
struct job_ticket *job_ticket_new(struct job *job, const struct state *state);
/* Gives a reference of the machinery back. */
void job_ticket_drop(struct job_ticket *ticket);
void job_view_state(const struct state *state, struct job_view *ret);
void job_view_nothing(struct job_view *ret);
/* For the present upgrade. */
struct installer job_installer(const struct job *job);

/* --- job_tell.c: the only place where a phase changes --- */

/* Checks the transition and sets it in memory; for upgrades that are not the present one. */
void job_set_phase_locked(struct job *job, struct job_ticket *ticket, enum phase to)
    REQUIRES_LOCK(job->lock);

/* A copy of the present upgrade's state. */
void job_copy(struct job *job, struct state *ret);

/* Records the state, with the byte counts of `progress`, as the present upgrade's, then tells
 * watchers, systemd and the journal. A phase that needs its record is not entered when that fails;
 * any other is, and the failure logged. The urls are left alone. 0 or -errno, of the recording. */
int job_tell(struct job *job, struct state *next);
/* The present upgrade ends. */
void job_tell_failure(struct job *job, enum error_code code, const char *text);
/* The same, when how the installation ended was not seen. */
void job_tell_unseen(struct job *job, enum error_code code, const char *text);
void job_tell_progress(struct job *job, uint64_t done, uint64_t total);
/* One line that the guest may see, and one for the journal. */
void job_tell_retry(struct job *job, const char *public_text, const char *journal_text);
void job_log_phase(const struct state *state, const struct progress *progress);

/* --- job_queue.c --- */

/* The oldest upgrade that waits becomes the present one. False: the daemon stops. */
bool job_queue_take(struct job *job);
/* Ends all that wait: another image is about to be booted, or was. */
void job_queue_end(struct job *job);
void job_queue_forget(struct job *job, const uint8_t sha256[SHA256_SIZE]);
/* Takes up what an earlier run left waiting. 0 or -errno, with a problem. */
MUST_CHECK int job_queue_restore(struct job *job, char problem[CONF_PROBLEM_MAX]);

/* --- job_restore.c --- */

/* Reads the state file and settles what can be settled at once. 0 or -errno, with a problem. */
MUST_CHECK int job_restore(struct job *job, char problem[CONF_PROBLEM_MAX]);

/* Renames a damaged file of [upgrade] directory, and warns of what is lost with it. */
void job_set_aside(const struct job *job, const char *name, const char *aside, const char *lost);

/* Carries a decision out as far as it is only told; returns what is left to do. */
enum recover_action job_apply(struct job *job, const struct recover_decision *decision);

/* --- job_run.c --- */

void *job_run(void *context);

#endif
