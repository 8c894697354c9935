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
#include "host/steps/install_failure.h"
#include "wire/message.h"

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
