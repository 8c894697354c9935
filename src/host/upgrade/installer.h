/* SPDX-License-Identifier: Apache-2.0 */
/* Running vsock_host-install, waiting for its end, and reading the facts that decide the outcome.
 *
 * Threads  each call blocks the job thread.
 * Errors   0 or -errno; what cannot be read counts as not there. Logs nothing.
 */
#ifndef HOST_UPGRADE_INSTALLER_H
#define HOST_UPGRADE_INSTALLER_H

#include "host/conf/conf.h"
#include "host/process/helper.h"
#include "host/upgrade/recover.h"
#include "wire/attributes.h"

#include <stdbool.h>

struct installer {
    const struct conf *conf;
    char *config_path;
    int stop_fd;     /* readable: the daemon stops */
    int64_t poll_ms; /* between two tests of the lock */
};

/* A descriptor that vsock_host-install inherits, without using it: as long as it runs there is a
 * shared lock on the [upgrade] directory. Before vsock_host-install has its own lock
 * (host/install_record.h) a restarted daemon finds neither lock nor record, and without this mark
 * would take the installation for one that was not started. It is an open-file-description lock
 * (fcntl(2), F_OFD_SETLK) on a directory, which leaves no file behind. A unit inherits nothing:
 * systemd is asked about it (unit_is_pending). The caller closes the descriptor. */
MUST_CHECK int start_mark_new(const char *directory, int *ret);

/* Runs vsock_host-install until it ends, or the daemon stops (HELPER_LEFT: it keeps running). The
 * outcome is in the record alone: a start that was refused may have happened all the same, and exit
 * status 0 may mean that nothing was done. */
void installer_run(const struct installer *installer, const uint8_t sha256[SHA256_SIZE],
                   helper_line_function *on_line, void *context, struct helper_result *ret);

/* Waits until this installation has ended (recover_who_lives). 0, -ECANCELED (the daemon stops),
 * -EBUSY (another one has the lock, and this one was not started), or -ETIMEDOUT after the time limit
 * of an installer. */
MUST_CHECK int installer_wait(const struct installer *installer, const struct state *state);

/* After its end: removes the image that it left, where that is permitted. */
void installer_sweep(const struct installer *installer, const uint8_t sha256[SHA256_SIZE]);

/* Boot id, version file, lock and record as they are now; `starting` is the caller's. `sha256`: the
 * image that systemd may be about to install, which takes up to UNIT_PENDING_LIMIT_MS to ask; NULL:
 * none, or its end was waited for. */
MUST_CHECK int installer_facts(const struct installer *installer, const uint8_t *sha256,
                               struct recover_facts *ret);

#endif
