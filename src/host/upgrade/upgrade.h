/* SPDX-License-Identifier: Apache-2.0 */
/* The upgrades: the job thread downloads, verifies and installs one image at a time, behind a short
 * queue. Callers submit, read and are notified; they never block on it.
 *
 * Threads  submit, read_status, show: any thread.  new, start, configure, stop, free: main thread.
 * Lock     one, rank 3 (ranks: main.c). No I/O under it; views are copies.
 * Errors   0 or -errno; refusals are values for the guest.
 */
#ifndef HOST_UPGRADE_UPGRADE_H
#define HOST_UPGRADE_UPGRADE_H

#include "host/conf/conf.h"
#include "host/pending.h"
#include "wire/message.h"

struct upgrade; /* thread, queue, current upgrade */

/* Opens the directories and reads what an earlier run left; starts no thread. */
MUST_CHECK int upgrade_new(const struct conf *conf, const char *config_path,
                           struct pending_wakeup wakeup, struct upgrade **ret,
                           char problem[CONF_PROBLEM_MAX]);
MUST_CHECK int upgrade_start(struct upgrade *upgrade);
/* For the next request and the next upgrade; the current upgrade keeps its configuration. */
void upgrade_configure(struct upgrade *upgrade, const struct conf *conf);
/* Leaves a download resumable and an installer running; joins the thread. */
void upgrade_stop(struct upgrade *upgrade);
struct upgrade *upgrade_free(struct upgrade *upgrade);

/* Starts an upgrade, joins the running one of the same hash (its url becomes a mirror), queues it, or
 * refuses. Returns ERROR_NONE and a reference, or the code with one line in `why`. */
MUST_CHECK enum error_code upgrade_submit(struct upgrade *upgrade, const struct request *request,
                                          struct pending **ret, char why[PENDING_TEXT_MAX]);

/* Sets systemd's STATUS= to the upgrade that runs, if one does. */
void upgrade_show(struct upgrade *upgrade);

/* The answer to get-upgrade-status: the current upgrade, or the last. */
void upgrade_read_status(struct upgrade *upgrade, struct pending_view *ret);

/* For --status: the same, read from the files, with or without a daemon. */
MUST_CHECK int upgrade_status_read(const struct conf *conf, struct pending_view *ret);

#endif
