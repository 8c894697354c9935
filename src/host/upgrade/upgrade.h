/* SPDX-License-Identifier: Apache-2.0 */
/* The upgrade job: one thread that downloads, verifies and has installed, one image at a time, with
 * a short queue. Callers ask, look and are rung; they never wait for it.
 *
 * Threads  submit, view, unref, status: any thread.  new, start, stop, free: main thread.
 * Lock     one, rank 3 (ranks: main.c). No I/O under it; views are copies.
 * Units    bytes; Unix seconds.
 * Errors   0 or -errno; refusals are values that the guest is told.
 * Owner    a ticket is one reference to one asked-for upgrade; upgrade_unref gives it back.
 */
#ifndef HOST_UPGRADE_UPGRADE_H
#define HOST_UPGRADE_UPGRADE_H

#include "host/conf/conf.h"
#include "host/pending.h"
#include "wire/message.h"

#include <stdbool.h>

struct upgrade;         /* the machinery: thread, queue, present state */
struct upgrade_pending; /* somebody's interest in one upgrade */

enum { UPGRADE_TEXT_MAX = PENDING_TEXT_MAX };

/* A copy of where an upgrade stands. `status.detail` points into `detail` of the same view. */
struct upgrade_view {
    struct upgrade_status status;
    uint64_t
        revision; /* grows with every change, so that a watcher knows if it has seen this one */
    bool ended;   /* the answer is known: response NoPayload if code is 0, else an error */
    enum error_code code;
    char detail[UPGRADE_TEXT_MAX]; /* one line, escaped; the error's text when it ended in one */
};

/* Opens the directories and reads what an earlier run left behind; starts no thread. */
MUST_CHECK int upgrade_new(const struct conf *conf, const char *config_path,
                           struct pending_wakeup wakeup, struct upgrade **ret,
                           char problem[CONF_PROBLEM_MAX]);
MUST_CHECK int upgrade_start(struct upgrade *upgrade);
/* From the next request and the next upgrade on; one under way keeps what it began with. */
void upgrade_configure(struct upgrade *upgrade, const struct conf *conf);
/* Leaves a download resumable, an installer running; joins the thread. */
void upgrade_stop(struct upgrade *upgrade);
struct upgrade *upgrade_free(struct upgrade *upgrade);

/* Asks for an upgrade: starts it, joins the running one of the same hash (its url becomes a
 * mirror), queues it, or refuses. Returns ERROR_NONE and a ticket, or the code with one line in
 * `why`. */
MUST_CHECK enum error_code upgrade_submit(struct upgrade *upgrade, const struct request *request,
                                          struct upgrade_pending **ret, char why[UPGRADE_TEXT_MAX]);
void upgrade_view(const struct upgrade_pending *pending, struct upgrade_view *ret);
struct upgrade_pending *upgrade_unref(struct upgrade_pending *pending);
/* The same reference, for whoever waits for it as for any other work. */
struct pending *upgrade_watch(struct upgrade_pending *pending);

/* Tells systemd (STATUS=) of the upgrade that is under way, if one is. */
void upgrade_show(struct upgrade *upgrade);

/* What get-upgrade-status answers: the present job, or the last. */
void upgrade_read_status(struct upgrade *upgrade, struct upgrade_view *ret);

/* For --status: the same, read from the files without a running job. */
MUST_CHECK int upgrade_status_read(const struct conf *conf, struct upgrade_view *ret);

#endif
