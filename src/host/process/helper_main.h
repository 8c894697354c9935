/* SPDX-License-Identifier: Apache-2.0 */
/* The start of a helper program: standard descriptors, --config, --help, --version, the log. */
#ifndef HOST_PROCESS_HELPER_MAIN_H
#define HOST_PROCESS_HELPER_MAIN_H

#include "wire/attributes.h"

#include <stdbool.h>

enum { HELPER_MAIN_PROBLEM_MAX = 512, HELPER_MAIN_USAGE = 2 /* exit status of a usage error */ };

struct helper_main {
    const char *name;
    const char *help;
    /* Reads the words behind the options: 0, or the value of helper_main_refuse. */
    int (*parse_words)(void *context, char *const words[], int count,
                       char problem[HELPER_MAIN_PROBLEM_MAX]);
    void *context;
};

/* The first call of main. True: the program runs, with this configuration file. False: it exits with
 * this status; --help or --version was answered, or one line on stderr says what was wrong. */
MUST_CHECK bool helper_main_begin(const struct helper_main *program, int argc, char *argv[],
                                  const char **config_path, int *status);

/* Sets `problem`, escaped, and returns -EINVAL. */
MUST_CHECK int helper_main_refuse(char problem[HELPER_MAIN_PROBLEM_MAX], const char *format, ...)
    PRINTF_LIKE(2, 3);

#endif
