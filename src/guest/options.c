/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/options.h"

#include "compat/client.h"
#include "guest/help.h"
#include "wire/clock.h"
#include "wire/number.h"
#include "wire/suggest.h"
#include "wire/text.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define SECONDS_MAX_MS (INT64_C(1000000000) * 1000)
#define DEFAULT_ECHO   "/dev/tty1,/dev/ttyS0"

/* Sets the error; always -EINVAL. */
static int option_refuse(struct parsing *parsing, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(parsing->error, OPTIONS_ERROR_MAX, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

/* Begins a command; a second one is refused. `word` is how it was written. */
static int option_begin_command(struct parsing *parsing, enum command command, const char *word)
{
    if (parsing->command_word != NULL) {
        return option_refuse(parsing, "one command at a time: '%s' comes after '%s'", word,
                             parsing->command_word);
    }
    parsing->command = command;
    parsing->command_word = word;
    parsing->options.request.command = command;
    return 0;
}

/* The message of a notify, written as an argument. */
static int option_set_message(struct parsing *parsing, const char *message)
{
    const char *wrong = options_judge_message(text_of(message));
    if (wrong != NULL) {
        return option_refuse(parsing, "%s", wrong);
    }
    parsing->options.request.message = text_of(message);
    parsing->has_message = true;
    return 0;
}

/* One of a list of names, in the order of an enum. */
static int choose(struct parsing *parsing, const char *option, const char *value,
                  const char *const names[3])
{
    for (int i = 0; i < 3; i++) {
        if (strcmp(value, names[i]) == 0) {
            return i;
        }
    }
    const char *near = suggest_name(value, names, 3);
    return option_refuse(parsing, "%s takes %s, %s or %s, not '%s'%s%s%s", option, names[0],
                         names[1], names[2], value, near != NULL ? "; did you mean '" : "",
                         near != NULL ? near : "", near != NULL ? "'?" : "");
}

static int seconds(struct parsing *parsing, const char *option, const char *value, int64_t *ret_ms)
{
    if (decimal_parse_seconds(value, 0, SECONDS_MAX_MS, ret_ms) < 0) {
        return option_refuse(parsing,
                             "%s takes seconds from 0 to 1000000000, such as 30 or 0.5, not '%s'",
                             option, value);
    }
    return 0;
}

static int apply_address(struct parsing *parsing, const char *value)
{
    const char *why = NULL;
    if (address_parse(value, ADDRESS_CONNECT, &parsing->options.address, &why) < 0) {
        return option_refuse(parsing, "--address '%s': %s", value, why);
    }
    parsing->has_address = true;
    return 0;
}

static int apply_port(struct parsing *parsing, const char *value)
{
    uint64_t port = 0;
    if (decimal_parse(value, 1, UINT32_MAX - 1, &port) < 0) {
        return option_refuse(parsing, "--port takes a number from 1 to 4294967294, not '%s'",
                             value);
    }
    parsing->has_port = true;
    parsing->port = (uint32_t)port;
    return 0;
}

static int apply_timeout(struct parsing *parsing, const char *value)
{
    int64_t limit_ms = 0;
    int error = seconds(parsing, "--timeout", value, &limit_ms);
    if (error < 0) {
        return error;
    }
    parsing->options.timeout_ms = limit_ms > 0 ? limit_ms : CLOCK_NEVER;
    parsing->has_timeout = true;
    return 0;
}

static int apply_connect_timeout(struct parsing *parsing, const char *value)
{
    return seconds(parsing, "--connect-timeout", value, &parsing->options.connect_ms);
}

static int apply_protocol(struct parsing *parsing, const char *value)
{
    if (client_find_protocol(value, &parsing->options.dialect) < 0) {
        char names[CLIENT_NAMES_MAX];
        client_protocol_names(names);
        return option_refuse(parsing, "--protocol takes one of %s, not '%s'", names, value);
    }
    return 0;
}

static int apply_output(struct parsing *parsing, const char *value)
{
    static const char *const names[] = {"payload", "value", "json"};
    int chosen = choose(parsing, "--output", value, names);
    if (chosen < 0) {
        return chosen;
    }
    parsing->options.output = (enum output_format)chosen;
    parsing->has_output = true;
    return 0;
}

static int apply_progress(struct parsing *parsing, const char *value)
{
    static const char *const names[] = {"auto", "always", "never"};
    int chosen = choose(parsing, "--progress", value, names);
    if (chosen < 0) {
        return chosen;
    }
    parsing->options.progress = (enum when)chosen;
    return 0;
}

static int apply_verbose(struct parsing *parsing, const char *value)
{
    (void)value;
    parsing->options.verbose = true;
    parsing->options.quiet = false;
    return 0;
}

static int apply_quiet(struct parsing *parsing, const char *value)
{
    (void)value;
    parsing->options.quiet = true;
    parsing->options.verbose = false;
    return 0;
}

static int apply_help(struct parsing *parsing, const char *value)
{
    (void)value;
    parsing->options.action = ACTION_HELP;
    parsing->options.topic = parsing->flag_form ? NULL : parsing->command_word;
    parsing->ended = true;
    return 0;
}

static int apply_version(struct parsing *parsing, const char *value)
{
    (void)value;
    parsing->options.action = ACTION_VERSION;
    parsing->ended = true;
    return 0;
}

static int apply_url(struct parsing *parsing, const char *value)
{
    size_t length = strlen(value);
    if (length == 0 || length > URL_MAX || !utf8_valid(value, length)) {
        return option_refuse(parsing, "the url has %zu bytes%s; expected 1 to %d bytes of UTF-8",
                             length, utf8_valid(value, length) ? "" : " that are not UTF-8",
                             URL_MAX);
    }
    parsing->options.request.url = text_of(value);
    return 0;
}

static int apply_hash(struct parsing *parsing, const char *value)
{
    if (sha256_parse(text_of(value), parsing->options.request.sha256) < 0) {
        return option_refuse(parsing,
                             "--hash takes the SHA-256 of the image, 64 hex digits, not '%.80s' "
                             "(%zu bytes)",
                             value, strlen(value));
    }
    parsing->has_hash = true;
    return 0;
}

static int apply_no_wait(struct parsing *parsing, const char *value)
{
    (void)value;
    parsing->options.no_wait = true;
    return 0;
}

static int apply_count(struct parsing *parsing, const char *value)
{
    uint64_t count = 0;
    if (decimal_parse(value, 0, UINT32_MAX, &count) < 0) {
        return option_refuse(parsing, "--count takes a number from 0 to 4294967295, not '%s'",
                             value);
    }
    parsing->options.request.count = (uint32_t)count;
    return 0;
}

static int apply_echo(struct parsing *parsing, const char *value)
{
    if (value != NULL && value[0] == '\0') {
        return option_refuse(parsing, "--echo= names no device; expected --echo or "
                                      "--echo=DEVICE,...");
    }
    parsing->options.echo_devices = value != NULL ? value : DEFAULT_ECHO;
    return 0;
}

static int apply_follow(struct parsing *parsing, const char *value)
{
    (void)value;
    parsing->options.follow = true;
    return 0;
}

static int flag_attach(struct parsing *parsing, const char *value)
{
    (void)value;
    return option_begin_command(parsing, COMMAND_ATTACH_HSM, "--attach-hsm");
}

static int flag_detach(struct parsing *parsing, const char *value)
{
    (void)value;
    return option_begin_command(parsing, COMMAND_DETACH_HSM, "--detach-hsm");
}

static int flag_version(struct parsing *parsing, const char *value)
{
    (void)value;
    return option_begin_command(parsing, COMMAND_GET_HOSTOS_VERSION, "--get-hostos-version");
}

static int flag_upgrade(struct parsing *parsing, const char *value)
{
    int error = option_begin_command(parsing, COMMAND_UPGRADE, "--upgrade");
    return error < 0 ? error : apply_url(parsing, value);
}

static int flag_notify(struct parsing *parsing, const char *value)
{
    int error = option_begin_command(parsing, COMMAND_NOTIFY, "--notify");
    return error < 0 ? error : option_set_message(parsing, value);
}

const struct option_row option_rows[] = {
    {"address", 'a', VALUE_NEEDED, "ADDR", COMMAND_NONE, false, apply_address},
    {"port", 'p', VALUE_NEEDED, "PORT", COMMAND_NONE, false, apply_port},
    {"timeout", 't', VALUE_NEEDED, "SECONDS", COMMAND_NONE, false, apply_timeout},
    {"connect-timeout", 0, VALUE_NEEDED, "SECONDS", COMMAND_NONE, false, apply_connect_timeout},
    {"protocol", 0, VALUE_NEEDED, "NAME", COMMAND_NONE, false, apply_protocol},
    {"output", 'o', VALUE_NEEDED, "FORMAT", COMMAND_NONE, false, apply_output},
    {"progress", 0, VALUE_NEEDED, "WHEN", COMMAND_NONE, false, apply_progress},
    {"verbose", 'v', VALUE_NONE, NULL, COMMAND_NONE, false, apply_verbose},
    {"quiet", 'q', VALUE_NONE, NULL, COMMAND_NONE, false, apply_quiet},
    {"help", 'h', VALUE_NONE, NULL, COMMAND_NONE, false, apply_help},
    {"version", 'V', VALUE_NONE, NULL, COMMAND_NONE, false, apply_version},
    {"url", 0, VALUE_NEEDED, "URL", COMMAND_UPGRADE, false, apply_url},
    {"hash", 0, VALUE_NEEDED, "SHA256", COMMAND_UPGRADE, false, apply_hash},
    {"no-wait", 0, VALUE_NONE, NULL, COMMAND_UPGRADE, false, apply_no_wait},
    {"count", 0, VALUE_NEEDED, "N", COMMAND_NOTIFY, false, apply_count},
    {"echo", 0, VALUE_OPTIONAL, "DEVICE,...", COMMAND_NOTIFY, false, apply_echo},
    {"follow", 0, VALUE_NONE, NULL, COMMAND_GET_UPGRADE_STATUS, false, apply_follow},
    {"attach-hsm", 0, VALUE_NONE, NULL, COMMAND_ATTACH_HSM, true, flag_attach},
    {"detach-hsm", 0, VALUE_NONE, NULL, COMMAND_DETACH_HSM, true, flag_detach},
    {"get-hostos-version", 0, VALUE_NONE, NULL, COMMAND_GET_HOSTOS_VERSION, true, flag_version},
    {"upgrade", 0, VALUE_NEEDED, "URL", COMMAND_UPGRADE, true, flag_upgrade},
    {"notify", 0, VALUE_NEEDED, "MESSAGE", COMMAND_NOTIFY, true, flag_notify},
};
const size_t option_rows_count = sizeof option_rows / sizeof option_rows[0];
static_assert(sizeof option_rows / sizeof option_rows[0] <= OPTION_ROWS_MAX, "see struct parsing");

static const struct option_row *option_find(const char *name, size_t length)
{
    for (size_t i = 0; i < option_rows_count; i++) {
        if (strlen(option_rows[i].name) == length &&
            memcmp(option_rows[i].name, name, length) == 0) {
            return &option_rows[i];
        }
    }
    return NULL;
}

static const struct option_row *option_find_letter(char letter)
{
    for (size_t i = 0; i < option_rows_count; i++) {
        if (option_rows[i].letter == letter) {
            return &option_rows[i];
        }
    }
    return NULL;
}

enum {
    TIMEOUT_MS = 30 * 1000,
    LONG_TIMEOUT_MS = 3600 * 1000, /* upgrade, and following one */
    CONNECT_MS = 5 * 1000,
    HOST_CID = 2,
};

/* The words of a command line, taken one by one. */
struct words {
    char *const *next;
    char *const *end;
};

static const char *words_take(struct words *words)
{
    return words->next < words->end ? *words->next++ : NULL;
}

const char *options_judge_message(struct text message)
{
    if (message.length > NOTIFY_MAX) {
        return "the message is too long; expected at most 4096 bytes";
    }
    if (!utf8_valid(message.bytes, message.length)) {
        return "the message is not text; expected UTF-8 without NUL";
    }
    return NULL;
}

static int unknown_option(struct parsing *parsing, const char *word)
{
    const char *names[OPTION_ROWS_MAX];
    for (size_t i = 0; i < option_rows_count; i++) {
        names[i] = option_rows[i].name;
    }
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    const char *near = suggest_name(name, names, option_rows_count);
    if (near == NULL) {
        return option_refuse(parsing,
                             "unknown option '%s'; expected one of those that "
                             "'vsock_guest --help' lists",
                             word);
    }
    return option_refuse(parsing, "unknown option '%s'; did you mean --%s?", word, near);
}

static int apply(struct parsing *parsing, const struct option_row *row, const char *value)
{
    parsing->seen[row - option_rows] = true;
    parsing->flag_form |= row->names_command;
    return row->apply(parsing, value);
}

static int needs_value(struct parsing *parsing, const struct option_row *row)
{
    return option_refuse(parsing, "--%s needs a value: --%s %s", row->name, row->name,
                         row->value_name);
}

/* --name, --name=value, or --name and the next word, whatever that begins with. */
static int take_long(struct parsing *parsing, const char *word, struct words *words)
{
    size_t length = strcspn(word + 2, "=");
    const struct option_row *row = option_find(word + 2, length);
    if (row == NULL) {
        return unknown_option(parsing, word);
    }
    const char *value = word[2 + length] == '=' ? word + 2 + length + 1 : NULL;
    if (value != NULL && row->value == VALUE_NONE) {
        return option_refuse(parsing, "--%s takes no value", row->name);
    }
    if (value == NULL && row->value == VALUE_NEEDED) {
        value = words_take(words);
        if (value == NULL) {
            return needs_value(parsing, row);
        }
    }
    return apply(parsing, row, value);
}

/* -v, -vq, -t5 or -t 5. */
static int take_short(struct parsing *parsing, const char *word, struct words *words)
{
    for (const char *letter = word + 1; *letter != '\0' && !parsing->ended; letter++) {
        const struct option_row *row = option_find_letter(*letter);
        if (row == NULL) {
            return option_refuse(parsing,
                                 "unknown option '-%.1s' in '%s'; expected one of those "
                                 "that 'vsock_guest --help' lists",
                                 letter, word);
        }
        const char *value = NULL;
        if (row->value == VALUE_NEEDED) {
            value = letter[1] != '\0' ? letter + 1 : words_take(words);
            if (value == NULL) {
                return needs_value(parsing, row);
            }
        }
        int error = apply(parsing, row, value);
        if (error < 0 || value != NULL) {
            return error;
        }
    }
    return 0;
}

static int take_command(struct parsing *parsing, const char *word)
{
    if (strcmp(word, "decode") == 0 || strcmp(word, "help") == 0) {
        parsing->options.action = word[0] == 'd' ? ACTION_DECODE : ACTION_HELP;
        return option_begin_command(parsing, COMMAND_NONE, word);
    }
    enum command command = command_find(word);
    if (command != COMMAND_NONE) {
        return option_begin_command(parsing, command, word);
    }
    const char *near = help_suggest(word);
    if (near == NULL) {
        return option_refuse(parsing, "unknown command '%s'; 'vsock_guest --help' lists them",
                             word);
    }
    return option_refuse(parsing, "unknown command '%s'; did you mean %s?", word, near);
}

static int take_topic(struct parsing *parsing, const char *word)
{
    if (!help_has(word)) {
        const char *near = help_suggest(word);
        return option_refuse(parsing, "there is no help for '%s'; expected a command's name%s%s",
                             word, near != NULL ? ", perhaps " : "", near != NULL ? near : "");
    }
    parsing->options.topic = word;
    return 0;
}

/* A word that is no option: the command, or what belongs to it. */
static int take_word(struct parsing *parsing, const char *word)
{
    struct options *options = &parsing->options;
    if (parsing->command_word == NULL) {
        return take_command(parsing, word);
    }
    if (options->action == ACTION_HELP && options->topic == NULL) {
        return take_topic(parsing, word);
    }
    if (options->action == ACTION_DECODE && options->file == NULL) {
        options->file = word;
        return 0;
    }
    if (parsing->command == COMMAND_NOTIFY && !parsing->has_message) {
        options->message_from_stdin = strcmp(word, "-") == 0;
        return option_set_message(parsing, word);
    }
    if (help_has(word)) {
        return option_refuse(parsing, "one command at a time: '%s' comes after '%s'", word,
                             parsing->command_word);
    }
    return option_refuse(parsing, "'%s' is one word too many for %s%s", word, parsing->command_word,
                         parsing->command == COMMAND_NOTIFY ? "; put the message in quotes" : "");
}

static int read_words(struct parsing *parsing, struct words *words)
{
    bool only_words = false; /* after -- */
    for (const char *word; !parsing->ended && (word = words_take(words)) != NULL;) {
        int error = 0;
        if (only_words || word[0] != '-' || word[1] == '\0') {
            error = take_word(parsing, word);
        } else if (strcmp(word, "--") == 0) {
            only_words = true;
        } else if (word[1] == '-') {
            error = take_long(parsing, word, words);
        } else {
            error = take_short(parsing, word, words);
        }
        if (error < 0) {
            return error;
        }
    }
    return 0;
}

/* Options that belong to one command are an error beside another. */
static int check_owners(struct parsing *parsing)
{
    for (size_t i = 0; i < option_rows_count; i++) {
        const struct option_row *row = &option_rows[i];
        if (parsing->seen[i] && row->command != COMMAND_NONE && row->command != parsing->command) {
            return option_refuse(parsing, "--%s belongs to %s, not to %s", row->name,
                                 command_name(row->command), parsing->command_word);
        }
    }
    return 0;
}

static int check_command(struct parsing *parsing)
{
    const struct request *request = &parsing->options.request;
    if (parsing->command_word == NULL) {
        return option_refuse(parsing, "no command is given; 'vsock_guest --help' lists them");
    }
    if (parsing->command == COMMAND_UPGRADE && request->url.length == 0) {
        return option_refuse(parsing, "upgrade needs --url URL");
    }
    if (parsing->command == COMMAND_UPGRADE && !parsing->has_hash) {
        return option_refuse(parsing, "upgrade needs --hash SHA256");
    }
    if (parsing->command == COMMAND_NOTIFY && !parsing->has_message) {
        return option_refuse(parsing, "notify needs a MESSAGE, or - to read it from stdin");
    }
    return check_owners(parsing);
}

/* The environment's address, when there is one and no option says another. */
static int take_environment(struct parsing *parsing, const char *environment)
{
    struct options *options = &parsing->options;
    if (parsing->has_address) {
        options->address_source = "option --address";
        return 0;
    }
    if (environment == NULL || environment[0] == '\0') {
        return 0;
    }
    const char *why = NULL;
    if (address_parse(environment, ADDRESS_CONNECT, &options->address, &why) < 0) {
        return option_refuse(parsing, "VSOCK_HOST_ADDRESS '%s': %s", environment, why);
    }
    options->address_source = "environment VSOCK_HOST_ADDRESS";
    return 0;
}

static int settle_address(struct parsing *parsing, const char *environment)
{
    struct options *options = &parsing->options;
    int error = take_environment(parsing, environment);
    if (error < 0 || !parsing->has_port) {
        return error;
    }
    if (options->address.family == AF_VSOCK) {
        options->address.port = parsing->port;
        if (!parsing->has_address) {
            options->address_source = "option --port";
        }
    } else if (parsing->has_address) {
        return option_refuse(parsing,
                             "--port goes with a vsock address; --address names a Unix socket");
    }
    return 0;
}

static void settle_defaults(struct parsing *parsing)
{
    struct options *options = &parsing->options;
    if (parsing->flag_form && !parsing->has_output) {
        options->output = OUTPUT_VALUE;
    }
    if (parsing->has_timeout) {
        return;
    }
    bool lasting = parsing->command == COMMAND_UPGRADE || options->follow;
    options->timeout_ms = lasting ? LONG_TIMEOUT_MS : TIMEOUT_MS;
    if (options->action != ACTION_ASK) {
        options->timeout_ms = CLOCK_NEVER; /* no host is waited for: a pipe may take its time */
    }
}

int options_parse(int argc, char *const argv[], const char *environment, struct options *ret,
                  char error[OPTIONS_ERROR_MAX])
{
    struct parsing parsing = {
        .options = {.action = ACTION_ASK,
                    .request = {.count = 1},
                    .address = {.family = AF_VSOCK, .cid = HOST_CID, .port = VSOCK_DEFAULT_PORT},
                    .address_source = "default",
                    .connect_ms = CONNECT_MS},
        .error = error,
    };
    struct words words = {argv + (argc > 0 ? 1 : 0), argv + argc};
    int status = read_words(&parsing, &words);
    if (status == 0 && parsing.options.action != ACTION_HELP &&
        parsing.options.action != ACTION_VERSION) {
        status = check_command(&parsing);
    }
    if (status == 0 && parsing.options.action == ACTION_ASK) {
        status = settle_address(&parsing, environment);
    }
    if (status < 0) {
        return status;
    }
    settle_defaults(&parsing);
    *ret = parsing.options;
    return 0;
}
