/* SPDX-License-Identifier: Apache-2.0 */
#include "host/systemd/bus.h"

#include "wire/clock.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define SYSTEMD "org.freedesktop.systemd1"
#define OBJECT  "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"
#define UNIT    "org.freedesktop.systemd1.Unit"
#define SERVICE "org.freedesktop.systemd1.Service"

/* --- the connection --- */

static int on_removed(sd_bus_message *message, void *context, sd_bus_error *error)
{
    const struct bus *bus = context;
    uint32_t id = 0;
    const char *path = NULL;
    const char *unit = NULL;
    const char *result = NULL;
    (void)error; /* a signal is not answered */
    if (sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) >= 0) {
        bus->removed(bus->context, unit, path, result);
    }
    return 0;
}

/* JobRemoved of every unit: sd-bus compares an argument with a match only when all before it are
 * strings, and the first one here is a number. The answer to Subscribe says nothing that is needed: a
 * job's own client hears of its end in any case, and what is not heard is looked for. */
static int subscribe(struct bus *bus)
{
    int result = sd_bus_add_match_async(bus->bus, NULL,
                                        "type='signal',sender='" SYSTEMD "',path='" OBJECT
                                        "',interface='" MANAGER "',member='JobRemoved'",
                                        on_removed, NULL, bus);
    if (result >= 0) {
        result = sd_bus_call_method_async(bus->bus, NULL, SYSTEMD, OBJECT, MANAGER, "Subscribe",
                                          NULL, NULL, NULL);
    }
    return result < 0 ? result : 0;
}

int bus_open(struct bus *bus)
{
    int result = sd_bus_open_system(&bus->bus);
    if (result < 0) {
        bus->bus = NULL;
        return result;
    }
    result = bus->removed != NULL ? subscribe(bus) : 0;
    if (result < 0) {
        bus_close(bus);
    }
    return result;
}

void bus_close(struct bus *bus)
{
    bus->bus = sd_bus_close_unref(bus->bus);
}

/* --- waiting, with an eye on the daemon's stop --- */

/* Until something came, the daemon stops or the time is over; `bus` may be gone. */
static int wait_news(const struct bus *bus, int64_t until_ms)
{
    struct pollfd fds[] = {
        {.fd = bus->stop_fd, .events = POLLIN},
        {.fd = bus->bus != NULL ? sd_bus_get_fd(bus->bus) : -1},
    };
    uint64_t bus_usec = UINT64_MAX;
    if (bus->bus != NULL) {
        int events = sd_bus_get_events(bus->bus);
        int result = sd_bus_get_timeout(bus->bus, &bus_usec);
        if (events < 0 || result < 0) {
            return events < 0 ? events : result;
        }
        fds[1].events = (short)events;
    }
    int64_t wake_ms = bus_usec / 1000 < (uint64_t)until_ms ? (int64_t)(bus_usec / 1000) : until_ms;
    int ready = poll(fds, sizeof fds / sizeof fds[0], clock_poll_timeout(wake_ms));
    return ready > 0 && fds[0].revents != 0 ? BUS_STOPPED : 0;
}

int bus_attend(struct bus *bus, bool (*over)(const void *context), const void *context,
               int64_t until_ms)
{
    while (!over(context)) {
        int result = bus->bus != NULL ? sd_bus_process(bus->bus, NULL) : 0;
        if (result > 0) {
            continue;
        }
        if (result == 0) {
            result = clock_ms() < until_ms ? wait_news(bus, until_ms) : BUS_TOO_LATE;
        }
        if (result < 0) {
            return result;
        }
    }
    return BUS_HEARD;
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

/* HEARD or REFUSED with *ret, the answer or the error; else how bus_attend ended. */
static int call(struct bus *bus, const struct question *question, int64_t until_ms,
                sd_bus_message **ret)
{
    sd_bus_message *answer = NULL;
    sd_bus_slot *slot = NULL;
    int result = sd_bus_call_method_async(bus->bus, &slot, SYSTEMD, question->object,
                                          question->interface, question->method, on_answer, &answer,
                                          "ss", question->first, question->second);
    if (result >= 0) {
        result = bus_attend(bus, is_answered, &answer, until_ms);
    }
    sd_bus_slot_unref(slot); /* no answer comes any more */
    if (result < 0) {
        sd_bus_message_unref(answer);
        return result;
    }
    const sd_bus_error *error = sd_bus_message_get_error(answer);
    if (error == NULL) {
        *ret = answer;
        return BUS_HEARD;
    }
    if (tells_nothing(error)) {
        sd_bus_message_unref(answer);
        return -ECONNRESET;
    }
    *ret = answer;
    return BUS_REFUSED;
}

/* --- what is asked --- */

static void keep_refusal(struct unit_outcome *outcome, const sd_bus_error *error)
{
    (void)snprintf(outcome->error, UNIT_ERROR_MAX, "%s", error->name); /* cut: none that is known */
    (void)snprintf(outcome->message, UNIT_MESSAGE_MAX, "%s",
                   error->message != NULL ? error->message : "");
}

int bus_start(struct bus *bus, const char *method, const char *unit, int64_t until_ms,
              char job[BUS_PATH_MAX], struct unit_outcome *refused)
{
    const struct question question = {OBJECT, MANAGER, method, unit, "replace"};
    sd_bus_message *answer = NULL;
    const char *path = NULL;
    int result = call(bus, &question, until_ms, &answer);
    if (result == BUS_REFUSED) {
        keep_refusal(refused, sd_bus_message_get_error(answer));
    } else if (result == BUS_HEARD && sd_bus_message_read(answer, "o", &path) >= 0) {
        (void)snprintf(job, BUS_PATH_MAX, "%s", path); /* cut: it is looked for */
    }
    sd_bus_message_unref(answer);
    return result;
}

/* A string, or the object of a pair. */
static int read_value(sd_bus_message *answer, bool pair, char *out, size_t size)
{
    const char *value = NULL;
    uint32_t number = 0;
    int result = pair ? sd_bus_message_read(answer, "v", "(uo)", &number, &value)
                      : sd_bus_message_read(answer, "v", "s", &value);
    if (result >= 0) {
        (void)snprintf(out, size, "%s", value);
    }
    return result < 0 ? result : BUS_HEARD;
}

int bus_get(struct bus *bus, const char *unit, enum bus_property property, int64_t until_ms,
            char *out, size_t size)
{
    static const struct {
        const char *interface, *name;
    } properties[] = {
        [UNIT_JOB] = {UNIT, "Job"},
        [UNIT_ACTIVE] = {UNIT, "ActiveState"},
        [UNIT_SUB] = {UNIT, "SubState"},
        [UNIT_RESULT] = {SERVICE, "Result"},
    };
    char *object = NULL;
    sd_bus_message *answer = NULL;
    int result = sd_bus_path_encode(OBJECT "/unit", unit, &object);
    if (result >= 0) {
        const struct question question = {object, "org.freedesktop.DBus.Properties", "Get",
                                          properties[property].interface,
                                          properties[property].name};
        result = call(bus, &question, until_ms, &answer);
    }
    if (result == BUS_HEARD) {
        result = read_value(answer, property == UNIT_JOB, out, size);
    }
    sd_bus_message_unref(answer);
    free(object);
    return result;
}
