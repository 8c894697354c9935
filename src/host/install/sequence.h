/* SPDX-License-Identifier: Apache-2.0 */
/* The stages of an installation, each recorded before the next begins:
 * started - (installer) - installed - (reboot) - rebooting, or failed. */
#ifndef HOST_INSTALL_SEQUENCE_H
#define HOST_INSTALL_SEQUENCE_H

#include "host/conf/conf.h"
#include "host/install/failure.h"

#include <stdint.h>

/* The exit status of vsock_host-install. */
enum install_status {
    INSTALL_DONE = 0,
    INSTALL_FAILED = 1,
    INSTALL_USAGE = 2,
    INSTALL_BUSY = 3,
    INSTALL_UNRECORDED = 4,
    INSTALL_LEFT = 5,
};

struct install_sequence {
    const struct conf *conf;
    const uint8_t *sha256;
    int directory_fd; /* [install] directory */
    int lock_fd;
    int stop_fd; /* readable: SIGTERM or SIGINT came */
};

/* With the lock held, SIGIO blocked and SIGPIPE ignored. */
MUST_CHECK enum install_status install_sequence_run(const struct install_sequence *sequence);

#endif
