/* SPDX-License-Identifier: Apache-2.0 */
/* The installer and the reboot.
 *
 * Errors   0, or -1 with the reason in `failure`.
 */
#ifndef HOST_INSTALL_RUN_H
#define HOST_INSTALL_RUN_H

#include "host/conf/conf.h"
#include "host/install/failure.h"

enum { INSTALL_REBOOT_MS = 60000 };

/* Requests the reboot: by [reboot] command, which runs at once and has `limit_ms`, or through logind,
 * which reboots after [reboot] delay_seconds. `reboot_at`: Unix seconds, when it is due. */
MUST_CHECK int install_reboot(const struct conf *conf, int64_t limit_ms, uint64_t *reboot_at,
                              struct install_failure *failure);

struct install_outcome {
    bool left;       /* `stop_fd` became readable: the installer still runs */
    int exit_status; /* as in struct install_record: -1 while it has not ended */
};

/* Runs the installer on the image at `path`. It inherits the lock as descriptor 3, and holds the read
 * end of its output: it goes on when this program is killed. It has no time limit then, and blocks
 * once it has written another MiB. `sha256` is for the log; `ret` is set on an error too. */
MUST_CHECK int install_run(const struct conf *conf, const uint8_t sha256[SHA256_SIZE], char *path,
                           int lock_fd, int stop_fd, struct install_outcome *ret,
                           struct install_failure *failure);

#endif
