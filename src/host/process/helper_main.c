/* SPDX-License-Identifier: Apache-2.0 */
#include "host/process/helper_main.h"

#include "host/conf/conf.h"
#include "wire/text.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void descriptors_open_standard(void)
{
    int fd = 0;
    while (fd >= 0 && fd <= STDERR_FILENO) {
        fd = open("/dev/null", O_RDWR); // NOLINT(android-cloexec-open): these three are inherited
    }
    if (fd >= 0) {
        (void)close(fd); /* all three were open */
    }
}

enum { OPTION_CONFIG = 256 }; /* long options without a letter: above every character */

static const struct option long_options[] = {
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

int command_line_refuse(char problem[COMMAND_LINE_PROBLEM_MAX], const char *format, ...)
{
    char text[COMMAND_LINE_PROBLEM_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments); /* cut, if it must be */
    va_end(arguments);
    (void)escape_text(text_of(text), ESCAPE_LINE, problem, COMMAND_LINE_PROBLEM_MAX);
    return -EINVAL;
}

static int take(int option, const char *given, const char *program, struct command_line *line,
                char problem[COMMAND_LINE_PROBLEM_MAX])
{
    switch (option) {
    case OPTION_CONFIG:
        line->config_path = optarg;
        return 0;
    case 'h':
        line->action = COMMAND_LINE_HELP;
        return 0;
    case 'V':
        line->action = COMMAND_LINE_VERSION;
        return 0;
    case ':':
        return command_line_refuse(problem, "option %s needs a value; see %s --help", given,
                                   program);
    default:
        return command_line_refuse(
            problem, "%s is no option; expected --config FILE, --help or --version", given);
    }
}

int command_line_parse(int argc, char *argv[], const char *program, struct command_line *ret,
                       char problem[COMMAND_LINE_PROBLEM_MAX])
{
    struct command_line line = {.config_path = CONF_DEFAULT_PATH};
    opterr = 0;
    for (;;) {
        int word = optind;
        int option = getopt_long(argc, argv, "+:hV", long_options, NULL);
        if (option == -1) {
            break;
        }
        int error = take(option, argv[word], program, &line, problem);
        if (error != 0) {
            return error;
        }
    }
    line.words = argv + optind;
    line.count = argc - optind;
    *ret = line;
    return 0;
}

bool command_line_answer(enum command_line_action action, const char *program, const char *help)
{
    if (action == COMMAND_LINE_HELP) {
        (void)fputs(help, stdout); /* fflush tells */
    } else {
        printf("%s " VSOCK_VERSION "\n", program);
    }
    return fflush(stdout) == 0;
}
