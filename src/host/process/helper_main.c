/* SPDX-License-Identifier: Apache-2.0 */
#include "host/process/helper_main.h"

#include "host/conf/conf.h"
#include "host/log.h"
#include "wire/text.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

/* Opens those of 0, 1 and 2 that were closed: else the next file opened would become one of them. */
static void open_standard_descriptors(void)
{
    int fd = 0;
    while (fd >= 0 && fd <= STDERR_FILENO) {
        fd = open("/dev/null", O_RDWR); // NOLINT(android-cloexec-open): these three are inherited
    }
    if (fd >= 0) {
        (void)close(fd); /* all three were open */
    }
}

int helper_main_refuse(char problem[HELPER_MAIN_PROBLEM_MAX], const char *format, ...)
{
    char text[HELPER_MAIN_PROBLEM_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments); /* cut, if it must be */
    va_end(arguments);
    (void)escape_text(text_of(text), ESCAPE_LINE, problem, HELPER_MAIN_PROBLEM_MAX);
    return -EINVAL;
}

enum action { ACTION_RUN, ACTION_HELP, ACTION_VERSION };

static int parse_options(const struct helper_main *program, int argc, char *argv[],
                         const char **config_path, enum action *ret,
                         char problem[HELPER_MAIN_PROBLEM_MAX])
{
    enum { OPTION_CONFIG = 256 }; /* a long option without a letter: above every character */
    static const struct option options[] = {
        {"config", required_argument, NULL, OPTION_CONFIG},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    opterr = 0;
    for (;;) {
        const char *given = argv[optind];
        switch (getopt_long(argc, argv, "+:hV", options, NULL)) {
        case -1:
            return *ret == ACTION_RUN ? program->parse_words(program->context, argv + optind,
                                                             argc - optind, problem)
                                      : 0;
        case OPTION_CONFIG:
            *config_path = optarg;
            break;
        case 'h':
            *ret = ACTION_HELP;
            break;
        case 'V':
            *ret = ACTION_VERSION;
            break;
        case ':':
            return helper_main_refuse(problem, "option %s needs a value; see %s --help", given,
                                      program->name);
        default:
            return helper_main_refuse(
                problem, "unknown option %s; expected --config FILE, --help or --version", given);
        }
    }
}

bool helper_main_begin(const struct helper_main *program, int argc, char *argv[],
                       const char **config_path, int *status)
{
    enum action action = ACTION_RUN;
    char problem[HELPER_MAIN_PROBLEM_MAX];
    open_standard_descriptors();
    *config_path = CONF_DEFAULT_PATH;
    if (parse_options(program, argc, argv, config_path, &action, problem) != 0) {
        fprintf(stderr, "%s: %s\n", program->name, problem);
        *status = HELPER_MAIN_USAGE;
        return false;
    }
    if (action == ACTION_RUN) {
        log_init(program->name, LOG_AUTO, false);
        return true;
    }
    if (action == ACTION_HELP) {
        (void)fputs(program->help, stdout); /* fflush reports a failure */
    } else {
        printf("%s " VSOCK_VERSION "\n", program->name);
    }
    *status = fflush(stdout) == 0 ? 0 : 1;
    return false;
}
