/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/option_table.h"

#include "compat/client.h"
#include "wire/clock.h"
#include "wire/decimal.h"
#include "wire/escape.h"
#include "wire/hex.h"
#include "wire/nearest.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define SECONDS_MAX_MS (INT64_C(1000000000) * 1000)
#define DEFAULT_ECHO   "/dev/tty1,/dev/ttyS0"

int option_refuse(struct parsing *parsing, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(parsing->error, OPTIONS_ERROR_MAX, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

int option_begin_command(struct parsing *parsing, enum command command, const char *word)
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

int option_set_message(struct parsing *parsing, const char *message)
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
    const char *near = nearest_name(value, names, 3);
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
const size_t option_rows_count = sizeof(option_rows) / sizeof(option_rows[0]);
static_assert(sizeof(option_rows) / sizeof(option_rows[0]) <= OPTION_ROWS_MAX,
              "see struct parsing");

const struct option_row *option_find(const char *name, size_t length)
{
    for (size_t i = 0; i < option_rows_count; i++) {
        if (strlen(option_rows[i].name) == length &&
            memcmp(option_rows[i].name, name, length) == 0) {
            return &option_rows[i];
        }
    }
    return NULL;
}

const struct option_row *option_find_letter(char letter)
{
    for (size_t i = 0; i < option_rows_count; i++) {
        if (option_rows[i].letter == letter) {
            return &option_rows[i];
        }
    }
    return NULL;
}
