/* SPDX-License-Identifier: Apache-2.0 */
/* The errands: attach-hsm, detach-hsm and start-upgrade-guest-vm. They take a program outside the
 * daemon and may hang, so one thread does them, one after the other, behind a short queue. Callers
 * ask and are rung; they never wait for it. An errand that was begun goes on when its guest is gone.
 *
 * Threads  submit and the tickets: any thread.  new, start, stop, free: main thread.
 * Lock     one, rank 6 (ranks: main.c). The work runs with no lock held.
 * Errors   0 or -errno; refusals are values that the guest is told. Each end is logged, once.
 * Owner    a ticket is one reference, see ticket.h.
 */
#ifndef HOST_OPERATION_H
#define HOST_OPERATION_H

#include "host/conf/conf.h"
#include "host/pending.h"
#include "wire/attributes.h"

/* What each errand does: the HSM by the step program vsock_host-hsm, the guest's upgrade by its unit.
 *
 * Threads  operation_run blocks its caller, the errand thread, within the limits below.
 * Errors   values that the guest is told.
 */
enum {
    /* vsock_host-hsm keeps [hsm] timeout_seconds by itself; this much later it is killed, or no
     * longer waited for. */
    OPERATION_HSM_MARGIN_MS = 10 * 1000,
    /* For a unit to stop and to start again: systemd's defaults for either are 90 s. */
    OPERATION_GUEST_UPGRADE_MS = 200 * 1000,
    /* A service of Type=simple counts as started before it has done anything: it is looked at once
     * more after this time. */
    OPERATION_SETTLE_MS = 1000,
};

/* Where the units of vsock_host-hsm leave their line. */
#define OPERATION_RESULTS "/run/vsock_host-hsm"

struct operation_order {
    const struct conf *conf;
    char *config_path;
    const char *results; /* OPERATION_RESULTS, or a test's folder */
    int stop_fd;         /* readable: the daemon does not wait any longer */
    enum command command;
    uint32_t cid; /* who asked */
};

struct operations;

enum { ERRANDS_QUEUE = 4 /* that wait behind the one under way; more are refused with `busy` */ };

MUST_CHECK int operation_new(const struct conf *conf, const char *config_path,
                             struct pending_wakeup wakeup, struct operations **ret);
MUST_CHECK int operation_start(struct operations *operations);
/* From the next errand on. */
void operation_configure(struct operations *operations, const struct conf *conf);
/* Those that wait end as `shutting_down`. The one under way may take `limit_ms` more; then its
 * program is ended, or its unit left alone. Joins the thread: every errand has ended afterwards. */
void operation_stop(struct operations *operations, int64_t limit_ms);
struct operations *operation_free(struct operations *operations);

/* ERROR_NONE and a ticket, or the code with one line in `why`. */
MUST_CHECK enum error_code operation_submit(struct operations *operations, enum command command,
                                            uint32_t cid, struct pending **ret,
                                            char why[PENDING_TEXT_MAX]);

#endif
