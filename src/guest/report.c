/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/report.h"

#include "compat/json_text.h"
#include "guest/bytes.h"
#include "wire/payload_text.h"
#include "wire/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A line by one of the writers of wire/payload_text.h. */
static char *line_of(const struct answer *response,
                     size_t (*write_line)(const struct answer *, char *, size_t))
{
    char probe[1];
    size_t length = write_line(response, probe, sizeof probe);
    char *line = malloc(length + 1);
    if (line != NULL) {
        (void)write_line(response, line, length + 1);
    }
    return line;
}

static char *form(const struct answer *response, enum output_format format)
{
    char *json = NULL;
    switch (format) {
    case OUTPUT_JSON:
        return json_text(response, &json) < 0 ? NULL : json;
    case OUTPUT_VALUE:
        return line_of(response, payload_value);
    case OUTPUT_PAYLOAD:
        break;
    }
    return line_of(response, payload_text);
}

int output_format(const struct answer *response, enum output_format format, char **ret)
{
    char *line = form(response, format);
    size_t length = line != NULL ? strlen(line) : 0;
    char *ended = realloc(line, length + sizeof "\n");
    if (line == NULL || ended == NULL) {
        free(ended != NULL ? ended : line);
        return -ENOMEM;
    }
    /* The value form of NoPayload is nothing, not an empty line. */
    stpcpy(ended + length, length > 0 ? "\n" : "");
    *ret = ended;
    return 0;
}

enum { LINE_MAX_BYTES = 4 * REPORT_TEXT_MAX };

const struct report_meaning report_exits[] = {
    {REPORT_DONE, "done"},
    {REPORT_HOST_ERROR, "the host answered with an error"},
    {REPORT_USAGE, "usage, or a request that is too long"},
    {REPORT_NO_CONNECTION, "no connection could be made"},
    {REPORT_TIME_OVER, "time limit"},
    {REPORT_NO_PROTOCOL,
     "no common protocol, a command it cannot carry, or nonsense before sending"},
    {REPORT_BROKEN, "broken after the request was sent: whether it was done is not known"},
    {REPORT_STDOUT, "done, but stdout could not be written"},
};
const size_t report_exits_count = sizeof report_exits / sizeof report_exits[0];

/* What may still be going on when a request was sent and its answer is not known. */
struct aftermath {
    enum command command;
    const char *text;
};
static const struct aftermath aftermaths[] = {
    {COMMAND_ATTACH_HSM, "the HSM may have been attached; asking again does no harm"},
    {COMMAND_DETACH_HSM, "the HSM may have been detached; asking again does no harm"},
    {COMMAND_UPGRADE, "the upgrade may be going on at the host; 'vsock_guest get-upgrade-status' "
                      "tells, and the same hash again joins it"},
    {COMMAND_NOTIFY, "the message may have been shown on the host's consoles"},
    {COMMAND_START_UPGRADE_GUEST_VM, "the upgrade of the guest VM may have been started"},
};

static const char *aftermath_of(enum command command, const struct client_outcome *outcome)
{
    if (!outcome->sent) {
        return "no command was sent";
    }
    if (command == COMMAND_UPGRADE && !outcome->tells_status) {
        return "the upgrade may be going on at the host; the same hash again joins it";
    }
    for (size_t i = 0; i < sizeof aftermaths / sizeof aftermaths[0]; i++) {
        if (aftermaths[i].command == command) {
            return aftermaths[i].text;
        }
    }
    return "the question changes nothing at the host and can be asked again";
}

/* What to look at when the last try to connect failed so. */
static const char *connect_hint(int error)
{
    static const struct {
        int error;
        const char *hint;
    } hints[] = {
        {ECONNREFUSED, "is vsock_host running on the host?"},
        {ECONNRESET, "is vsock_host running on the host?"},
        {ENOENT, "is vsock_host running, and is this its socket?"},
        {ENODEV, "does this machine have a vsock device (a virtual machine's guest has)?"},
        {ETIMEDOUT, "is the host there, and is the CID right?"},
        {EACCES, "permission is missing: run it as a user who may use the socket"},
        {EPERM, "permission is missing: run it as a user who may use the socket"},
        {EAFNOSUPPORT, "the kernel's vsock module is missing (vmw_vsock_virtio_transport)"},
    };
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        if (hints[i].error == error) {
            return hints[i].hint;
        }
    }
    return "is the address right?";
}

static void set_code(struct report *report, unsigned code)
{
    const char *name = error_name(code);
    if (name != NULL) {
        snprintf(report->code, sizeof report->code, "%s", name);
    } else {
        snprintf(report->code, sizeof report->code, "%u", code);
    }
}

void report_set(struct report *report, enum report_exit exit_code, const char *code,
                const char *format, ...)
{
    report->exit_code = exit_code;
    snprintf(report->code, sizeof report->code, "%s", code);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(report->text, sizeof report->text, format, arguments);
    va_end(arguments);
}

void report_stopped(struct report *report, int signal, const char *text)
{
    report_set(report, REPORT_BROKEN, "broken", "ended by SIG%s; %s", sigabbrev_np(signal), text);
    report->signal = signal;
}

/* The host's own words, behind their code. */
static void report_error(const struct answer *answer, enum report_exit exit_code,
                         struct report *ret)
{
    char message[REPORT_TEXT_MAX / 2];
    escape_text(answer->message, ESCAPE_LINE, message, sizeof message);
    report_set(ret, exit_code, "", "%s",
               message[0] != '\0' ? message : "the host says no more than that");
    set_code(ret, answer->code);
}

static void report_no_protocol(const struct client_outcome *outcome, const char *where,
                               struct report *ret)
{
    if (outcome->text[0] != '\0') {
        report_set(ret, REPORT_NO_PROTOCOL, "protocol", "%s: %s; no command was sent", where,
                   outcome->text);
        return;
    }
    struct report words;
    report_error(&outcome->answer, REPORT_NO_PROTOCOL, &words);
    report_set(ret, REPORT_NO_PROTOCOL, words.code, "%s: %.2048s; no command was sent", where,
               words.text);
}

void report_outcome(const struct options *options, const struct client_outcome *outcome, int signal,
                    struct report *ret)
{
    char address[ADDRESS_TEXT_MAX];
    address_format(&options->address, address);
    char where[ADDRESS_TEXT_MAX + 64];
    snprintf(where, sizeof where, "%s (%s)", address, options->address_source);
    const char *aftermath = aftermath_of(options->request.command, outcome);
    switch (outcome->result) {
    case CLIENT_SATISFIED:
        report_set(ret, REPORT_DONE, "", "%s", "");
        break;
    case CLIENT_ANSWERED:
        if (outcome->answer.type == ANSWER_ERROR) {
            report_error(&outcome->answer, REPORT_HOST_ERROR, ret);
        } else {
            report_set(ret, REPORT_DONE, "", "%s", "");
        }
        break;
    case CLIENT_NO_CONNECTION:
        report_set(ret, REPORT_NO_CONNECTION, "connect", "%s: %s; no command was sent; %s", where,
                   outcome->text, connect_hint(outcome->error));
        break;
    case CLIENT_TIME_OVER:
        report_set(ret, REPORT_TIME_OVER, "timeout", "%s: %s; %s", where, outcome->text, aftermath);
        break;
    case CLIENT_NO_PROTOCOL:
    case CLIENT_NOT_CARRIED:
        report_no_protocol(outcome, where, ret);
        break;
    case CLIENT_TOO_LONG:
        report_set(ret, REPORT_USAGE, "usage", "%s", outcome->text);
        break;
    case CLIENT_BROKEN:
        report_set(ret, REPORT_BROKEN, "broken", "%s; %s", outcome->text, aftermath);
        break;
    case CLIENT_STOPPED:
        report_stopped(ret, signal, aftermath);
        break;
    }
}

void report_failed_upgrade(const struct upgrade_status *status, struct report *ret)
{
    struct answer words = {.type = ANSWER_ERROR, .code = status->result, .message = status->detail};
    report_error(&words, REPORT_HOST_ERROR, ret);
}

/* Written with one call, so that lines of several programs do not mix. */
void report_print(const struct report *report)
{
    char line[LINE_MAX_BYTES];
    int length = snprintf(line, sizeof line, "error: %s: ", report->code);
    escape_text(text_of(report->text), ESCAPE_LINE, line + length,
                sizeof line - (size_t)length - 1);
    size_t end = strlen(line);
    line[end] = '\n';
    bytes_tell(line, end + 1);
}
