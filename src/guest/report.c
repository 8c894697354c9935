/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/report.h"

#include "compat/json.h"
#include "guest/bytes.h"
#include "guest/help.h"
#include "wire/payload_text.h"
#include "wire/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char *make_line(const struct answer *response,
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

int report_format(const struct answer *response, enum output_format format, char **ret)
{
    char *line = NULL;
    if (format != OUTPUT_JSON) {
        line = make_line(response, format == OUTPUT_VALUE ? payload_value : payload_text);
    } else if (json_text(response, &line) < 0) {
        line = NULL;
    }
    /* The value form of NoPayload is nothing, not an empty line. */
    int length = line != NULL ? asprintf(ret, "%s%s", line, line[0] != '\0' ? "\n" : "") : -1;
    free(line);
    return length < 0 ? -ENOMEM : 0;
}

enum { LINE_MAX_BYTES = 4 * REPORT_TEXT_MAX };

static const char *describe_state(enum command command, const struct client_outcome *outcome)
{
    if (!outcome->sent) {
        return "no command was sent";
    }
    if (command == COMMAND_UPGRADE && !outcome->has_status) {
        return "the upgrade may be running at the host; send the same hash again to join it";
    }
    return help_unknown_outcome(command);
}

/* What to check after this error of connecting. */
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

void report_set(struct report *report, enum exit_code exit_code, const char *code,
                const char *format, ...)
{
    report->exit_code = exit_code;
    snprintf(report->code, sizeof report->code, "%s", code);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(report->text, sizeof report->text, format, arguments);
    va_end(arguments);
}

void report_stdout(struct report *report, const char *what, int error)
{
    report_set(report, EXIT_STDOUT, "broken", "%s: %s", what,
               error == -ETIME ? "nothing was read within the time limit" : strerror(-error));
}

void report_stopped(struct report *report, int signal, const char *text)
{
    report_set(report, EXIT_BROKEN, "broken", "ended by SIG%s; %s", sigabbrev_np(signal), text);
    report->signal = signal;
}

/* The code and the text that the host sent. */
static void report_error(const struct answer *answer, enum exit_code exit_code, struct report *ret)
{
    char message[REPORT_TEXT_MAX / 2];
    escape_text(answer->message, ESCAPE_LINE, message, sizeof message);
    char number[8];
    const char *code = error_name(answer->code);
    snprintf(number, sizeof number, "%u", answer->code);
    report_set(ret, exit_code, code != NULL ? code : number, "%s",
               message[0] != '\0' ? message : "the host sent no text");
}

static void report_no_protocol(const struct client_outcome *outcome, const char *where,
                               struct report *ret)
{
    if (outcome->text[0] != '\0') {
        report_set(ret, EXIT_NO_PROTOCOL, "protocol", "%s: %s; no command was sent", where,
                   outcome->text);
        return;
    }
    struct report error;
    report_error(&outcome->answer, EXIT_NO_PROTOCOL, &error);
    report_set(ret, EXIT_NO_PROTOCOL, error.code, "%s: %.2048s; no command was sent", where,
               error.text);
}

void report_outcome(const struct options *options, const struct client_outcome *outcome, int signal,
                    struct report *ret)
{
    char address[ADDRESS_TEXT_MAX];
    address_format(&options->address, address);
    char where[ADDRESS_TEXT_MAX + 64];
    snprintf(where, sizeof where, "%s (%s)", address, options->address_source);
    enum command command = options->request.command;
    switch (outcome->result) {
    case CLIENT_SATISFIED:
        ret->exit_code = EXIT_DONE;
        break;
    case CLIENT_ANSWERED:
        ret->exit_code = EXIT_DONE;
        if (outcome->answer.type == ANSWER_ERROR) {
            report_error(&outcome->answer, EXIT_HOST_ERROR, ret);
        }
        break;
    case CLIENT_NO_CONNECTION:
        report_set(ret, EXIT_NO_CONNECTION, "connect", "%s: %s; no command was sent; %s", where,
                   outcome->text, connect_hint(outcome->error));
        break;
    case CLIENT_TIME_OVER:
        report_set(ret, EXIT_TIME_OVER, "timeout", "%s: %s; %s", where, outcome->text,
                   describe_state(command, outcome));
        break;
    case CLIENT_NO_PROTOCOL:
    case CLIENT_NOT_CARRIED:
        report_no_protocol(outcome, where, ret);
        break;
    case CLIENT_TOO_LONG:
        report_set(ret, EXIT_USAGE, "usage", "%s", outcome->text);
        break;
    case CLIENT_BROKEN:
        report_set(ret, EXIT_BROKEN, "broken", "%s; %s", outcome->text,
                   describe_state(command, outcome));
        break;
    case CLIENT_STOPPED:
        report_stopped(ret, signal, describe_state(command, outcome));
        break;
    }
}

void report_failed_upgrade(const struct upgrade_status *status, struct report *ret)
{
    struct answer error = {.type = ANSWER_ERROR, .code = status->result, .message = status->detail};
    report_error(&error, EXIT_HOST_ERROR, ret);
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
    bytes_write_stderr(line, end + 1);
}
