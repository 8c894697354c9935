/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of vsock_host-install.
 *
 * Threads  one; the struct points into argv.
 * Errors   0, or -EINVAL with one line in `problem`; the caller prints it and exits with status 2.
 */
#ifndef HOST_INSTALL_OPTIONS_H
#define HOST_INSTALL_OPTIONS_H

#include <stdint.h>
#include <stdio.h>

#include "wire/attributes.h"
#include "wire/message.h"

enum { INSTALL_PROBLEM_MAX = 512 };

enum install_action { INSTALL_RUN, INSTALL_HELP, INSTALL_VERSION };

struct install_options {
    enum install_action action;
    const char *config_path;
    uint8_t sha256[SHA256_SIZE];
};

MUST_CHECK int install_options_parse(int argc, char *argv[], struct install_options *ret,
                                     char problem[INSTALL_PROBLEM_MAX]);
void install_options_print_help(FILE *out);

#endif
