/* SPDX-License-Identifier: Apache-2.0 */
/* The result of a run: the answer's line, or the exit code and the error line. */
#ifndef GUEST_REPORT_H
#define GUEST_REPORT_H

#include "compat/client.h"
#include "guest/help.h"
#include "guest/options.h"

/* A response in the form of --output: 0 and a line with its newline, or an empty string, which the
 * caller frees; or -ENOMEM. */
MUST_CHECK int report_format(const struct answer *response, enum output_format format, char **ret);

enum {
    REPORT_CODE_MAX = 32,
    REPORT_TEXT_MAX = 4096,
};

struct report {
    enum exit_code exit_code;
    int signal;                 /* the program dies by it; 0: by none */
    char code[REPORT_CODE_MAX]; /* the host's error name, or usage, connect, timeout, ... */
    char text[REPORT_TEXT_MAX]; /* escaped when printed */
};

void report_set(struct report *report, enum exit_code exit_code, const char *code,
                const char *format, ...) PRINTF_LIKE(4, 5);

/* stdout could not be written: -errno, or -ETIME. */
void report_stdout(struct report *report, const char *what, int error);

/* A signal ended the run. */
void report_stopped(struct report *report, int signal, const char *text);

/* `signal`: the one of CLIENT_STOPPED. */
void report_outcome(const struct options *options, const struct client_outcome *outcome, int signal,
                    struct report *ret);

/* --follow: the upgrade has failed. */
void report_failed_upgrade(const struct upgrade_status *status, struct report *ret);

/* Writes the error line to stderr. */
void report_print(const struct report *report);

#endif
