/* SPDX-License-Identifier: Apache-2.0 */
#include "host/systemd/unit.h"

#include "host/systemd/bus.h"
#include "wire/clock.h"
#include "wire/text.h"

#include <stdio.h>
#include <string.h>

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
    size_t count = sizeof refusals / sizeof refusals[0];
    size_t at = 0;
    while (at < count && !is(refusals[at].error, outcome->error)) {
        at++;
    }
    return at;
}

static size_t find_job_end(const struct unit_outcome *outcome)
{
    size_t count = sizeof job_ends / sizeof job_ends[0];
    size_t at = 0;
    while (at < count && !is(job_ends[at].job, outcome->job)) {
        at++;
    }
    return at;
}

static enum error_code ended_code(const struct unit_outcome *outcome)
{
    size_t at = find_job_end(outcome);
    if (at < sizeof job_ends / sizeof job_ends[0]) {
        return job_ends[at].code;
    }
    return is(outcome->result, "timeout") ? ERROR_TIMEOUT : ERROR_UNAVAILABLE;
}

enum error_code unit_outcome_code(const struct unit_outcome *outcome)
{
    size_t at = find_refusal(outcome);
    switch (outcome->end) {
    case UNIT_REFUSED:
        return at < sizeof refusals / sizeof refusals[0] ? refusals[at].code : ERROR_INTERNAL;
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
    size_t protocol_error = find_refusal(outcome);
    size_t job_end = find_job_end(outcome);
    switch (outcome->end) {
    case UNIT_REFUSED:
        return protocol_error < sizeof refusals / sizeof refusals[0] ? refusals[protocol_error].text
                                                                     : "cannot be started";
    case UNIT_ENDED:
        if (job_end < sizeof job_ends / sizeof job_ends[0]) {
            return job_ends[job_end].text;
        }
        return unit_outcome_well(outcome) ? "has ended well" : "failed";
    case UNIT_LATE:
        return outcome->outcome_unknown ? "was asked for, and systemd has not been heard of since"
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
    (void)snprintf(parts, sizeof parts, "%s%s%s%s%s%s%s", outcome->active,
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
    format_state(outcome, state, sizeof state);
    (void)snprintf(line, sizeof line, "%.260s %s%s%s%s", unit, describe(outcome), state,
                   outcome->message[0] != '\0' ? ": " : "", outcome->message);
    (void)escape_text(text_of(line), ESCAPE_LINE, out, UNIT_WORDS_MAX);
}

enum {
    LOOK_LIMIT_MS = 5 * 1000, /* for each thing that is asked about a unit */
    /* A question without an answer may still be waiting for polkit, and be carried out later. */
    IDLE_LOOKS_UNANSWERED = 2,
};

struct run {
    const struct unit_start *job;
    struct unit_outcome outcome;
    struct bus bus;
    char job_path[BUS_PATH_MAX];     /* of systemd's job; "": it was not told */
    char removed_path[BUS_PATH_MAX]; /* of the job that JobRemoved told last; "": none yet */
    char removed_result[UNIT_WORD_MAX];
    unsigned idle_looks; /* in a row, that saw nothing pending */
    int64_t heard_ms;    /* when systemd was heard of last */
};

static bool put(char *out, size_t size, const char *text)
{
    int length = snprintf(out, size, "%s", text);
    return length >= 0 && (size_t)length < size;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* From when on the silence is long enough. */
static int64_t unheard_at(const struct run *run)
{
    return run->heard_ms +
           (run->job->unheard_ms != 0 ? run->job->unheard_ms : (int64_t)UNIT_UNHEARD_MS);
}

static bool is_over(const struct run *run)
{
    return run->job_path[0] != '\0' && strcmp(run->job_path, run->removed_path) == 0;
}

static void on_removed(void *context, const char *unit, const char *job, const char *result)
{
    struct run *run = context;
    if (!is_over(run) && strcmp(unit, run->job->unit) == 0 &&
        put(run->removed_path, sizeof run->removed_path, job)) {
        (void)put(run->removed_result, UNIT_WORD_MAX, result); /* words are short */
    }
}

static bool job_is_over(const void *context)
{
    return is_over(context);
}

static bool never(const void *context)
{
    (void)context;
    return false;
}

/* What the unit is at. *idle: systemd has nothing more to do for it. */
static int look(struct run *run, bool *idle)
{
    struct unit_outcome *outcome = &run->outcome;
    char pending[BUS_PATH_MAX] = "";
    const struct {
        enum bus_property property;
        char *out;
        size_t size;
    } asked[] = {
        {UNIT_JOB, pending, sizeof pending},
        {UNIT_ACTIVE, outcome->active, UNIT_WORD_MAX},
        {UNIT_SUB, outcome->sub, UNIT_WORD_MAX},
        {UNIT_RESULT, outcome->result, UNIT_WORD_MAX},
    };
    int result = BUS_HEARD;
    for (size_t i = 0; result >= 0 && i < sizeof asked / sizeof asked[0]; i++) {
        result = bus_get(&run->bus, run->job->unit, asked[i].property,
                         clock_deadline(LOOK_LIMIT_MS), asked[i].out, asked[i].size);
    }
    *idle = result >= 0 && strcmp(pending, UNIT_NO_JOB) == 0;
    return result;
}

/* --- the whole of it --- */

/* The job has ended: what came of it. A unit that is up is given time to fall over. */
static void conclude(struct run *run)
{
    bool idle = false;
    run->outcome.end = UNIT_ENDED;
    if (is_over(run)) {
        (void)put(run->outcome.job, UNIT_WORD_MAX, run->removed_result); /* the same size */
    }
    int result = look(run, &idle);
    if (result >= 0 && run->job->settle_ms > 0 && strcmp(run->outcome.active, "active") == 0 &&
        bus_attend(&run->bus, never, NULL, clock_deadline(run->job->settle_ms)) != BUS_STOPPED) {
        result = look(run, &idle);
    }
    if (result < 0 && result != BUS_REFUSED) {
        (void)put(run->outcome.message, UNIT_MESSAGE_MAX, "its state cannot be asked for");
    }
}

/* True: the job is over, as far as can be seen. */
static bool look_again(struct run *run)
{
    bool idle = false;
    if (run->bus.bus == NULL && bus_open(&run->bus) < 0) {
        return false;
    }
    int result = look(run, &idle);
    if (result < 0 && result != BUS_REFUSED && result != BUS_TOO_LATE && result != BUS_STOPPED) {
        bus_close(&run->bus);
    }
    run->outcome.outcome_unknown = result < 0;
    if (result >= 0) {
        run->heard_ms = clock_ms();
    }
    run->idle_looks = idle ? run->idle_looks + 1 : 0;
    return run->idle_looks >= (run->job_path[0] != '\0' ? 1 : IDLE_LOOKS_UNANSWERED);
}

static bool is_late(const struct run *run)
{
    int64_t now_ms = clock_ms();
    return now_ms >= run->job->deadline_ms ||
           (run->outcome.outcome_unknown && now_ms >= unheard_at(run));
}

/* systemd was asked; waits for the end, by what it says or by what is seen. */
static void follow(struct run *run)
{
    int64_t look_ms = run->job->look_ms != 0 ? run->job->look_ms : UNIT_LOOK_MS;
    for (;;) {
        int64_t again_ms = clock_deadline(run->bus.bus != NULL ? look_ms : UNIT_RETRY_MS);
        int result =
            bus_attend(&run->bus, job_is_over, run, earlier(again_ms, run->job->deadline_ms));
        if (result == BUS_HEARD) {
            break;
        }
        if (result == BUS_STOPPED) {
            run->outcome.end = UNIT_LEFT;
            return;
        }
        if (result != BUS_TOO_LATE) {
            bus_close(&run->bus);
            run->outcome.outcome_unknown = true;
        } else if (clock_ms() < run->job->deadline_ms && look_again(run)) {
            break;
        }
        if (is_late(run)) {
            run->outcome.end = UNIT_LATE;
            return;
        }
    }
    conclude(run);
}

static void begin(struct run *run)
{
    int result = bus_open(&run->bus);
    if (result < 0) {
        (void)put(run->outcome.message, UNIT_MESSAGE_MAX, strerror(-result)); /* cut: no matter */
        return;
    }
    result =
        bus_start(&run->bus, run->job->restart ? "RestartUnit" : "StartUnit", run->job->unit,
                  earlier(run->job->deadline_ms, unheard_at(run)), run->job_path, &run->outcome);
    if (result == BUS_REFUSED || result == BUS_STOPPED) {
        run->outcome.end = result == BUS_STOPPED ? UNIT_LEFT : UNIT_REFUSED;
        return;
    }
    if (result < 0) { /* whether it was heard is seen at the unit */
        bus_close(&run->bus);
        run->outcome.outcome_unknown = true;
    } else {
        run->heard_ms = clock_ms();
    }
    follow(run);
}

void unit_run(const struct unit_start *job, struct unit_outcome *ret)
{
    struct run run = {.job = job, .outcome = {.end = UNIT_REFUSED}, .heard_ms = clock_ms()};
    run.bus = (struct bus){.stop_fd = job->stop_fd, .removed = on_removed, .context = &run};
    begin(&run);
    bus_close(&run.bus);
    *ret = run.outcome;
}

static bool is_at_work(const char *active)
{
    static const char *const states[] = {"activating", "active", "reloading", "deactivating"};
    size_t count = sizeof states / sizeof states[0];
    size_t at = 0;
    while (at < count && strcmp(states[at], active) != 0) {
        at++;
    }
    return at < count;
}

/* The job first: one that ends meanwhile leaves its unit at work, or done. */
static int unit_pending_look(struct bus *bus, const char *unit, int64_t until_ms, bool *ret)
{
    char job[BUS_PATH_MAX] = "";
    char active[UNIT_WORD_MAX] = "";
    int result = bus_get(bus, unit, UNIT_JOB, until_ms, job, sizeof job);
    if (result == BUS_HEARD) {
        result = bus_get(bus, unit, UNIT_ACTIVE, until_ms, active, sizeof active);
    }
    if (result == BUS_HEARD) {
        *ret = strcmp(job, UNIT_NO_JOB) != 0 || is_at_work(active);
    }
    return result;
}

int unit_is_pending(const char *unit, int stop_fd, int64_t limit_ms, bool *ret)
{
    struct bus bus = {.stop_fd = stop_fd};
    int result = bus_open(&bus);
    if (result == 0) {
        result = unit_pending_look(&bus, unit, clock_deadline(limit_ms), ret);
    }
    bus_close(&bus);
    return result;
}
