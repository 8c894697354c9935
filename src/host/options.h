/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of vsock_host. The struct points into argv. Errors: -EINVAL with one line in
 * `problem`. */
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
    OPTIONS_HELP, /* this and the next need no configuration */
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

#endif
