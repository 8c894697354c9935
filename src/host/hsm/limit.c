/* SPDX-License-Identifier: Apache-2.0 */
#include "host/hsm/limit.h"

#include "host/process/result_line.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static const struct {
    const char *verb;
    const char *outcome;
} stages[HSM_STAGES] = {
    [HSM_CONNECTING] = {"accept the connection", ""},
    [HSM_LISTING] = {"list its domains", ""},
    [HSM_ATTACHING] = {"finish attaching the HSM", "; outcome unknown"},
    [HSM_DETACHING] = {"finish detaching the HSM", "; outcome unknown"},
};

/* Constant once the timer runs. */
static struct {
    char bytes[RESULT_LINE_MAX + 1];
    size_t length;
} lines[HSM_STAGES];

static atomic_int current;
static atomic_flag claimed = ATOMIC_FLAG_INIT;
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "a handler may use it");

static void on_limit(int signal_number)
{
    (void)signal_number;
    if (atomic_flag_test_and_set(&claimed)) {
        return; /* the program is writing its result */
    }
    int stage = atomic_load(&current);
    ssize_t written = write(STDOUT_FILENO, lines[stage].bytes, lines[stage].length);
    (void)written; /* the daemon reports a missing line */
    _exit(1);
}

void hsm_limit_start(int64_t limit_ms, const char *uri)
{
    struct sigaction action = {.sa_handler = on_limit, .sa_flags = SA_RESTART};
    struct itimerval timer = {
        .it_value = {.tv_sec = limit_ms / 1000, .tv_usec = limit_ms % 1000 * 1000}};
    for (int stage = 0; stage < HSM_STAGES; stage++) {
        char text[RESULT_LINE_MAX];
        (void)snprintf(text, sizeof text, "libvirt did not %s within %g s%s (%.400s)",
                       stages[stage].verb, (double)limit_ms / 1000, stages[stage].outcome, uri);
        result_line_format(ERROR_TIMEOUT, text, lines[stage].bytes);
        lines[stage].length = strlen(lines[stage].bytes);
    }
    /* Neither fails: the signal exists, the time is in range. */
    (void)sigaction(SIGALRM, &action, NULL);
    (void)setitimer(ITIMER_REAL, &timer, NULL);
}

void hsm_limit_stage(enum hsm_stage stage)
{
    atomic_store(&current, (int)stage);
}

void hsm_limit_claim(void)
{
    const struct itimerval none = {.it_value = {.tv_sec = 0}};
    while (atomic_flag_test_and_set(&claimed)) {
        (void)pause(); /* the handler, in another thread, ends the program */
    }
    (void)setitimer(ITIMER_REAL, &none,
                    NULL); /* cannot fail; the handler would find the line claimed */
}
