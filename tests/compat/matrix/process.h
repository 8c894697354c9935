/* SPDX-License-Identifier: Apache-2.0 */
/* A program of the build under test, and what it said. Every wait is bounded: a program that does
 * not end is killed, and that is its status. */
#ifndef MATRIX_PROCESS_H
#define MATRIX_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

enum { PROCESS_TEXT_MAX = 16384 };

struct process {
    pid_t pid;
    int out_fd;
    int err_fd;
};

struct process_end {
    int status; /* its exit status, or minus the signal that ended it */
    char out[PROCESS_TEXT_MAX];
    char err[PROCESS_TEXT_MAX];
};

/* `arguments` begins with the name of a built program, and ends with NULL. `extra` is added to a
 * small environment; NULL ends it. A failure ends the test program. */
struct process process_start(const char *const *arguments, const char *const *extra);

/* Waits for its end. What it says must fit into a pipe until then. */
void process_end(struct process *process, struct process_end *ret);

/* The first report of a sanitizer in a text, or NULL. */
const char *process_report(const char *text);

#endif
