/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of vsock_host-install.
 *
 * Threads  one; the struct points into argv.
 * Errors   0, or -EINVAL with one line in `problem`; the caller prints it and exits with status 2.
 */
#ifndef HOST_INSTALL_MAIN_H
#define HOST_INSTALL_MAIN_H

#include "host/process/helper_main.h"
#include "wire/attributes.h"
#include "wire/message.h"

struct install_options {
    enum command_line_action action;
    const char *config_path;
    uint8_t sha256[SHA256_SIZE];
};

extern const char install_options_help[];

#endif
