/* SPDX-License-Identifier: Apache-2.0 */
/* The command line as one struct, whose texts point into argv and the environment. Uses getopt_long,
 * which has global state: one thread. */
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
    bool message_from_stdin; /* notify: request.message is not read yet */
    struct address address;
    const char *address_source; /* for messages: option, environment or default */
    uint32_t unix_cid;          /* this machine's CID for a host at a Unix socket */
    int64_t timeout_ms;         /* CLOCK_NEVER: none */
    int64_t connect_ms;
    const struct dialect *dialect; /* NULL: negotiated */
    enum output_format output;
    enum when progress;
    bool verbose;
    bool quiet;
    bool follow;              /* get-upgrade-status */
    bool no_wait;             /* upgrade */
    const char *echo_devices; /* notify: separated by commas; NULL: no echo */
    const char *file;         /* ACTION_DECODE; NULL: stdin */
    const char *topic;        /* ACTION_HELP: a command; NULL: the first screen */
};

/* `environment`: the value of VSOCK_HOST_ADDRESS, or NULL. 0, or -EINVAL with `error` set. */
MUST_CHECK int options_parse(int argc, char *const argv[], const char *environment,
                             struct options *ret, char error[OPTIONS_ERROR_MAX]);

/* What is wrong with the message of a notify and what is allowed; NULL: nothing is wrong. */
const char *options_judge_message(struct text message);

/* The long options, with their dashes; NULL after the last. */
const char *options_name(size_t index);

#endif
