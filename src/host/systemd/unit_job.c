/* SPDX-License-Identifier: Apache-2.0 */
#include "host/systemd/unit_job.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "wire/clock.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define OBJECT  "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"
#define UNIT    "org.freedesktop.systemd1.Unit"
#define SERVICE "org.freedesktop.systemd1.Service"

enum {
    PATH_MAX_BYTES = 512,     /* of an object: longer ones are not systemd's */
    LOOK_LIMIT_MS = 5 * 1000, /* for each thing that is asked about a unit */
    /* A question without an answer may still be waiting for polkit, and be carried out later. */
    IDLE_LOOKS_UNANSWERED = 2,
};

/* Results of our own, beside -errno of the bus. */
enum { HEARD = 0, REFUSED = -EREMOTEIO, STOPPED = -ECANCELED, TOO_LATE = -ETIMEDOUT };

struct run {
    const struct unit_job *job;
    struct unit_outcome outcome;
    sd_bus *bus;                       /* NULL: gone */
    char job_path[PATH_MAX_BYTES];     /* of systemd's job; "": it was not told */
    char removed_path[PATH_MAX_BYTES]; /* of the job that JobRemoved told last; "": none yet */
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

/* --- the bus, with an eye on the daemon's stop --- */

static int on_removed(sd_bus_message *message, void *context, sd_bus_error *error)
{
    struct run *run = context;
    uint32_t id = 0;
    const char *path = NULL;
    const char *unit = NULL;
    const char *result = NULL;
    (void)error; /* a signal is not answered */
    if (!is_over(run) && sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) >= 0 &&
        strcmp(unit, run->job->unit) == 0 &&
        put(run->removed_path, sizeof(run->removed_path), path)) {
        (void)put(run->removed_result, UNIT_WORD_MAX, result); /* words are short */
    }
    return 0;
}

/* JobRemoved of every unit: sd-bus compares an argument with a match only when all before it are
 * strings, and the first one here is a number. The answer to Subscribe says nothing that is needed: a
 * job's own client hears of its end in any case, and what is not heard is looked for. */
static int subscribe(struct run *run)
{
    int result = sd_bus_add_match_async(run->bus, NULL,
                                        "type='signal',sender='" SYSTEMD "',path='" OBJECT
                                        "',interface='" MANAGER "',member='JobRemoved'",
                                        on_removed, NULL, run);
    if (result >= 0) {
        result = sd_bus_call_method_async(run->bus, NULL, SYSTEMD, OBJECT, MANAGER, "Subscribe",
                                          NULL, NULL, NULL);
    }
    return result < 0 ? result : 0;
}

static int connect_bus(struct run *run)
{
    int result = sd_bus_open_system(&run->bus);
    if (result < 0) {
        run->bus = NULL;
        return result;
    }
    result = subscribe(run);
    if (result < 0) {
        run->bus = sd_bus_close_unref(run->bus);
    }
    return result;
}

/* Until something came, the daemon stops or the time is over; `bus` may be gone. */
static int wait_news(struct run *run, int64_t until_ms)
{
    struct pollfd fds[] = {
        {.fd = run->job->stop_fd, .events = POLLIN},
        {.fd = run->bus != NULL ? sd_bus_get_fd(run->bus) : -1},
    };
    uint64_t bus_usec = UINT64_MAX;
    if (run->bus != NULL) {
        int events = sd_bus_get_events(run->bus);
        int result = sd_bus_get_timeout(run->bus, &bus_usec);
        if (events < 0 || result < 0) {
            return events < 0 ? events : result;
        }
        fds[1].events = (short)events;
    }
    int64_t wake_ms = bus_usec / 1000 < (uint64_t)until_ms ? (int64_t)(bus_usec / 1000) : until_ms;
    int ready = poll(fds, sizeof(fds) / sizeof(fds[0]), clock_poll_timeout(wake_ms));
    return ready > 0 && fds[0].revents != 0 ? STOPPED : 0;
}

/* Deals with what has come until `over` says that it is enough. HEARD, STOPPED, TOO_LATE, or -errno:
 * the bus is gone. */
static int attend(struct run *run, bool (*over)(const void *context), const void *context,
                  int64_t until_ms)
{
    while (!over(context)) {
        int result = run->bus != NULL ? sd_bus_process(run->bus, NULL) : 0;
        if (result > 0) {
            continue;
        }
        if (result == 0) {
            result = clock_ms() < until_ms ? wait_news(run, until_ms) : TOO_LATE;
        }
        if (result < 0) {
            return result;
        }
    }
    return HEARD;
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

/* --- a call --- */

static int on_answer(sd_bus_message *message, void *context, sd_bus_error *error)
{
    (void)error; /* an answer is not answered */
    *(sd_bus_message **)context = sd_bus_message_ref(message);
    return 0;
}

static bool is_answered(const void *context)
{
    return *(sd_bus_message *const *)context != NULL;
}

/* The bus or systemd went away with our question: whether it was heard is not known. */
static bool tells_nothing(const sd_bus_error *error)
{
    return sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY) ||
           sd_bus_error_has_name(error, SD_BUS_ERROR_TIMEOUT) ||
           sd_bus_error_has_name(error, SD_BUS_ERROR_DISCONNECTED);
}

/* What is asked: a method that takes two strings, as all of ours do. */
struct question {
    const char *object;
    const char *interface;
    const char *method;
    const char *first;
    const char *second;
};

/* HEARD or REFUSED with *ret, the answer or the error; else how attend ended. */
static int call(struct run *run, const struct question *question, int64_t until_ms,
                sd_bus_message **ret)
{
    sd_bus_message *answer = NULL;
    sd_bus_slot *slot = NULL;
    int result = sd_bus_call_method_async(run->bus, &slot, SYSTEMD, question->object,
                                          question->interface, question->method, on_answer, &answer,
                                          "ss", question->first, question->second);
    if (result >= 0) {
        result = attend(run, is_answered, &answer, until_ms);
    }
    sd_bus_slot_unref(slot); /* no answer comes any more */
    if (result < 0) {
        sd_bus_message_unref(answer);
        return result;
    }
    const sd_bus_error *error = sd_bus_message_get_error(answer);
    if (error == NULL) {
        *ret = answer;
        return HEARD;
    }
    if (tells_nothing(error)) {
        sd_bus_message_unref(answer);
        return -ECONNRESET;
    }
    *ret = answer;
    return REFUSED;
}

/* --- what is asked --- */

static void keep_refusal(struct unit_outcome *outcome, const sd_bus_error *error)
{
    (void)put(outcome->error, UNIT_ERROR_MAX, error->name); /* cut: none that is known */
    (void)put(outcome->message, UNIT_MESSAGE_MAX, error->message != NULL ? error->message : "");
}

static int start(struct run *run)
{
    const struct question question = {OBJECT, MANAGER,
                                      run->job->restart ? "RestartUnit" : "StartUnit",
                                      run->job->unit, "replace"};
    sd_bus_message *answer = NULL;
    const char *path = NULL;
    int result = call(run, &question, earlier(run->job->deadline_ms, unheard_at(run)), &answer);
    if (result == REFUSED) {
        keep_refusal(&run->outcome, sd_bus_message_get_error(answer));
    } else if (result == HEARD && sd_bus_message_read(answer, "o", &path) >= 0) {
        (void)put(run->job_path, sizeof(run->job_path), path); /* cut: it is looked for */
    }
    sd_bus_message_unref(answer);
    return result;
}

/* One property: a string, or the object of a pair. */
static int get(struct run *run, const char *object, const char *interface, const char *property,
               const char *type, char *out, size_t size)
{
    const struct question question = {object, "org.freedesktop.DBus.Properties", "Get", interface,
                                      property};
    sd_bus_message *answer = NULL;
    const char *value = NULL;
    uint32_t number = 0;
    int result = call(run, &question, clock_deadline(LOOK_LIMIT_MS), &answer);
    if (result == HEARD) {
        result = type[0] == '(' ? sd_bus_message_read(answer, "v", type, &number, &value)
                                : sd_bus_message_read(answer, "v", type, &value);
    }
    if (result >= 0) {
        (void)put(out, size, value); /* cut: no state that is known */
    }
    sd_bus_message_unref(answer);
    return result < 0 ? result : HEARD;
}

/* What the unit is at. *idle: systemd has nothing more to do for it. */
static int look(struct run *run, bool *idle)
{
    struct unit_outcome *outcome = &run->outcome;
    char pending[PATH_MAX_BYTES] = "";
    const struct {
        const char *interface, *property;
        char *out;
    } asked[] = {
        {UNIT, "ActiveState", outcome->active},
        {UNIT, "SubState", outcome->sub},
        {SERVICE, "Result", outcome->result},
    };
    char *object = NULL;
    int result = sd_bus_path_encode(OBJECT "/unit", run->job->unit, &object);
    if (result >= 0) {
        result = get(run, object, UNIT, "Job", "(uo)", pending, sizeof(pending));
    }
    for (size_t i = 0; result >= 0 && i < sizeof(asked) / sizeof(asked[0]); i++) {
        result = get(run, object, asked[i].interface, asked[i].property, "s", asked[i].out,
                     UNIT_WORD_MAX);
    }
    free(object);
    *idle = result >= 0 && strcmp(pending, "/") == 0;
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
        attend(run, never, NULL, clock_deadline(run->job->settle_ms)) != STOPPED) {
        result = look(run, &idle);
    }
    if (result < 0 && result != REFUSED) {
        (void)put(run->outcome.message, UNIT_MESSAGE_MAX, "its state cannot be asked for");
    }
}

/* True: the job is over, as far as can be seen. */
static bool look_again(struct run *run)
{
    bool idle = false;
    if (run->bus == NULL && connect_bus(run) < 0) {
        return false;
    }
    int result = look(run, &idle);
    if (result < 0 && result != REFUSED && result != TOO_LATE && result != STOPPED) {
        run->bus = sd_bus_close_unref(run->bus);
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
        int64_t again_ms = clock_deadline(run->bus != NULL ? look_ms : UNIT_RETRY_MS);
        int result = attend(run, job_is_over, run, earlier(again_ms, run->job->deadline_ms));
        if (result == HEARD) {
            break;
        }
        if (result == STOPPED) {
            run->outcome.end = UNIT_LEFT;
            return;
        }
        if (result != TOO_LATE) {
            run->bus = sd_bus_close_unref(run->bus);
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
    int result = connect_bus(run);
    if (result < 0) {
        (void)put(run->outcome.message, UNIT_MESSAGE_MAX, strerror(-result)); /* cut: no matter */
        return;
    }
    result = start(run);
    if (result == REFUSED || result == STOPPED) {
        run->outcome.end = result == STOPPED ? UNIT_LEFT : UNIT_REFUSED;
        return;
    }
    if (result < 0) { /* whether it was heard is seen at the unit */
        run->bus = sd_bus_close_unref(run->bus);
        run->outcome.unheard = true;
    } else {
        run->heard_ms = clock_ms();
    }
    follow(run);
}

void unit_job_run(const struct unit_job *job, struct unit_outcome *ret)
{
    struct run run = {.job = job, .outcome = {.end = UNIT_REFUSED}, .heard_ms = clock_ms()};
    begin(&run);
    sd_bus_close_unref(run.bus);
    *ret = run.outcome;
}
