/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the tests of child_run: shell scripts as programs, and their output. */
#ifndef TESTS_CHILD_OUTPUT_H
#define TESTS_CHILD_OUTPUT_H

#include "host/process/child.h"

#include <stdbool.h>
#include <sys/types.h>

enum {
    SOON_MS = 300,   /* a deadline that is meant to pass */
    GRACE_MS = 300,  /* likewise */
    FAR_MS = 100000, /* a deadline that is not: tests end at 120 s */
};

/* The output of the program under test. */
struct printed {
    char first[1280];
    char all[4096];
    size_t length;
    unsigned lines;
    unsigned long left_out;
    unsigned long texts;
    int stop_fd; /* signalled at the first line, if it is not negative */
};

extern struct printed printed;
extern struct child_result result;

/* Clears `printed`. */
struct child_command command_of(char *const argv[], int64_t ms);
char *const *shell(const char *script);
void run_shell(const char *script, enum child_end end, int exit_status);

/* The number in the first line of the script. */
pid_t printed_pid(void);
/* Gone, or a zombie that nobody has reaped yet. */
bool ended(pid_t pid);

#endif
