/* SPDX-License-Identifier: Apache-2.0 */
/* Running a step program: what needs privilege or can hang, outside the daemon.
 *
 * The program gets PATH alone as its environment, "/" as its directory, /dev/null as stdin, one
 * pipe for stdout and stderr (or, for a program whose stdout is its result, one for each), a session
 * and process group of its own, no blocked or ignored signal and no other descriptor than those
 * asked for. At its deadline its process group gets SIGTERM, and
 * SIGKILL after the grace. A process of it that outlives it and keeps the pipe open is not waited
 * for.
 *
 * Threads  child_run blocks its caller (the job thread, the errand thread) until the program has
 *          ended, its deadline has passed or the daemon stops. The callbacks run there.
 * Units    *_ms: CLOCK_MONOTONIC milliseconds (deadline_ms), milliseconds (grace_ms).
 * Errors   0 or -errno (it could not be started); how the program ended is in the result.
 * Owner    the argv, the descriptors and the result are the caller's.
 */
#ifndef HOST_PROCESS_CHILD_H
#define HOST_PROCESS_CHILD_H

#include "wire/attributes.h"
#include "wire/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    CHILD_GRACE_MS = 10000,
    CHILD_LINE_MAX = 2048,      /* bytes of a line as the program wrote it; the rest is dropped */
    CHILD_LINES_PER_SECOND = 50 /* that on_line is given */
};

enum child_end {
    CHILD_EXITED,   /* exit_status is 0 to 255 */
    CHILD_SIGNALED, /* exit_status is the signal */
    CHILD_TIMEOUT,  /* it was killed at its deadline; exit_status is the last signal it was sent */
    CHILD_LEFT,     /* the daemon stops: the program was left running in its own session */
};

struct child_result {
    enum child_end end;
    int exit_status;
    char line[1280]; /* the last line that the program wrote, escaped */
    size_t said; /* bytes that it wrote to a stdout of its own; more than stdout_size: the rest is
                      * lost */
};

/* A line the program wrote, escaped, for a log: CHILD_LINES_PER_SECOND at most, and a line that says
 * how many were left out. What a carriage return overwrites and blank lines are not told. */
typedef void child_line_function(void *context, const char *line);

/* Every line, as the program wrote it. */
typedef void child_text_function(void *context, struct text line);

struct child_command {
    char *const *argv; /* argv[0] is a path */
    int64_t deadline_ms;
    int64_t grace_ms;  /* from SIGTERM to SIGKILL; 0: CHILD_GRACE_MS */
    int stop_fd;       /* readable: the daemon stops; -1: none */
    bool survives;     /* on stop it is left running (CHILD_LEFT); otherwise it is killed */
    bool holds_output; /* it holds the pipe's other end too: if this process is killed, its next
                        * write does not kill it */
    int inherit_fd;    /* above 2: open in the program too, as descriptor 3; 0: none */
    char *said;        /* not NULL: stdout has a pipe of its own and lands here, byte for byte; the
                        * lines are those of stderr alone */
    size_t stdout_size;
    child_line_function *on_line; /* may be NULL */
    child_text_function *on_text; /* may be NULL */
    void *context;
};

MUST_CHECK int child_run(const struct child_command *step, struct child_result *ret);

/* Starting a step program in the surroundings that step.h promises.
 *
 * Threads  any.
 * Errors   0 or -errno; no program and no descriptor is left then.
 * Owner    the caller closes the descriptors, and reaps the child.
 */
struct child {
    pid_t pid;     /* of its session and process group too */
    int pidfd;     /* readable once it has ended; -1: there was no descriptor left for it */
    int output_fd; /* its stdout and stderr, to read without waiting */
    int stdout_fd; /* step->said: its stdout alone, likewise; -1 otherwise */
};

#endif
