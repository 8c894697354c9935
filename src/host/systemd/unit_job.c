/* SPDX-License-Identifier: Apache-2.0 */
#include "host/systemd/unit_job.h"

#include <stdio.h>
#include <string.h>

#include "host/systemd/unit_bus.h"
#include "wire/clock.h"

enum {
    LOOK_LIMIT_MS = 5 * 1000, /* for each thing that is asked about a unit */
    /* A question without an answer may still be waiting for polkit, and be carried out later. */
    IDLE_LOOKS_UNANSWERED = 2,
};

struct run {
    const struct unit_job *job;
    struct unit_outcome outcome;
    struct unit_bus bus;
    char job_path[UNIT_BUS_PATH_MAX];     /* of systemd's job; "": it was not told */
    char removed_path[UNIT_BUS_PATH_MAX]; /* of the job that JobRemoved told last; "": none yet */
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
        put(run->removed_path, sizeof(run->removed_path), job)) {
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
    char pending[UNIT_BUS_PATH_MAX] = "";
    const struct {
        enum unit_property property;
        char *out;
        size_t size;
    } asked[] = {
        {UNIT_JOB, pending, sizeof(pending)},
        {UNIT_ACTIVE, outcome->active, UNIT_WORD_MAX},
        {UNIT_SUB, outcome->sub, UNIT_WORD_MAX},
        {UNIT_RESULT, outcome->result, UNIT_WORD_MAX},
    };
    int result = UNIT_BUS_HEARD;
    for (size_t i = 0; result >= 0 && i < sizeof(asked) / sizeof(asked[0]); i++) {
        result = unit_bus_get(&run->bus, run->job->unit, asked[i].property,
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
        unit_bus_attend(&run->bus, never, NULL, clock_deadline(run->job->settle_ms)) !=
            UNIT_BUS_STOPPED) {
        result = look(run, &idle);
    }
    if (result < 0 && result != UNIT_BUS_REFUSED) {
        (void)put(run->outcome.message, UNIT_MESSAGE_MAX, "its state cannot be asked for");
    }
}

/* True: the job is over, as far as can be seen. */
static bool look_again(struct run *run)
{
    bool idle = false;
    if (run->bus.bus == NULL && unit_bus_open(&run->bus) < 0) {
        return false;
    }
    int result = look(run, &idle);
    if (result < 0 && result != UNIT_BUS_REFUSED && result != UNIT_BUS_TOO_LATE &&
        result != UNIT_BUS_STOPPED) {
        unit_bus_close(&run->bus);
    }
    run->outcome.unheard = result < 0;
    if (result >= 0) {
        run->heard_ms = clock_ms();
    }
    run->idle_looks = idle ? run->idle_looks + 1 : 0;
    return run->idle_looks >= (run->job_path[0] != '\0' ? 1 : IDLE_LOOKS_UNANSWERED);
}

static bool is_late(const struct run *run)
{
    int64_t now_ms = clock_ms();
    return now_ms >= run->job->deadline_ms || (run->outcome.unheard && now_ms >= unheard_at(run));
}

/* systemd was asked; waits for the end, by what it says or by what is seen. */
static void follow(struct run *run)
{
    int64_t look_ms = run->job->look_ms != 0 ? run->job->look_ms : UNIT_LOOK_MS;
    for (;;) {
        int64_t again_ms = clock_deadline(run->bus.bus != NULL ? look_ms : UNIT_RETRY_MS);
        int result =
            unit_bus_attend(&run->bus, job_is_over, run, earlier(again_ms, run->job->deadline_ms));
        if (result == UNIT_BUS_HEARD) {
            break;
        }
        if (result == UNIT_BUS_STOPPED) {
            run->outcome.end = UNIT_LEFT;
            return;
        }
        if (result != UNIT_BUS_TOO_LATE) {
            unit_bus_close(&run->bus);
            run->outcome.unheard = true;
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
    int result = unit_bus_open(&run->bus);
    if (result < 0) {
        (void)put(run->outcome.message, UNIT_MESSAGE_MAX, strerror(-result)); /* cut: no matter */
        return;
    }
    result = unit_bus_start(&run->bus, run->job->restart ? "RestartUnit" : "StartUnit",
                            run->job->unit, earlier(run->job->deadline_ms, unheard_at(run)),
                            run->job_path, &run->outcome);
    if (result == UNIT_BUS_REFUSED || result == UNIT_BUS_STOPPED) {
        run->outcome.end = result == UNIT_BUS_STOPPED ? UNIT_LEFT : UNIT_REFUSED;
        return;
    }
    if (result < 0) { /* whether it was heard is seen at the unit */
        unit_bus_close(&run->bus);
        run->outcome.unheard = true;
    } else {
        run->heard_ms = clock_ms();
    }
    follow(run);
}

void unit_job_run(const struct unit_job *job, struct unit_outcome *ret)
{
    struct run run = {.job = job, .outcome = {.end = UNIT_REFUSED}, .heard_ms = clock_ms()};
    run.bus = (struct unit_bus){.stop_fd = job->stop_fd, .removed = on_removed, .context = &run};
    begin(&run);
    unit_bus_close(&run.bus);
    *ret = run.outcome;
}
