/* SPDX-License-Identifier: Apache-2.0 */
#include "host/systemd/unit.h"

#include "wire/clock.h"
#include "wire/text.h"

#include <stdio.h>
#include <string.h>

#define SYSTEMD_ERROR(name) "org.freedesktop.systemd1." name
#define DBUS_ERROR(name)    "org.freedesktop.DBus.Error." name

struct verdict {
    const char *key;
    enum error_code code;
    const char *text; /* behind the unit's name */
};

/* Why a unit is not started, by the name of the error. */
static const struct verdict refusals[] = {
    {SYSTEMD_ERROR("NoSuchUnit"), ERROR_UNAVAILABLE, "is not installed on this host"},
    {SYSTEMD_ERROR("LoadFailed"), ERROR_UNAVAILABLE, "cannot be loaded"},
    {SYSTEMD_ERROR("BadUnitSetting"), ERROR_UNAVAILABLE, "has a bad setting"},
    {SYSTEMD_ERROR("UnitMasked"), ERROR_UNAVAILABLE, "is masked on this host"},
    {SYSTEMD_ERROR("OnlyByDependency"), ERROR_UNAVAILABLE, "may not be started by itself"},
    {DBUS_ERROR("AccessDenied"), ERROR_INTERNAL, "may not be started by vsock_host (polkit)"},
    {DBUS_ERROR("InteractiveAuthorizationRequired"), ERROR_INTERNAL,
     "may not be started by vsock_host (polkit)"},
    {DBUS_ERROR("ServiceUnknown"), ERROR_UNAVAILABLE,
     "cannot be started: systemd is not on the bus"},
    {DBUS_ERROR("NameHasNoOwner"), ERROR_UNAVAILABLE,
     "cannot be started: systemd is not on the bus"},
    {"", ERROR_UNAVAILABLE, "cannot be started: the system bus cannot be reached"},
};

/* How systemd's job ended, where the unit's state does not show it. */
static const struct verdict job_ends[] = {
    {"", ERROR_INTERNAL, "was requested; its result is unknown"},
    {"timeout", ERROR_TIMEOUT, "was not started in time"},
    {"canceled", ERROR_UNAVAILABLE, "was canceled before it had started"},
    {"dependency", ERROR_UNAVAILABLE, "was not started: a unit that it needs failed"},
    {"skipped", ERROR_UNAVAILABLE, "was skipped"},
    {"assert", ERROR_UNAVAILABLE, "was not started: an assertion of it does not hold"},
    {"unsupported", ERROR_UNAVAILABLE, "is not supported on this host"},
    {"invalid", ERROR_INTERNAL, "cannot be started in its current state"},
    {"collected", ERROR_INTERNAL, "was dropped by systemd"},
    {"once", ERROR_UNAVAILABLE, "was started before, and starts only once"},
};

static const struct verdict *find_verdict(const struct verdict *table, size_t count,
                                          const char *key)
{
    size_t at = 0;
    while (at < count && strcmp(table[at].key, key) != 0) {
        at++;
    }
    return at < count ? &table[at] : NULL;
}

static bool has_succeeded(const struct unit_outcome *outcome)
{
    static const char *const states[] = {"active", "reloading", "inactive"};
    bool good = false;
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        good = good || strcmp(outcome->active, states[i]) == 0;
    }
    return good && strcmp(outcome->job, "done") == 0 && strcmp(outcome->result, "success") == 0;
}

/* systemd's job ended in a way that only the unit's state shows. */
static struct verdict judge_state(const struct unit_outcome *outcome)
{
    if (has_succeeded(outcome)) {
        return (struct verdict){"", ERROR_NONE, "succeeded"};
    }
    bool late = strcmp(outcome->result, "timeout") == 0;
    return (struct verdict){"", late ? ERROR_TIMEOUT : ERROR_UNAVAILABLE, "failed"};
}

static struct verdict judge_outcome(const struct unit_outcome *outcome)
{
    const struct verdict *found = NULL;
    switch (outcome->end) {
    case UNIT_REFUSED:
        found = find_verdict(refusals, sizeof refusals / sizeof refusals[0], outcome->error);
        return found != NULL ? *found : (struct verdict){"", ERROR_INTERNAL, "cannot be started"};
    case UNIT_ENDED:
        found = find_verdict(job_ends, sizeof job_ends / sizeof job_ends[0], outcome->job);
        return found != NULL ? *found : judge_state(outcome);
    case UNIT_LATE:
        return (struct verdict){"", ERROR_TIMEOUT,
                                outcome->outcome_unknown
                                    ? "was requested; systemd has not answered since"
                                    : "did not end in time, and continues"};
    case UNIT_LEFT:
    default:
        return (struct verdict){"", ERROR_SHUTTING_DOWN,
                                "continues; the host does not wait for it"};
    }
}

enum error_code unit_outcome_code(const struct unit_outcome *outcome)
{
    return judge_outcome(outcome).code;
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
    (void)snprintf(line, sizeof line, "%.260s %s%s%s%s", unit, judge_outcome(outcome).text, state,
                   outcome->message[0] != '\0' ? ": " : "", outcome->message);
    (void)escape_text(text_of(line), ESCAPE_LINE, out, UNIT_WORDS_MAX);
}

enum {
    POLL_PERIOD_MS = 10 * 1000, /* of a unit whose end was not received */
    RETRY_MS = 1000,            /* between two tries to reach a bus that went away */
    GET_LIMIT_MS = 5 * 1000,    /* for each property of a unit */
    /* A call without an answer may still be waiting for polkit, and be carried out later. */
    IDLE_POLLS_UNANSWERED = 2,
};

struct run {
    const struct unit_start *start;
    struct unit_outcome outcome;
    struct bus bus;
    char job_path[BUS_PATH_MAX];     /* of systemd's job; "": not received */
    char removed_path[BUS_PATH_MAX]; /* of the last JobRemoved; "": none yet */
    char removed_result[UNIT_WORD_MAX];
    unsigned idle_polls; /* in a row, that found nothing pending */
    int64_t answered_ms; /* when systemd answered last */
};

static bool copy_word(char *out, size_t size, const char *text)
{
    int length = snprintf(out, size, "%s", text);
    return length >= 0 && (size_t)length < size;
}

static int64_t earlier_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* From when on systemd counts as silent. */
static int64_t silent_at_ms(const struct run *run)
{
    return run->answered_ms +
           (run->start->silence_ms != 0 ? run->start->silence_ms : (int64_t)UNIT_SILENCE_MS);
}

static bool is_job_done(const void *context)
{
    const struct run *run = context;
    return run->job_path[0] != '\0' && strcmp(run->job_path, run->removed_path) == 0;
}

static void on_removed(void *context, const char *unit, const char *job, const char *result)
{
    struct run *run = context;
    if (!is_job_done(run) && strcmp(unit, run->start->unit) == 0 &&
        copy_word(run->removed_path, sizeof run->removed_path, job)) {
        (void)copy_word(run->removed_result, UNIT_WORD_MAX, result); /* words are short */
    }
}

/* Reads the state of the unit. *idle: systemd has no job for it. */
static int read_state(struct run *run, bool *idle)
{
    struct unit_outcome *outcome = &run->outcome;
    char pending[BUS_PATH_MAX] = "";
    const struct {
        enum bus_property property;
        char *out;
        size_t size;
    } properties[] = {
        {BUS_UNIT_JOB, pending, sizeof pending},
        {BUS_UNIT_ACTIVE, outcome->active, UNIT_WORD_MAX},
        {BUS_UNIT_SUB, outcome->sub, UNIT_WORD_MAX},
        {BUS_UNIT_RESULT, outcome->result, UNIT_WORD_MAX},
    };
    int result = BUS_ANSWERED;
    for (size_t i = 0; result >= 0 && i < sizeof properties / sizeof properties[0]; i++) {
        result = bus_get(&run->bus, run->start->unit, properties[i].property,
                         clock_deadline(GET_LIMIT_MS), properties[i].out, properties[i].size);
    }
    *idle = result >= 0 && strcmp(pending, BUS_NO_JOB) == 0;
    return result;
}

/* The job has ended. A unit that is active may fail within the settle time. */
static void set_ended(struct run *run)
{
    bool idle = false;
    run->outcome.end = UNIT_ENDED;
    if (is_job_done(run)) {
        (void)copy_word(run->outcome.job, UNIT_WORD_MAX, run->removed_result); /* the same size */
    }
    int result = read_state(run, &idle);
    if (result >= 0 && run->start->settle_ms > 0 && strcmp(run->outcome.active, "active") == 0 &&
        bus_process(&run->bus, NULL, NULL, clock_deadline(run->start->settle_ms)) != BUS_STOPPED) {
        result = read_state(run, &idle);
    }
    if (result < 0 && result != BUS_REFUSED) {
        (void)copy_word(run->outcome.message, BUS_MESSAGE_MAX,
                        "its state cannot be read from systemd");
    }
}

/* True: the job is done, as far as the unit shows. */
static bool poll_unit(struct run *run)
{
    bool idle = false;
    if (run->bus.bus == NULL && bus_open(&run->bus) < 0) {
        return false;
    }
    int result = read_state(run, &idle);
    if (result < 0 && result != BUS_REFUSED && result != BUS_TIMEOUT && result != BUS_STOPPED) {
        bus_close(&run->bus);
    }
    run->outcome.outcome_unknown = result < 0;
    if (result >= 0) {
        run->answered_ms = clock_ms();
    }
    run->idle_polls = idle ? run->idle_polls + 1 : 0;
    return run->idle_polls >= (run->job_path[0] != '\0' ? 1 : IDLE_POLLS_UNANSWERED);
}

static bool is_late(const struct run *run)
{
    int64_t now_ms = clock_ms();
    return now_ms >= run->start->deadline_ms ||
           (run->outcome.outcome_unknown && now_ms >= silent_at_ms(run));
}

/* Waits for the end of the job: JobRemoved, or what a poll finds. */
static void follow_job(struct run *run)
{
    for (;;) {
        int64_t poll_ms = clock_deadline(run->bus.bus != NULL ? POLL_PERIOD_MS : RETRY_MS);
        int result =
            bus_process(&run->bus, is_job_done, run, earlier_of(poll_ms, run->start->deadline_ms));
        if (result == BUS_ANSWERED) {
            break;
        }
        if (result == BUS_STOPPED) {
            run->outcome.end = UNIT_LEFT;
            return;
        }
        if (result != BUS_TIMEOUT) {
            bus_close(&run->bus);
            run->outcome.outcome_unknown = true;
        } else if (clock_ms() < run->start->deadline_ms && poll_unit(run)) {
            break;
        }
        if (is_late(run)) {
            run->outcome.end = UNIT_LATE;
            return;
        }
    }
    set_ended(run);
}

static void request_start(struct run *run)
{
    int result = bus_open(&run->bus);
    if (result < 0) {
        (void)copy_word(run->outcome.message, BUS_MESSAGE_MAX,
                        strerror(-result)); /* cut: no matter */
        return;
    }
    result = bus_start(&run->bus, run->start->restart ? "RestartUnit" : "StartUnit",
                       run->start->unit, earlier_of(run->start->deadline_ms, silent_at_ms(run)),
                       run->job_path, run->outcome.error, run->outcome.message);
    if (result == BUS_REFUSED || result == BUS_STOPPED) {
        run->outcome.end = result == BUS_STOPPED ? UNIT_LEFT : UNIT_REFUSED;
        return;
    }
    if (result < 0) { /* the unit shows whether it was received */
        bus_close(&run->bus);
        run->outcome.outcome_unknown = true;
    } else {
        run->answered_ms = clock_ms();
    }
    follow_job(run);
}

void unit_run(const struct unit_start *start, struct unit_outcome *ret)
{
    struct run run = {.start = start, .outcome = {.end = UNIT_REFUSED}, .answered_ms = clock_ms()};
    run.bus = (struct bus){.stop_fd = start->stop_fd, .on_removed = on_removed, .context = &run};
    request_start(&run);
    bus_close(&run.bus);
    *ret = run.outcome;
}

static bool is_working(const char *active)
{
    static const char *const states[] = {"activating", "active", "reloading", "deactivating"};
    size_t count = sizeof states / sizeof states[0];
    size_t at = 0;
    while (at < count && strcmp(states[at], active) != 0) {
        at++;
    }
    return at < count;
}

/* The job first: one that ends meanwhile leaves its unit working, or done. */
static int read_pending(struct bus *bus, const char *unit, int64_t until_ms, bool *ret)
{
    char job[BUS_PATH_MAX] = "";
    char active[UNIT_WORD_MAX] = "";
    int result = bus_get(bus, unit, BUS_UNIT_JOB, until_ms, job, sizeof job);
    if (result == BUS_ANSWERED) {
        result = bus_get(bus, unit, BUS_UNIT_ACTIVE, until_ms, active, sizeof active);
    }
    if (result == BUS_ANSWERED) {
        *ret = strcmp(job, BUS_NO_JOB) != 0 || is_working(active);
    }
    return result;
}

int unit_is_pending(const char *unit, int stop_fd, int64_t limit_ms, bool *ret)
{
    struct bus bus = {.stop_fd = stop_fd};
    int result = bus_open(&bus);
    if (result == 0) {
        result = read_pending(&bus, unit, clock_deadline(limit_ms), ret);
    }
    bus_close(&bus);
    return result;
}
