/* SPDX-License-Identifier: Apache-2.0 */
/* What each outcome becomes: exit code and error line. */
#include "guest/ask.h"
#include "guest/report.h"
#include "support/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#define WHERE "unix:/s (option --address)"

static struct options options_of(enum command command)
{
    return (struct options){.request = {.command = command},
                            .address = {.family = AF_UNIX, .path = "/s"},
                            .address_source = "option --address"};
}

static void check(enum command command, struct client_outcome outcome, enum exit_code exit_code,
                  const char *line)
{
    struct options options = options_of(command);
    struct report report = {.exit_code = EXIT_STDOUT};
    char got[REPORT_CODE_MAX + REPORT_TEXT_MAX + 2];
    report_outcome(&options, &outcome, SIGTERM, &report);
    snprintf(got, sizeof got, "%s: %s", report.code, report.text);
    CHECK_EQUAL(report.exit_code, exit_code);
    CHECK_EQUAL(report.signal, outcome.result == CLIENT_STOPPED ? SIGTERM : 0);
    if (line != NULL) {
        if (strcmp(got, line) != 0) {
            fprintf(stderr, "got  %s\nwant %s\n", got, line);
        }
        CHECK_STRING(got, line);
    }
}

UNIT_TEST(test_done, "done")
{
    check(COMMAND_UPGRADE, (struct client_outcome){.result = CLIENT_SATISFIED}, EXIT_DONE, NULL);
    check(COMMAND_UPGRADE,
          (struct client_outcome){.result = CLIENT_ANSWERED, .answer = {.type = ANSWER_RESPONSE}},
          EXIT_DONE, NULL);
}

UNIT_TEST(test_errors_of_the_host, "errors of the host")
{
    struct client_outcome outcome = {.result = CLIENT_ANSWERED, .sent = true};
    outcome.answer = answer_error(ERROR_BUSY, "later");
    check(COMMAND_UPGRADE, outcome, EXIT_HOST_ERROR, "busy: later");
    outcome.answer = answer_error(ERROR_BUSY, "");
    check(COMMAND_UPGRADE, outcome, EXIT_HOST_ERROR, "busy: the host sent no text");
    outcome.answer = answer_error(ERROR_BUSY, "a\x1b");
    outcome.answer.code = 999;
    check(COMMAND_UPGRADE, outcome, EXIT_HOST_ERROR, "999: a\\x1b");
}

UNIT_TEST(test_no_connection, "no connection")
{
    check(COMMAND_NOTIFY,
          (struct client_outcome){
              .result = CLIENT_NO_CONNECTION, .error = ECONNREFUSED, .text = "no"},
          EXIT_NO_CONNECTION,
          "connect: " WHERE ": no; no command was sent; is vsock_host running on the host?");
    check(COMMAND_NOTIFY,
          (struct client_outcome){
              .result = CLIENT_NO_CONNECTION, .error = EAFNOSUPPORT, .text = "no"},
          EXIT_NO_CONNECTION,
          "connect: " WHERE ": no; no command was sent; the kernel's vsock module is missing "
          "(vmw_vsock_virtio_transport)");
    check(COMMAND_NOTIFY,
          (struct client_outcome){.result = CLIENT_NO_CONNECTION, .error = EACCES, .text = "no"},
          EXIT_NO_CONNECTION,
          "connect: " WHERE ": no; no command was sent; permission is missing: run it as a user "
          "who may use the socket");
    check(COMMAND_NOTIFY,
          (struct client_outcome){.result = CLIENT_NO_CONNECTION, .error = EMFILE, .text = "no"},
          EXIT_NO_CONNECTION, "connect: " WHERE ": no; no command was sent; is the address right?");
}

UNIT_TEST(test_time_over, "time over")
{
    struct client_outcome outcome = {
        .result = CLIENT_TIME_OVER, .has_status = true, .text = "late"};
    check(COMMAND_UPGRADE, outcome, EXIT_TIME_OVER,
          "timeout: " WHERE ": late; no command was sent");
    outcome.sent = true;
    check(COMMAND_UPGRADE, outcome, EXIT_TIME_OVER,
          "timeout: " WHERE
          ": late; the upgrade may be running at the host; check with 'vsock_guest "
          "get-upgrade-status', or send the same hash again to join it");
    outcome.has_status = false;
    check(COMMAND_UPGRADE, outcome, EXIT_TIME_OVER,
          "timeout: " WHERE ": late; the upgrade may be running at the host; send the same hash "
          "again to join it");
    check(COMMAND_GET_UPGRADE_STATUS, outcome, EXIT_TIME_OVER,
          "timeout: " WHERE ": late; the command changes nothing at the host; ask again");
}

UNIT_TEST(test_no_protocol, "no protocol")
{
    check(COMMAND_NOTIFY, (struct client_outcome){.result = CLIENT_NO_PROTOCOL, .text = "nonsense"},
          EXIT_NO_PROTOCOL, "protocol: " WHERE ": nonsense; no command was sent");
    check(COMMAND_NOTIFY,
          (struct client_outcome){.result = CLIENT_NOT_CARRIED, .text = "not in this dialect"},
          EXIT_NO_PROTOCOL, "protocol: " WHERE ": not in this dialect; no command was sent");
    check(COMMAND_NOTIFY,
          (struct client_outcome){.result = CLIENT_NO_PROTOCOL,
                                  .answer = answer_error(ERROR_UNSUPPORTED_VERSION, "2.0 here")},
          EXIT_NO_PROTOCOL, "unsupported_version: " WHERE ": 2.0 here; no command was sent");
}

UNIT_TEST(test_the_rest, "the rest")
{
    check(COMMAND_NOTIFY, (struct client_outcome){.result = CLIENT_TOO_LONG, .text = "long"},
          EXIT_USAGE, "usage: long");
    check(COMMAND_NOTIFY,
          (struct client_outcome){.result = CLIENT_BROKEN, .sent = true, .text = "gone"},
          EXIT_BROKEN, "broken: gone; the message may have been shown on the host's consoles");
    check(COMMAND_NOTIFY, (struct client_outcome){.result = CLIENT_STOPPED}, EXIT_BROKEN,
          "broken: ended by SIGTERM; no command was sent");
    check(COMMAND_ATTACH_HSM, (struct client_outcome){.result = CLIENT_STOPPED, .sent = true},
          EXIT_BROKEN,
          "broken: ended by SIGTERM; the HSM may have been attached; asking again does no harm");
}

UNIT_TEST(test_a_failed_upgrade, "a failed upgrade")
{
    struct upgrade_status status = {
        .phase = PHASE_FAILED, .result = ERROR_HASH_MISMATCH, .detail = text_of("another file")};
    struct report report = {0};
    report_failed_upgrade(&status, &report);
    CHECK_EQUAL(report.exit_code, EXIT_HOST_ERROR);
    CHECK_STRING(report.code, "hash_mismatch");
    CHECK_STRING(report.text, "another file");
}

UNIT_TEST(test_phases_that_end_following, "phases that end following")
{
    static const bool ended[] = {true, false, false, false, false, true, true, true, false};
    for (unsigned phase = 0; phase < COUNT(ended); phase++) {
        CHECK_ROW("phase = %u", phase);
        CHECK_EQUAL(follow_has_ended(phase), ended[phase]);
    }
}

UNIT_MAIN("guest: report")
