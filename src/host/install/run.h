/* SPDX-License-Identifier: Apache-2.0 */
/* Running the installer on the image.
 *
 * The installer inherits the lock as descriptor 3, and holds the other end of its output: it lives
 * on when this program is killed. Nobody limits its time then, and it waits once it has written
 * another MiB.
 *
 * Threads  one.
 * Errors   0, or -1 with the reason in `failure`.
 */
#ifndef HOST_INSTALL_RUN_H
#define HOST_INSTALL_RUN_H

#include "host/conf/conf.h"
#include "host/install/failure.h"
#include "host/process/child.h"
#include "wire/message.h"

/* How a program ended, in words and as one number.
 *
 * Threads  pure functions.
 */
enum { INSTALL_ENDING_MAX = 96 };

/* Such as "exited with status 7" or "was ended by signal 9 (SIGKILL)". */
void install_exit_status_format(const struct child_result *result, char *out, size_t size);

/* As a shell has it: 0 to 255, 128+n for a signal. */
int install_exit_status(const struct child_result *result);

/* Asking for the reboot: by [reboot] command, which is run at once and has 60 s, or through logind,
 * which reboots after [reboot] delay_seconds.
 *
 * Threads  one.
 * Errors   0, or -1 with ERROR_REBOOT_FAILED and the reason in `failure`.
 */
enum { INSTALL_REBOOT_MS = 60000 };

/* `reboot_at`: Unix seconds, when the reboot is due. The command has `limit_ms`. */
MUST_CHECK int install_reboot(const struct conf *conf, int64_t limit_ms, uint64_t *reboot_at,
                              struct install_failure *failure);

struct install_outcome {
    bool left;       /* `stop_fd` became readable: the installer still runs */
    int exit_status; /* as in struct record: -1 while it has not ended */
};

/* `path` leads to the image, whose hash goes with the installer's lines. `ret` is set whatever is
 * returned. */
MUST_CHECK int install_run(const struct conf *conf, const uint8_t sha256[SHA256_SIZE], char *path,
                           int lock_fd, int stop_fd, struct install_outcome *ret,
                           struct install_failure *failure);

#endif
