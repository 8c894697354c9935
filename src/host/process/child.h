/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a program as a child process.
 *
 * Its environment is PATH alone, its directory "/", its stdin /dev/null. stdout and stderr are one
 * pipe, unless its stdout is its result. It has a session and process group of its own, no blocked or
 * ignored signal, and no other descriptor than those asked for. At its deadline its process group
 * gets SIGTERM, and SIGKILL after the grace. A process of it that outlives it and keeps the pipe
 * open is not waited for.
 *
 * Threads  child_run blocks its caller until the program has ended, its deadline has passed or the
 *          daemon stops. The callbacks run there.
 * Units    *_ms: CLOCK_MONOTONIC milliseconds (deadline_ms), milliseconds (grace_ms).
 * Errors   0 or -errno (it could not be started); how the program ended is in the result.
 */
#ifndef HOST_PROCESS_CHILD_H
#define HOST_PROCESS_CHILD_H

#include "host/process/output.h"
#include "wire/attributes.h"

enum { CHILD_GRACE_MS = 10000, CHILD_END_MAX = 96 };

enum child_end {
    CHILD_EXITED,   /* exit_status is 0 to 255 */
    CHILD_SIGNALED, /* exit_status is the signal */
    CHILD_TIMEOUT,  /* killed at its deadline; exit_status is the last signal it was sent */
    CHILD_LEFT,     /* the daemon stops: the program was left running in its own session */
};

struct child_result {
    enum child_end end;
    int exit_status;
    char line[1280]; /* the last line that the program wrote, escaped */
    size_t
        stdout_length; /* bytes written to a stdout of its own; those beyond stdout_size are lost */
};

struct child_command {
    char *const *argv; /* argv[0] is a path */
    int64_t deadline_ms;
    int64_t grace_ms; /* from SIGTERM to SIGKILL; 0: CHILD_GRACE_MS */
    int stop_fd;      /* readable: the daemon stops; -1: none */
    bool survives;    /* on stop it is left running (CHILD_LEFT); otherwise it is killed */
    bool
        holds_output; /* it has the read end of its pipe too, as its last descriptor: if this process
                        * is killed, its next write does not raise SIGPIPE */
    int inherit_fd;   /* above 2: open in the program too, as descriptor 3; 0: none */
    char *stdout_bytes; /* not NULL: stdout has a pipe of its own and is copied here, byte for byte;
                         * the lines are those of stderr alone */
    size_t stdout_size;
    struct output_sink sink;
};

MUST_CHECK int child_run(const struct child_command *command, struct child_result *ret);

/* Such as "exited with status 7" or "was ended by signal 9 (SIGKILL)". */
void child_end_format(const struct child_result *result, char out[CHILD_END_MAX]);

#endif
