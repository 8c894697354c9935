/* SPDX-License-Identifier: Apache-2.0 */
/* Running a step program by the method of [steps]: as a child of the daemon, or as a unit that is
 * installed for it. The caller describes the program once, for both; what it does with the end is
 * the same for both.
 *
 * Threads  helper_run blocks its caller (the job thread, the errand thread) until the program has
 *          ended, its deadline has passed or the daemon stops. on_line runs there.
 * Units    *_ms: CLOCK_MONOTONIC milliseconds.
 * Errors   all of them are results, with one line of words.
 * Owner    everything in struct program is the caller's.
 */
#ifndef HOST_PROCESS_HELPER_H
#define HOST_PROCESS_HELPER_H

#include "host/conf/conf.h"
#include "host/process/child.h"

enum { HELPER_HOW_MAX = 1536 };

struct helper {
    enum conf_step_method method;
    char *const *argv;       /* exec: argv[0] is a path */
    const char *unit;        /* unit: the name of the service */
    const char *result_path; /* unit: the file that its stdout goes to; NULL: none of interest */
    char *said;              /* what it says on stdout; NULL: of no interest */
    size_t stdout_size;
    int64_t deadline_ms;
    int stop_fd;                  /* readable: the daemon stops */
    int inherit_fd;               /* exec: as in struct step; 0: none */
    bool survives;                /* exec: on stop it is left running; units always are */
    child_line_function *on_line; /* exec: its log lines; those of a unit are in the journal */
    void *context;
};

enum helper_end {
    HELPER_REFUSED, /* it was not started */
    HELPER_ENDED,   /* well or not */
    HELPER_TIMEOUT, /* its deadline passed: a child was killed, a unit goes on */
    HELPER_LEFT,    /* the daemon stops, and it goes on */
};

struct helper_result {
    enum helper_end end;
    enum error_code code;     /* what is to blame, if it said nothing itself; ERROR_NONE: nothing */
    bool outcome_unknown;     /* unit: what came of it was not heard, and may yet come */
    char how[HELPER_HOW_MAX]; /* "vsock_host-hsm exited with status 2: ...": how it ended, in words;
                                * escaped */
    size_t said;              /* bytes that it said; more than stdout_size: the rest is lost */
};

void helper_run(const struct helper *program, struct helper_result *ret);

#endif
