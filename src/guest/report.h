/* SPDX-License-Identifier: Apache-2.0 */
/* How a run ends: exit code and error line, decided in one place.
 *
 * Threads  pure functions, but for report_print.
 */
#ifndef GUEST_REPORT_H
#define GUEST_REPORT_H

#include "compat/client.h"
#include "guest/options.h"

/* A response in the form that --output asks for.
 *
 * Threads  pure function.
 */
/* 0 and the line with its newline, or nothing at all, to be freed by the caller; or -ENOMEM. */
MUST_CHECK int output_format(const struct answer *response, enum output_format format, char **ret);

enum {
    REPORT_CODE_MAX = 32,
    REPORT_TEXT_MAX = 4096,
};

enum report_exit {
    REPORT_DONE = 0,
    REPORT_HOST_ERROR = 1,
    REPORT_USAGE = 2,
    REPORT_NO_CONNECTION = 3,
    REPORT_TIME_OVER = 4,
    REPORT_NO_PROTOCOL = 5,
    REPORT_BROKEN = 6,
    REPORT_STDOUT = 7,
};

struct report_meaning {
    enum report_exit code;
    const char *meaning;
};
extern const struct report_meaning report_exits[];
extern const size_t report_exits_count;

struct report {
    enum report_exit exit_code;
    int signal;                 /* the run ends by this signal; 0: by its exit code */
    char code[REPORT_CODE_MAX]; /* the wire's name of it, or usage, connect, timeout, ... */
    char text[REPORT_TEXT_MAX]; /* may hold what a user or a host wrote: escaped when printed */
};

void report_set(struct report *report, enum report_exit exit_code, const char *code,
                const char *format, ...) PRINTF_LIKE(4, 5);

/* A signal ended the run; `text` says what that means. */
void report_stopped(struct report *report, int signal, const char *text);

/* How asking ended. `signal`: the one that stopped it, if one did. */
void report_outcome(const struct options *options, const struct client_outcome *outcome, int signal,
                    struct report *ret);

/* An upgrade that was followed has failed. */
void report_failed_upgrade(const struct upgrade_status *status, struct report *ret);

/* One line on stderr. */
void report_print(const struct report *report);

#endif
