/* SPDX-License-Identifier: Apache-2.0 */
/* A command line as one string for the tests of the options. */
#ifndef TESTS_OPTIONS_CASE_H
#define TESTS_OPTIONS_CASE_H

#include "guest/options.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_CASE_WORDS = 32 };

/* The words live as long as the case. */
struct options_case {
    char *line;
    char *argv[OPTIONS_CASE_WORDS + 1];
    int argc;
    char error[OPTIONS_ERROR_MAX];
    struct options options;
    int status;
};

/* Parses `line`, whose words are separated by single blanks; "''" is an empty word. */
static inline struct options_case options_case_parse(const char *line, const char *environment)
{
    struct options_case made = {.line = strdup(line), .error = ""};
    static char program[] = "vsock_guest";
    made.argv[made.argc++] = program;
    char *kept = NULL;
    for (char *word = strtok_r(made.line, " ", &kept); word != NULL;
         word = strtok_r(NULL, " ", &kept)) {
        made.argv[made.argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
        REQUIRE_COMPARE(made.argc, <=, OPTIONS_CASE_WORDS);
    }
    made.status = options_parse(made.argc, made.argv, environment, &made.options, made.error);
    if (made.status < 0) {
        CHECK_COMPARE(made.error[0], !=, '\0');
    }
    return made;
}

static inline void options_case_done(struct options_case *made)
{
    free(made->line);
}

#endif
