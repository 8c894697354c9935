/* SPDX-License-Identifier: Apache-2.0 */
#include "host/errand/errand_run.h"

#include <poll.h>
#include <stdio.h>

#include "host/errand/errand_line.h"
#include "host/log/log.h"
#include "host/program/program.h"
#include "host/systemd/unit_job.h"
#include "wire/clock.h"
#include "wire/escape.h"

enum { NAME_MAX_BYTES = 64, RESULT_PATH_MAX = 256 };

static bool stopped(const struct errand_order *order)
{
    struct pollfd fd = {.fd = order->stop_fd, .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}

static void on_line(void *context, const char *line)
{
    const struct errand_order *order = context;
    char cid[16];
    (void)snprintf(cid, sizeof(cid), "%u", order->cid);
    const struct log_field fields[] = {{"VSOCK_CID", cid},
                                       {"VSOCK_COMMAND", command_name(order->command)}};
    log_event(PRIORITY_INFO, NULL, fields, sizeof(fields) / sizeof(fields[0]), "%s: %s",
              command_name(order->command), line);
}

/* The program's own line counts, however it ended. Without one: how it ended. */
static enum error_code judge(const struct errand_order *order, const struct program_result *result,
                             const char *said, char text[TICKET_TEXT_MAX])
{
    struct errand_line line;
    int error = errand_line_parse(said, result->said, &line);
    if (error == 0) {
        (void)escape_text(line.text, ESCAPE_LINE, text, TICKET_TEXT_MAX);
        return line.code;
    }
    if (result->end == PROGRAM_LEFT || (result->end == PROGRAM_ENDED && stopped(order))) {
        (void)snprintf(text, TICKET_TEXT_MAX, "the host is stopping; %s: %.1200s",
                       result->end == PROGRAM_LEFT ? "how this ends is not known"
                                                   : "whether this was done is not known",
                       result->how);
        return ERROR_SHUTTING_DOWN;
    }
    if (result->end == PROGRAM_ENDED) {
        (void)snprintf(text, TICKET_TEXT_MAX, "the step program %s: %.1200s",
                       errand_line_explain(error), result->how);
        return result->code == ERROR_TIMEOUT ? ERROR_TIMEOUT : ERROR_INTERNAL;
    }
    (void)snprintf(text, TICKET_TEXT_MAX, "%s", result->how);
    return result->code;
}

static enum error_code run_hsm(struct errand_order *order, char verb[], char text[TICKET_TEXT_MAX])
{
    char said[ERRAND_LINE_MAX];
    char option[] = "--config";
    char cid[16];
    char unit[NAME_MAX_BYTES];
    char result_path[RESULT_PATH_MAX];
    struct program_result result;
    (void)snprintf(cid, sizeof(cid), "%u", order->cid);
    (void)snprintf(unit, sizeof(unit), "vsock_host-hsm-%s@%s.service", verb, cid);
    (void)snprintf(result_path, sizeof(result_path), "%s/%s@%s", order->results, verb, cid);
    char *const argv[] = {
        order->conf->steps.hsm_program, option, order->config_path, verb, cid, NULL};
    const struct program program = {
        .method = order->conf->steps.method,
        .argv = argv,
        .unit = unit,
        .result_path = result_path,
        .said = said,
        .said_size = sizeof(said),
        .deadline_ms = clock_deadline(order->conf->hsm.timeout_ms + ERRAND_HSM_MARGIN_MS),
        .stop_fd = order->stop_fd,
        .on_line = on_line,
        .context = order,
    };
    program_run(&program, &result);
    return judge(order, &result, said, text);
}

static enum error_code run_guest_upgrade(const struct errand_order *order,
                                         char text[TICKET_TEXT_MAX])
{
    const struct unit_job job = {
        .unit = order->conf->guest_upgrade.unit,
        .restart = true,
        .deadline_ms = clock_deadline(ERRAND_GUEST_UPGRADE_MS),
        .stop_fd = order->stop_fd,
        .settle_ms = ERRAND_SETTLE_MS,
    };
    struct unit_outcome outcome;
    char words[UNIT_WORDS_MAX];
    unit_job_run(&job, &outcome);
    unit_outcome_format(&outcome, job.unit, words);
    (void)snprintf(text, TICKET_TEXT_MAX, "%s", words);
    return unit_outcome_well(&outcome) ? ERROR_NONE : unit_outcome_code(&outcome);
}

enum error_code errand_run(const struct errand_order *order, char text[TICKET_TEXT_MAX])
{
    struct errand_order own = *order;
    char attach[] = "attach";
    char detach[] = "detach";
    if (order->command == COMMAND_START_UPGRADE_GUEST_VM) {
        return run_guest_upgrade(order, text);
    }
    return run_hsm(&own, order->command == COMMAND_ATTACH_HSM ? attach : detach, text);
}
