/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a helper program by the method of [steps]: as a child of the daemon, or as a unit.
 *
 * Threads  helper_run blocks its caller until the program has ended, its deadline has passed or the
 *          daemon stops. on_line runs there.
 * Units    *_ms: CLOCK_MONOTONIC milliseconds.
 * Errors   all are results, with one line of words.
 */
#ifndef HOST_PROCESS_HELPER_H
#define HOST_PROCESS_HELPER_H

#include "host/conf/conf.h"
#include "host/log.h"
#include "wire/message.h"

enum { HELPER_HOW_MAX = 1536 };

/* A line of its stderr, escaped, and the priority that the line names (log_line_priority). */
typedef void helper_line_function(void *context, enum log_priority priority, const char *line);

struct helper {
    enum conf_step_method method;
    char *const *argv;       /* exec: argv[0] is a path */
    const char *unit;        /* unit: the name of the service */
    const char *result_path; /* unit: the file that its stdout goes to */
    char *stdout_bytes;      /* where its stdout is copied to; NULL: nowhere */
    size_t stdout_size;
    int64_t deadline_ms;
    int stop_fd;                   /* readable: the daemon stops */
    int inherit_fd;                /* exec: as in struct child_command; 0: none */
    bool survives;                 /* exec: on stop it is left running; units always are */
    helper_line_function *on_line; /* exec; NULL: none. A unit's lines are in the journal. */
    void *context;
};

enum helper_end {
    HELPER_REFUSED, /* it was not started */
    HELPER_ENDED,   /* with success or not */
    HELPER_TIMEOUT, /* its deadline passed: a child was killed, a unit goes on */
    HELPER_LEFT,    /* the daemon stops, and it goes on */
};

struct helper_result {
    enum helper_end end;
    enum error_code code; /* if its output names none; ERROR_NONE: success */
    bool outcome_unknown; /* unit: systemd did not report its end; it may still do its work */
    char how
        [HELPER_HOW_MAX]; /* how it ended, such as "vsock_host-hsm exited with status 2: ..."; one
                               * line, escaped */
    size_t stdout_length; /* bytes that it wrote; those beyond stdout_size are lost */
};

void helper_run(const struct helper *helper, struct helper_result *ret);

#endif
