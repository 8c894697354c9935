/* SPDX-License-Identifier: Apache-2.0 */
#include "host/systemd/unit_outcome.h"

#include <stdio.h>

#include "wire/escape.h"

#define SYSTEMD_ERROR(name) "org.freedesktop.systemd1." name
#define DBUS_ERROR(name)    "org.freedesktop.DBus.Error." name

/* Why a unit is not started, by the name of the error. */
static const struct {
    const char *error;
    enum error_code code;
    const char *text; /* behind the unit's name */
} refusals[] = {
    {SYSTEMD_ERROR("NoSuchUnit"), ERROR_UNAVAILABLE, "is not installed on this host"},
    {SYSTEMD_ERROR("LoadFailed"), ERROR_UNAVAILABLE, "cannot be loaded"},
    {SYSTEMD_ERROR("BadUnitSetting"), ERROR_UNAVAILABLE, "has a bad setting"},
    {SYSTEMD_ERROR("UnitMasked"), ERROR_UNAVAILABLE, "is masked on this host"},
    {SYSTEMD_ERROR("OnlyByDependency"), ERROR_UNAVAILABLE, "may not be started by itself"},
    {DBUS_ERROR("AccessDenied"), ERROR_INTERNAL, "may not be started by vsock_host (polkit)"},
    {DBUS_ERROR("InteractiveAuthorizationRequired"), ERROR_INTERNAL,
     "may not be started by vsock_host (polkit)"},
    {DBUS_ERROR("ServiceUnknown"), ERROR_UNAVAILABLE, "cannot be started: systemd is not there"},
    {DBUS_ERROR("NameHasNoOwner"), ERROR_UNAVAILABLE, "cannot be started: systemd is not there"},
    {"", ERROR_UNAVAILABLE, "cannot be started: the system bus cannot be reached"},
};

/* How systemd's job ended, where that is not plain from the unit's state. */
static const struct {
    const char *job;
    enum error_code code;
    const char *text;
} job_ends[] = {
    {"", ERROR_INTERNAL, "was asked for, and how that ended was not heard of"},
    {"timeout", ERROR_TIMEOUT, "was not started in time"},
    {"canceled", ERROR_UNAVAILABLE, "was canceled before it had started"},
    {"dependency", ERROR_UNAVAILABLE, "was not started: a unit that it needs failed"},
    {"skipped", ERROR_UNAVAILABLE, "was skipped"},
    {"assert", ERROR_UNAVAILABLE, "was not started: an assertion of it does not hold"},
    {"unsupported", ERROR_UNAVAILABLE, "is not supported on this host"},
    {"invalid", ERROR_INTERNAL, "cannot be started in its present state"},
    {"collected", ERROR_INTERNAL, "was dropped by systemd"},
    {"once", ERROR_UNAVAILABLE, "was started before, and starts only once"},
};

static bool is(const char *text, const char *word)
{
    return strcmp(text, word) == 0;
}

bool unit_outcome_well(const struct unit_outcome *outcome)
{
    bool up = is(outcome->active, "active") || is(outcome->active, "reloading");
    bool work_done = is(outcome->active, "inactive");
    return outcome->end == UNIT_ENDED && is(outcome->job, "done") && (up || work_done) &&
           is(outcome->result, "success");
}

static size_t find_refusal(const struct unit_outcome *outcome)
{
    size_t count = sizeof(refusals) / sizeof(refusals[0]);
    size_t at = 0;
    while (at < count && !is(refusals[at].error, outcome->error)) {
        at++;
    }
    return at;
}

static size_t find_job_end(const struct unit_outcome *outcome)
{
    size_t count = sizeof(job_ends) / sizeof(job_ends[0]);
    size_t at = 0;
    while (at < count && !is(job_ends[at].job, outcome->job)) {
        at++;
    }
    return at;
}

static enum error_code ended_code(const struct unit_outcome *outcome)
{
    size_t at = find_job_end(outcome);
    if (at < sizeof(job_ends) / sizeof(job_ends[0])) {
        return job_ends[at].code;
    }
    return is(outcome->result, "timeout") ? ERROR_TIMEOUT : ERROR_UNAVAILABLE;
}

enum error_code unit_outcome_code(const struct unit_outcome *outcome)
{
    size_t at = find_refusal(outcome);
    switch (outcome->end) {
    case UNIT_REFUSED:
        return at < sizeof(refusals) / sizeof(refusals[0]) ? refusals[at].code : ERROR_INTERNAL;
    case UNIT_ENDED:
        return ended_code(outcome);
    case UNIT_LATE:
        return ERROR_TIMEOUT;
    case UNIT_LEFT:
        return ERROR_SHUTTING_DOWN;
    }
    return ERROR_INTERNAL;
}

static const char *describe(const struct unit_outcome *outcome)
{
    size_t refusal = find_refusal(outcome);
    size_t job_end = find_job_end(outcome);
    switch (outcome->end) {
    case UNIT_REFUSED:
        return refusal < sizeof(refusals) / sizeof(refusals[0]) ? refusals[refusal].text
                                                                : "cannot be started";
    case UNIT_ENDED:
        if (job_end < sizeof(job_ends) / sizeof(job_ends[0])) {
            return job_ends[job_end].text;
        }
        return unit_outcome_well(outcome) ? "has ended well" : "failed";
    case UNIT_LATE:
        return outcome->unheard ? "was asked for, and systemd has not been heard of since"
                                : "has not ended in time, and goes on";
    case UNIT_LEFT:
        return "goes on, and the host does not wait for it";
    }
    return "";
}

/* " (active/running, job done, result success)", as far as it is known. */
static void format_state(const struct unit_outcome *outcome, char *out, size_t size)
{
    char parts[5 * UNIT_WORD_MAX];
    (void)snprintf(parts, sizeof(parts), "%s%s%s%s%s%s%s", outcome->active,
                   outcome->sub[0] != '\0' ? "/" : "", outcome->sub,
                   outcome->job[0] != '\0' ? ", job " : "", outcome->job,
                   outcome->result[0] != '\0' ? ", result " : "", outcome->result);
    const char *text = parts[0] == ',' ? parts + 2 : parts;
    bool known = text[0] != '\0';
    (void)snprintf(out, size, "%s%s%s", known ? " (" : "", text, known ? ")" : "");
}

void unit_outcome_format(const struct unit_outcome *outcome, const char *unit,
                         char out[UNIT_WORDS_MAX])
{
    char state[6 * UNIT_WORD_MAX];
    char line[UNIT_WORDS_MAX];
    format_state(outcome, state, sizeof(state));
    (void)snprintf(line, sizeof(line), "%.260s %s%s%s%s", unit, describe(outcome), state,
                   outcome->message[0] != '\0' ? ": " : "", outcome->message);
    (void)escape_text(text_of(line), ESCAPE_LINE, out, UNIT_WORDS_MAX);
}
