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

/* The lock that keeps a second installation from starting while one lives: held by
 * vsock_host-install and inherited by its installer (host/file/install_state.h asks about it).
 *
 * Errors   0 or -errno; -EBUSY somebody holds it.
 * Owner    the caller closes the descriptor; the lock ends with its last copy.
 */
MUST_CHECK int install_lock_take(int directory_fd, int *ret);

struct install_options {
    enum command_line_action action;
    const char *config_path;
    uint8_t sha256[SHA256_SIZE];
};

extern const char install_options_help[];

MUST_CHECK int install_options_parse(int argc, char *argv[], struct install_options *ret,
                                     char problem[COMMAND_LINE_PROBLEM_MAX]);

#endif
