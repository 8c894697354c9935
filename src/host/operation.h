/* SPDX-License-Identifier: Apache-2.0 */
/* attach-hsm, detach-hsm and start-upgrade-guest-vm: operations that run a program outside the daemon
 * and may hang. One thread runs them, one after the other, behind a short queue. Callers are notified;
 * they never block. An operation that was begun goes on when its guest disconnects.
 *
 * Threads  submit, and what it returns: any thread.  new, start, stop, free: main thread.
 * Lock     one, rank 6 (ranks: main.c). Operations run with no lock held.
 * Errors   0 or -errno; submit: the error that the guest gets. Each end is logged, once.
 * Owner    what submit returns is one reference, see pending.h.
 */
#ifndef HOST_OPERATION_H
#define HOST_OPERATION_H

#include "host/conf/conf.h"
#include "host/pending.h"
#include "wire/attributes.h"

/* Where the units of vsock_host-hsm leave their result line. */
#define OPERATION_RESULTS "/run/vsock_host-hsm"

struct operations;

/* `results` is OPERATION_RESULTS or another folder; it stays the caller's. */
MUST_CHECK int operation_new(const struct conf *conf, const char *config_path, const char *results,
                             struct pending_wakeup wakeup, struct operations **ret);
MUST_CHECK int operation_start(struct operations *operations);
/* From the next operation on. */
void operation_configure(struct operations *operations, const struct conf *conf);
/* Those in the queue end as `shutting_down`. The current one may take `limit_ms` more; then its
 * program is ended, or its unit left alone. Joins the thread: every operation has ended then. */
void operation_stop(struct operations *operations, int64_t limit_ms);
struct operations *operation_free(struct operations *operations);

/* ERROR_NONE and a reference, or the code with one line in `why`. */
MUST_CHECK enum error_code operation_submit(struct operations *operations, enum command command,
                                            uint32_t cid, struct pending **ret,
                                            char why[PENDING_TEXT_MAX]);

#endif
