/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/options.h"

#include "compat/client.h"
#include "guest/help.h"
#include "wire/clock.h"
#include "wire/number.h"
#include "wire/suggest.h"
#include "wire/text.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>

#define SECONDS_MAX_MS (INT64_C(1000000000) * 1000)
#define DEFAULT_ECHO   "/dev/tty1,/dev/ttyS0"

enum {
    TIMEOUT_MS = 30 * 1000,
    LONG_TIMEOUT_MS = 3600 * 1000, /* upgrade, and --follow */
    CONNECT_MS = 5 * 1000,
    HOST_CID = 2,
};

/* Options without a letter: above every character. OPTION_COMMAND plus a command: the older form. */
enum {
    OPTION_CONNECT_TIMEOUT = 256,
    OPTION_PROTOCOL,
    OPTION_PROGRESS,
    OPTION_URL,
    OPTION_HASH,
    OPTION_NO_WAIT,
    OPTION_COUNT,
    OPTION_ECHO,
    OPTION_FOLLOW,
    OPTION_COMMAND = 512,
};

static const struct row {
    const char *name;
    int option; /* its letter, or one of the above */
    int argument;
    const char *value_name;
    enum command command; /* the only one that takes it; COMMAND_NONE: all */
} rows[] = {
    {"--address", 'a', required_argument, "ADDR", COMMAND_NONE},
    {"--port", 'p', required_argument, "PORT", COMMAND_NONE},
    {"--timeout", 't', required_argument, "SECONDS", COMMAND_NONE},
    {"--connect-timeout", OPTION_CONNECT_TIMEOUT, required_argument, "SECONDS", COMMAND_NONE},
    {"--protocol", OPTION_PROTOCOL, required_argument, "NAME", COMMAND_NONE},
    {"--output", 'o', required_argument, "FORMAT", COMMAND_NONE},
    {"--progress", OPTION_PROGRESS, required_argument, "WHEN", COMMAND_NONE},
    {"--verbose", 'v', no_argument, NULL, COMMAND_NONE},
    {"--quiet", 'q', no_argument, NULL, COMMAND_NONE},
    {"--help", 'h', no_argument, NULL, COMMAND_NONE},
    {"--version", 'V', no_argument, NULL, COMMAND_NONE},
    {"--url", OPTION_URL, required_argument, "URL", COMMAND_UPGRADE},
    {"--hash", OPTION_HASH, required_argument, "SHA256", COMMAND_UPGRADE},
    {"--no-wait", OPTION_NO_WAIT, no_argument, NULL, COMMAND_UPGRADE},
    {"--count", OPTION_COUNT, required_argument, "N", COMMAND_NOTIFY},
    {"--echo", OPTION_ECHO, optional_argument, "DEVICE,...", COMMAND_NOTIFY},
    {"--follow", OPTION_FOLLOW, no_argument, NULL, COMMAND_GET_UPGRADE_STATUS},
#define OLDER(command, argument, value_name) \
    OPTION_COMMAND + (command), (argument), (value_name), (command)
    {"--attach-hsm", OLDER(COMMAND_ATTACH_HSM, no_argument, NULL)},
    {"--detach-hsm", OLDER(COMMAND_DETACH_HSM, no_argument, NULL)},
    {"--get-hostos-version", OLDER(COMMAND_GET_HOSTOS_VERSION, no_argument, NULL)},
    {"--upgrade", OLDER(COMMAND_UPGRADE, required_argument, "URL")},
    {"--notify", OLDER(COMMAND_NOTIFY, required_argument, "MESSAGE")},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

/* The command line while it is read. */
struct parsing {
    struct options options;
    const char *command_word; /* as it was written; also help and decode; NULL: none yet */
    bool older_form;          /* the command is an option */
    bool ended;               /* by --help or --version: what follows is not read */
    bool seen[ROWS];
    uint32_t port;
    char *error; /* OPTIONS_ERROR_MAX bytes */
};

const char *options_name(size_t index)
{
    return index < ROWS ? rows[index].name : NULL;
}

static const struct row *find_row(int option)
{
    const struct row *row = rows;
    while (row->option != option) {
        row++; /* getopt returns options of the table alone */
    }
    return row;
}

static bool was_seen(const struct parsing *parsing, int option)
{
    return parsing->seen[find_row(option) - rows];
}

/* Sets the error; always -EINVAL. */
PRINTF_LIKE(2, 3)
static int refuse_line(struct parsing *parsing, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(parsing->error, OPTIONS_ERROR_MAX, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

/* `word` is the command as it was written. */
static int set_command(struct parsing *parsing, enum command command, const char *word)
{
    if (parsing->command_word != NULL) {
        return refuse_line(parsing, "one command at a time: '%s' comes after '%s'", word,
                           parsing->command_word);
    }
    parsing->command_word = word;
    parsing->options.request.command = command;
    return 0;
}

static int set_message(struct parsing *parsing, const char *message)
{
    const char *wrong = options_judge_message(text_of(message));
    if (wrong != NULL) {
        return refuse_line(parsing, "%s", wrong);
    }
    parsing->options.request.message = text_of(message);
    return 0;
}

/* The index of `value` in a list of names, which is in the order of an enum. */
static int find_choice(struct parsing *parsing, const char *option, const char *value,
                       const char *const names[3], unsigned *ret)
{
    for (*ret = 0; *ret < 3; (*ret)++) {
        if (strcmp(value, names[*ret]) == 0) {
            return 0;
        }
    }
    const char *near = suggest_name(value, names, 3);
    return refuse_line(parsing, "%s takes %s, %s or %s, not '%s'%s%s%s", option, names[0], names[1],
                       names[2], value, near != NULL ? "; did you mean '" : "",
                       near != NULL ? near : "", near != NULL ? "'?" : "");
}

static int parse_seconds(struct parsing *parsing, const char *option, const char *value,
                         int64_t *ret_ms)
{
    if (decimal_parse_seconds(value, 0, SECONDS_MAX_MS, ret_ms) < 0) {
        return refuse_line(parsing,
                           "%s takes seconds from 0 to 1000000000, such as 30 or 0.5, not '%s'",
                           option, value);
    }
    return 0;
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

static int set_address(struct parsing *parsing, const char *value)
{
    const char *why = NULL;
    if (address_parse(value, ADDRESS_CONNECT, &parsing->options.address, &why) < 0) {
        return refuse_line(parsing, "--address '%s': %s", value, why);
    }
    return 0;
}

static int set_number(struct parsing *parsing, const char *option, const char *value, uint32_t min,
                      uint32_t max, uint32_t *ret)
{
    uint64_t number = 0;
    if (decimal_parse(value, min, max, &number) < 0) {
        return refuse_line(parsing, "%s takes a number from %u to %u, not '%s'", option, min, max,
                           value);
    }
    *ret = (uint32_t)number;
    return 0;
}

static int set_timeout(struct parsing *parsing, const char *value)
{
    int64_t limit_ms = 0;
    int error = parse_seconds(parsing, "--timeout", value, &limit_ms);
    parsing->options.timeout_ms = limit_ms > 0 ? limit_ms : CLOCK_NEVER;
    return error;
}

static int set_protocol(struct parsing *parsing, const char *value)
{
    if (client_find_protocol(value, &parsing->options.dialect) < 0) {
        char names[CLIENT_NAMES_MAX];
        client_protocol_names(", ", names);
        return refuse_line(parsing, "--protocol takes one of %s, not '%s'", names, value);
    }
    return 0;
}

static int set_url(struct parsing *parsing, const char *value)
{
    size_t length = strlen(value);
    if (length == 0 || length > URL_MAX || !utf8_valid(value, length)) {
        return refuse_line(parsing, "the url has %zu bytes%s; expected 1 to %d bytes of UTF-8",
                           length, utf8_valid(value, length) ? "" : " that are not UTF-8", URL_MAX);
    }
    parsing->options.request.url = text_of(value);
    return 0;
}

static int set_hash(struct parsing *parsing, const char *value)
{
    if (sha256_parse(text_of(value), parsing->options.request.sha256) < 0) {
        return refuse_line(parsing,
                           "--hash takes the SHA-256 of the image, 64 hex digits, not '%.80s' "
                           "(%zu bytes)",
                           value, strlen(value));
    }
    return 0;
}

static int set_echo(struct parsing *parsing, const char *value)
{
    if (value != NULL && value[0] == '\0') {
        return refuse_line(parsing,
                           "--echo= names no device; expected --echo or --echo=DEVICE,...");
    }
    parsing->options.echo_devices = value != NULL ? value : DEFAULT_ECHO;
    return 0;
}

/* The older form: a command as an option, with its URL or message as the value. */
static int set_older_command(struct parsing *parsing, enum command command, const char *value)
{
    int error = set_command(parsing, command, find_row(OPTION_COMMAND + (int)command)->name);
    parsing->older_form = true;
    if (error == 0 && command == COMMAND_UPGRADE) {
        error = set_url(parsing, value);
    } else if (error == 0 && command == COMMAND_NOTIFY) {
        error = set_message(parsing, value);
    }
    return error;
}

static void set_flag(struct parsing *parsing, int option)
{
    struct options *options = &parsing->options;
    switch (option) {
    case 'v':
    case 'q':
        options->verbose = option == 'v';
        options->quiet = option == 'q';
        break;
    case 'h':
        options->action = ACTION_HELP;
        options->topic = parsing->older_form ? NULL : parsing->command_word;
        parsing->ended = true;
        break;
    case 'V':
        options->action = ACTION_VERSION;
        parsing->ended = true;
        break;
    case OPTION_NO_WAIT:
        options->no_wait = true;
        break;
    default:
        options->follow = true;
        break;
    }
}

static int apply_option(struct parsing *parsing, int option, const char *value)
{
    static const char *const outputs[] = {"payload", "value", "json"};
    static const char *const whens[] = {"auto", "always", "never"};
    struct options *options = &parsing->options;
    unsigned choice = 0;
    int error = 0;
    parsing->seen[find_row(option) - rows] = true;
    switch (option) {
    case 'a':
        return set_address(parsing, value);
    case 'p':
        return set_number(parsing, "--port", value, 1, UINT32_MAX - 1, &parsing->port);
    case 't':
        return set_timeout(parsing, value);
    case OPTION_CONNECT_TIMEOUT:
        return parse_seconds(parsing, "--connect-timeout", value, &options->connect_ms);
    case OPTION_PROTOCOL:
        return set_protocol(parsing, value);
    case 'o':
        error = find_choice(parsing, "--output", value, outputs, &choice);
        options->output = (enum output_format)choice;
        return error;
    case OPTION_PROGRESS:
        error = find_choice(parsing, "--progress", value, whens, &choice);
        options->progress = (enum when)choice;
        return error;
    case OPTION_URL:
        return set_url(parsing, value);
    case OPTION_HASH:
        return set_hash(parsing, value);
    case OPTION_COUNT:
        return set_number(parsing, "--count", value, 0, UINT32_MAX, &options->request.count);
    case OPTION_ECHO:
        return set_echo(parsing, value);
    default:
        break;
    }
    if (option > OPTION_COMMAND) {
        return set_older_command(parsing, (enum command)(option - OPTION_COMMAND), value);
    }
    set_flag(parsing, option);
    return 0;
}

/* A long option that is none, or the beginning of more than one. */
static int refuse_long(struct parsing *parsing, const char *word)
{
    const char *names[ROWS];
    char name[64];
    char matches[OPTIONS_ERROR_MAX] = "";
    size_t count = 0;
    size_t used = 0;
    size_t length = strcspn(word + 2, "=");
    snprintf(name, sizeof name, "%.*s", (int)length, word + 2);
    for (size_t i = 0; i < ROWS; i++) {
        names[i] = rows[i].name + 2;
        if (length > 0 && strncmp(rows[i].name + 2, word + 2, length) == 0) {
            used += (size_t)snprintf(matches + used, sizeof matches - used, "%s%s",
                                     count++ > 0 ? " or " : "", rows[i].name);
        }
    }
    if (count > 1) {
        return refuse_line(parsing, "option '--%s' is ambiguous; expected %s", name, matches);
    }
    const char *near = suggest_name(name, names, ROWS);
    if (near == NULL) {
        return refuse_line(parsing, "unknown option '%s'; see 'vsock_guest --help'", word);
    }
    return refuse_line(parsing, "unknown option '%s'; did you mean --%s?", word, near);
}

/* What getopt_long did not accept in `word`: ':' a missing value, '?' anything else. */
static int refuse_option(struct parsing *parsing, int problem, const char *word)
{
    if (problem == ':') {
        const struct row *row = find_row(optopt);
        return refuse_line(parsing, "%s needs a value: %s %s", row->name, row->name,
                           row->value_name);
    }
    if (word[1] != '-') {
        return refuse_line(parsing, "unknown option '-%c' in '%s'; see 'vsock_guest --help'",
                           optopt, word);
    }
    if (optopt != 0) {
        return refuse_line(parsing, "%s takes no value", find_row(optopt)->name);
    }
    return refuse_long(parsing, word);
}

static int refuse_command(struct parsing *parsing, const char *word)
{
    const char *near = help_suggest(word);
    if (near == NULL) {
        return refuse_line(parsing, "unknown command '%s'; see 'vsock_guest --help'", word);
    }
    return refuse_line(parsing, "unknown command '%s'; did you mean %s?", word, near);
}

static int read_command(struct parsing *parsing, const char *word)
{
    enum command command = command_find(word);
    if (strcmp(word, "decode") == 0) {
        parsing->options.action = ACTION_DECODE;
    } else if (strcmp(word, "help") == 0) {
        parsing->options.action = ACTION_HELP;
    } else if (command == COMMAND_NONE) {
        return refuse_command(parsing, word);
    }
    return set_command(parsing, command, word);
}

/* A word that is not an option: the command, or its argument. */
static int read_word(struct parsing *parsing, const char *word)
{
    struct options *options = &parsing->options;
    if (parsing->command_word == NULL) {
        return read_command(parsing, word);
    }
    if (options->action == ACTION_HELP && options->topic == NULL) {
        options->topic = word;
        return help_has(word) ? 0 : refuse_command(parsing, word);
    }
    if (options->action == ACTION_DECODE && options->file == NULL) {
        options->file = word;
        return 0;
    }
    if (options->request.command == COMMAND_NOTIFY && options->request.message.bytes == NULL) {
        options->message_from_stdin = strcmp(word, "-") == 0;
        return set_message(parsing, word);
    }
    if (help_has(word)) {
        return set_command(parsing, COMMAND_NONE, word);
    }
    return refuse_line(parsing, "'%s' is one word too many for %s%s", word, parsing->command_word,
                       options->request.command == COMMAND_NOTIFY ? "; put the message in quotes"
                                                                  : "");
}

static int read_words(struct parsing *parsing, int argc, char *const argv[])
{
    struct option long_options[ROWS + 1] = {{NULL, 0, NULL, 0}};
    for (size_t i = 0; i < ROWS; i++) {
        long_options[i] = (struct option){rows[i].name + 2, rows[i].argument, NULL, rows[i].option};
    }
    int error = 0;
    optind = 0; /* getopt(3): begins anew */
    opterr = 0;
    while (error == 0 && !parsing->ended) {
        const char *word = argv[optind > 0 ? optind : argc > 1];
        /* "-": words are returned in their order, as option 1; ":": a missing value as ':' */
        int option = getopt_long(argc, argv, "-:a:p:t:o:vqhV", long_options, NULL);
        if (option == -1) {
            break;
        }
        if (option == 1) {
            error = read_word(parsing, optarg);
        } else if (option == ':' || option == '?') {
            error = refuse_option(parsing, option, word);
        } else {
            error = apply_option(parsing, option, optarg);
        }
    }
    while (error == 0 && !parsing->ended && optind < argc) { /* after -- */
        error = read_word(parsing, argv[optind++]);
    }
    return error;
}

/* Options that belong to one command are an error beside another. */
static int check_owners(struct parsing *parsing)
{
    for (const struct row *row = rows; row < rows + ROWS; row++) {
        if (parsing->seen[row - rows] && row->command != COMMAND_NONE &&
            row->command != parsing->options.request.command) {
            return refuse_line(parsing, "%s belongs to %s, not to %s", row->name,
                               command_name(row->command), parsing->command_word);
        }
    }
    return 0;
}

static int check_command(struct parsing *parsing)
{
    const struct request *request = &parsing->options.request;
    if (parsing->command_word == NULL) {
        return refuse_line(parsing, "no command is given; see 'vsock_guest --help'");
    }
    if (request->command == COMMAND_UPGRADE && request->url.length == 0) {
        return refuse_line(parsing, "upgrade needs --url URL");
    }
    if (request->command == COMMAND_UPGRADE && !was_seen(parsing, OPTION_HASH)) {
        return refuse_line(parsing, "upgrade needs --hash SHA256");
    }
    if (request->command == COMMAND_NOTIFY && request->message.bytes == NULL) {
        return refuse_line(parsing, "notify needs a MESSAGE, or - to read it from stdin");
    }
    return check_owners(parsing);
}

/* The address: --address, else the environment, else the default; then --port. */
static int set_final_address(struct parsing *parsing, const char *environment)
{
    struct options *options = &parsing->options;
    bool has_address = was_seen(parsing, 'a');
    const char *why = NULL;
    if (has_address) {
        options->address_source = "option --address";
    } else if (environment != NULL && environment[0] != '\0') {
        if (address_parse(environment, ADDRESS_CONNECT, &options->address, &why) < 0) {
            return refuse_line(parsing, "VSOCK_HOST_ADDRESS '%s': %s", environment, why);
        }
        options->address_source = "environment VSOCK_HOST_ADDRESS";
    }
    if (!was_seen(parsing, 'p')) {
        return 0;
    }
    if (options->address.family == AF_UNIX) {
        return !has_address ? 0
                            : refuse_line(parsing, "--port goes with a vsock address; --address "
                                                   "names a Unix socket");
    }
    options->address.port = parsing->port;
    if (!has_address) {
        options->address_source = "option --port";
    }
    return 0;
}

static void set_defaults(struct parsing *parsing)
{
    struct options *options = &parsing->options;
    if (parsing->older_form && !was_seen(parsing, 'o')) {
        options->output = OUTPUT_VALUE;
    }
    if (was_seen(parsing, 't')) {
        return;
    }
    bool lasting = options->request.command == COMMAND_UPGRADE || options->follow;
    options->timeout_ms = lasting ? LONG_TIMEOUT_MS : TIMEOUT_MS;
    if (options->action != ACTION_ASK) {
        options->timeout_ms = CLOCK_NEVER; /* no host is asked; a pipe may be slow */
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
    int status = read_words(&parsing, argc, argv);
    if (status == 0 && parsing.options.action != ACTION_HELP &&
        parsing.options.action != ACTION_VERSION) {
        status = check_command(&parsing);
    }
    if (status == 0 && parsing.options.action == ACTION_ASK) {
        status = set_final_address(&parsing, environment);
    }
    if (status < 0) {
        return status;
    }
    set_defaults(&parsing);
    *ret = parsing.options;
    return 0;
}
