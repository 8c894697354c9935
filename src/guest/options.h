/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: words in, one struct out, or one line that says what was expected.
 *
 * Threads  pure functions.
 * Owner    the struct's texts point into argv and the environment.
 */
#ifndef GUEST_OPTIONS_H
#define GUEST_OPTIONS_H

#include "compat/dialect.h"
#include "wire/address.h"

enum { OPTIONS_ERROR_MAX = 512 };

enum action { ACTION_ASK, ACTION_DECODE, ACTION_HELP, ACTION_VERSION };
enum output_format { OUTPUT_PAYLOAD, OUTPUT_VALUE, OUTPUT_JSON };
enum when { WHEN_AUTO, WHEN_ALWAYS, WHEN_NEVER };

struct options {
    enum action action;
    struct request request;  /* ACTION_ASK */
    bool message_from_stdin; /* notify: request.message is still to be read */
    struct address address;
    const char *address_source; /* where it came from, for messages */
    uint32_t unix_cid;          /* what this machine's CID is to a host at a Unix socket */
    int64_t timeout_ms;         /* CLOCK_NEVER: none */
    int64_t connect_ms;
    const struct dialect *dialect; /* NULL: found by the search */
    enum output_format output;
    enum when progress;
    bool verbose;
    bool quiet;
    bool follow;              /* get-upgrade-status */
    bool no_wait;             /* upgrade */
    const char *echo_devices; /* notify: separated by commas; NULL: no echo */
    const char *file;         /* ACTION_DECODE; NULL: stdin */
    const char *topic;        /* ACTION_HELP: a command's name; NULL: the first screen */
};

/* `environment`: the value of VSOCK_HOST_ADDRESS, or NULL. 0, or -EINVAL with `error` set. */
MUST_CHECK int options_parse(int argc, char *const argv[], const char *environment,
                             struct options *ret, char error[OPTIONS_ERROR_MAX]);

/* What is wrong with the message of a notify, and what was expected; NULL when nothing is. */
const char *options_judge_message(struct text message);

#endif
