/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_host-install as the job sees it: running it, waiting until none lives, and the facts that
 * decide what it did.
 *
 * Threads  each call blocks the job thread, for as long as it says.
 * Errors   0 or -errno; what could not be found out counts as not there. Logs nothing.
 */
#ifndef HOST_UPGRADE_INSTALLER_H
#define HOST_UPGRADE_INSTALLER_H

#include "host/conf/conf.h"
#include "host/process/helper.h"
#include "host/upgrade/recover.h"
#include "wire/attributes.h"

#include <stdbool.h>

/* The mark that vsock_host-install was started, for as long as it lives: a shared lock on the
 * [upgrade] directory, held by a descriptor that it inherits and does not know of.
 *
 * Between its start and its own lock (host/file/install_state.h) a daemon that is started anew finds
 * neither lock nor record, and would take an installation that is only late for one that was never
 * begun. The lock is an open-file-description lock (fcntl(2), F_OFD_SETLK) on a directory, so that it
 * leaves nothing behind. A unit inherits nothing and has no mark: systemd is asked about it
 * (host/systemd/unit_is_pending.h).
 *
 * Threads  any.
 * Errors   0 or -errno. start_mark_is_held: what cannot be found out counts as not there.
 * Owner    the caller closes the descriptor; the mark stays while the program has it.
 */
/* A descriptor to be inherited, with the mark. */
MUST_CHECK int start_mark_new(const char *directory, int *ret);

struct installer {
    const struct conf *conf;
    char *config_path;
    int stop_fd;     /* readable: the daemon stops */
    int64_t poll_ms; /* between two looks at the lock */
};

/* Runs it until it ends, or the daemon stops (PROGRAM_LEFT: it goes on). What came of it is in the
 * record, and there alone: one that was refused may have been begun all the same, and one that ended
 * well may have done nothing. */
void installer_run(const struct installer *installer, const uint8_t sha256[SHA256_SIZE],
                   child_line_function *on_line, void *context, struct helper_result *ret);

/* Waits until this installation is over (recover_who_lives). 0, -ECANCELED (the daemon stops), -EBUSY
 * (another one has the lock, and this one was not begun), or -ETIMEDOUT after as long as an installer
 * may take by the configuration. */
MUST_CHECK int installer_wait(const struct installer *installer, const struct state *state);

/* Once it is over: removes the image, where it was left and may be removed. */
void installer_sweep(const struct installer *installer, const uint8_t sha256[SHA256_SIZE]);

/* Boot id, version file, lock and record as they are now. `starting` is the caller's. `sha256`: the
 * image that systemd may be about to install, which takes UNIT_PENDING_LIMIT_MS to find out at most;
 * NULL: none, or it was waited for. */
MUST_CHECK int installer_facts(const struct installer *installer, const uint8_t *sha256,
                               struct recover_facts *ret);

#endif
