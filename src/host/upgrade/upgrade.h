/* SPDX-License-Identifier: Apache-2.0 */
/* The upgrade job: one thread that downloads, verifies and has installed, one image at a time, with
 * a short queue. Callers ask, look and are rung; they never wait for it.
 *
 * Threads  submit, view, unref, status: any thread.  new, start, stop, free: main thread.
 * Lock     one, rank 3 (ranks: main.c). No I/O under it; views are copies.
 * Units    bytes; Unix seconds.
 * Errors   0 or -errno; refusals are values that the guest is told.
 * Owner    a ticket is one reference to one asked-for upgrade; job_unref gives it back.
 */
#ifndef HOST_UPGRADE_UPGRADE_H
#define HOST_UPGRADE_UPGRADE_H

#include <stdbool.h>

#include "host/conf/conf.h"
#include "host/pending.h"
#include "wire/message.h"

struct job;        /* the machinery: thread, queue, present state */
struct job_ticket; /* somebody's interest in one upgrade */

enum { JOB_TEXT_MAX = TICKET_TEXT_MAX };

/* A copy of where an upgrade stands. `status.detail` points into `detail` of the same view. */
struct job_view {
    struct upgrade_status status;
    uint64_t
        revision; /* grows with every change, so that a watcher knows if it has seen this one */
    bool ended;   /* the answer is known: response NoPayload if code is 0, else an error */
    enum error_code code;
    char detail[JOB_TEXT_MAX]; /* one line, escaped; the error's text when it ended in one */
};

/* Opens the directories and reads what an earlier run left behind; starts no thread. */
MUST_CHECK int job_new(const struct conf *conf, const char *config_path, struct ticket_bell bell,
                       struct job **ret, char problem[CONF_PROBLEM_MAX]);
MUST_CHECK int job_start(struct job *job);
/* From the next request and the next upgrade on; one under way keeps what it began with. */
void job_configure(struct job *job, const struct conf *conf);
/* Leaves a download resumable, an installer running; joins the thread. */
void job_stop(struct job *job);
struct job *job_free(struct job *job);

/* Asks for an upgrade: starts it, joins the running one of the same hash (its url becomes a
 * mirror), queues it, or refuses. Returns ERROR_NONE and a ticket, or the code with one line in
 * `why`. */
MUST_CHECK enum error_code job_submit(struct job *job, const struct request *request,
                                      struct job_ticket **ret, char why[JOB_TEXT_MAX]);
void job_view(const struct job_ticket *ticket, struct job_view *ret);
struct job_ticket *job_unref(struct job_ticket *ticket);
/* The same reference, for whoever waits for it as for any other work. */
struct ticket *job_watch(struct job_ticket *ticket);

/* Tells systemd (STATUS=) of the upgrade that is under way, if one is. */
void job_show(struct job *job);

/* What get-upgrade-status answers: the present job, or the last. */
void job_status(struct job *job, struct job_view *ret);

/* For --status: the same, read from the files without a running job. */
MUST_CHECK int job_status_read(const struct conf *conf, struct job_view *ret);

#endif
