/* SPDX-License-Identifier: Apache-2.0 */
/* What the command lines of the step programs share: --config, --help, --version, and words.
 *
 * Threads  one; the struct points into argv.
 * Errors   0, or -EINVAL with one line in `problem`, escaped; the caller prints it and exits with
 *          status 2.
 */
#ifndef HOST_PROCESS_HELPER_MAIN_H
#define HOST_PROCESS_HELPER_MAIN_H

#include "wire/attributes.h"

#include <stdbool.h>

/* The standard descriptors of a step program.
 *
 * Threads  main, before anything is opened.
 */
/* Opens those of 0, 1 and 2 that were closed: else the next file opened would become one of them. */
void descriptors_open_standard(void);

enum { COMMAND_LINE_PROBLEM_MAX = 512 };

enum command_line_action { COMMAND_LINE_RUN, COMMAND_LINE_HELP, COMMAND_LINE_VERSION };

struct command_line {
    enum command_line_action action;
    const char *config_path;
    char *const *words; /* behind the options */
    int count;
};

MUST_CHECK int command_line_parse(int argc, char *argv[], const char *program,
                                  struct command_line *ret, char problem[COMMAND_LINE_PROBLEM_MAX]);

/* Fills `problem` and returns -EINVAL, so that a refusal is one statement where it happens. */
MUST_CHECK int command_line_refuse(char problem[COMMAND_LINE_PROBLEM_MAX], const char *format, ...)
    PRINTF_LIKE(2, 3);

/* Answers --help with `help`, --version with the release, on stdout; false if that failed. */
MUST_CHECK bool command_line_answer(enum command_line_action action, const char *program,
                                    const char *help);

#endif
