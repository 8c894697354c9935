/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of child_run share: shell scripts as programs, and what they said. */
#ifndef TESTS_STEP_HEARD_H
#define TESTS_STEP_HEARD_H

#include "host/process/child.h"

#include <stdbool.h>
#include <sys/types.h>

enum {
    SOON_MS = 300,   /* a deadline that is meant to pass */
    GRACE_MS = 300,  /* likewise */
    FAR_MS = 100000, /* a deadline that is not: tests end at 120 s */
};

/* What the program under test said. */
struct heard {
    char first[1280];
    char all[4096];
    size_t length;
    unsigned lines;
    unsigned long left_out;
    unsigned long texts;
    int stop_fd; /* rung at the first line, if it is one */
};

extern struct heard heard;
extern struct child_result result;

/* Forgets what was heard. */
struct child_command step_of(char *const argv[], int64_t ms);
char *const *shell(const char *script);
void run_shell(const char *script, enum child_end end, int exit_status);

/* The number that the script said in its first line. */
pid_t heard_pid(void);
/* Gone, or a zombie that nobody has reaped yet. */
bool ended(pid_t pid);

#endif
