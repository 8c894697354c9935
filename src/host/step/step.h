/* SPDX-License-Identifier: Apache-2.0 */
/* Running a step program: what needs privilege or can hang, outside the daemon.
 *
 * Threads  step_run blocks its caller (the job thread, the step thread) until the program has
 * ended, its deadline has passed or the daemon stops. Errors   0 or -errno (it could not be
 * started); how the program ended is in the result. Owner    the argv and the result are the
 * caller's.
 */
#ifndef HOST_STEP_H
#define HOST_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/attributes.h"
#include "wire/message.h"

enum step_end {
    STEP_EXITED,   /* exit_status is 0 to 255 */
    STEP_SIGNALED, /* exit_status is the signal */
    STEP_TIMEOUT,  /* it was killed at its deadline */
    STEP_LEFT,     /* the daemon stops: the program was left running in its own session */
};

struct step_result {
    enum step_end end;
    int exit_status;
    char line[1280]; /* the last line that the program wrote to stderr, escaped */
};

/* Each whole line the program writes, escaped, carriage returns folded. */
typedef void step_line_function(void *context, const char *line);

struct step {
    char *const *argv; /* argv[0] is a path */
    int64_t deadline_ms;
    int stop_fd;   /* readable: the daemon stops; -1: none */
    bool survives; /* on stop it is left running (STEP_LEFT); otherwise it is killed */
    step_line_function *on_line;
    void *context;
};

MUST_CHECK int step_run(const struct step *step, struct step_result *ret);

#endif
