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

/* Every option of vsock_guest: its names, whether it takes a value, the command it belongs to, and
 * what it does to the options that are being parsed.
 *
 * Threads  pure functions and a constant table.
 */
enum { OPTION_ROWS_MAX = 32 };

/* The command line while it is read. */
struct parsing {
    struct options options;
    enum command command;     /* COMMAND_NONE before one is named */
    const char *command_word; /* as it was written; also for help and decode */
    bool flag_form;           /* the command was named by an option, as deployed callers do */
    bool has_hash;
    bool has_message;
    bool ended;       /* by --help or --version: what follows is not read */
    bool has_address; /* from --address */
    bool has_port;
    uint32_t port;
    bool has_timeout;
    bool has_output;
    bool seen[OPTION_ROWS_MAX]; /* by row */
    char *error;                /* OPTIONS_ERROR_MAX bytes */
};

enum option_value { VALUE_NONE, VALUE_NEEDED, VALUE_OPTIONAL };

struct option_row {
    const char *name; /* without its dashes */
    char letter;      /* 0: none */
    enum option_value value;
    const char *value_name;
    enum command command; /* the one command that it belongs to, or COMMAND_NONE */
    bool names_command;   /* it is that command, in the form of the deployed callers */
    /* `value` is NULL when there is none. 0, or -EINVAL with parsing->error set. */
    int (*apply)(struct parsing *parsing, const char *value);
};

extern const struct option_row option_rows[];
extern const size_t option_rows_count;

#endif
