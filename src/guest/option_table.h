/* SPDX-License-Identifier: Apache-2.0 */
/* Every option of vsock_guest: its names, whether it takes a value, the command it belongs to, and
 * what it does to the options that are being parsed.
 *
 * Threads  pure functions and a constant table.
 */
#ifndef GUEST_OPTION_TABLE_H
#define GUEST_OPTION_TABLE_H

#include "guest/options.h"

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

const struct option_row *option_find(const char *name, size_t length);
const struct option_row *option_find_letter(char letter);

/* Sets the error; always -EINVAL. */
int option_refuse(struct parsing *parsing, const char *format, ...) PRINTF_LIKE(2, 3);

/* Begins a command; a second one is refused. `word` is how it was written. */
MUST_CHECK int option_begin_command(struct parsing *parsing, enum command command,
                                    const char *word);

/* The message of a notify, written as an argument. */
MUST_CHECK int option_set_message(struct parsing *parsing, const char *message);

#endif
