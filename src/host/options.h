/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of vsock_host.
 *
 * Threads  main thread, once; nothing is allocated, and the struct points into argv.
 * Errors   0, or -EINVAL with one line in `problem`: what was given, what was expected and the
 *          nearest name. The caller prints it and exits with status 2.
 */
#ifndef HOST_OPTIONS_H
#define HOST_OPTIONS_H

#include "host/log.h"
#include "wire/attributes.h"

#include <stdio.h>

enum { OPTIONS_LISTEN_MAX = 16, OPTIONS_PROBLEM_MAX = 512 };

enum options_action {
    OPTIONS_RUN,
    OPTIONS_CHECK_CONFIG,
    OPTIONS_DUMP_CONFIG,
    OPTIONS_STATUS,
    OPTIONS_HELP,
    OPTIONS_VERSION,
};

struct options {
    enum options_action action;
    const char *config_path;
    char *listen[OPTIONS_LISTEN_MAX + 1]; /* NULL after the last; none: the configuration's */
    const char *hsm_results;
    enum log_target log;
    bool verbose;
};

MUST_CHECK int options_parse(int argc, char *argv[], struct options *ret,
                             char problem[OPTIONS_PROBLEM_MAX]);

void options_print_help(FILE *out);
void options_print_version(FILE *out);

#endif
