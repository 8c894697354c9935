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

static int on_removed(sd_bus_message *message, void *context, sd_bus_error *error)
{
    const struct bus *bus = context;
    uint32_t id = 0;
    const char *path = NULL;
    const char *unit = NULL;
    const char *result = NULL;
    (void)error; /* a signal is not answered */
    if (sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) >= 0) {
        bus->on_removed(bus->context, unit, path, result);
    }
    return 0;
}

/* JobRemoved of every unit: sd-bus compares an argument with a match only when all before it are
 * strings, and the first one here is a number. The answer to Subscribe is not needed: systemd sends a
 * job's client its end in any case, and the caller polls for an end that was not received. */
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
    result = bus->on_removed != NULL ? subscribe(bus) : 0;
    if (result < 0) {
        bus_close(bus);
    }
    return result;
}

void bus_close(struct bus *bus)
{
    bus->bus = sd_bus_close_unref(bus->bus);
}

/* Until a message came, the daemon stops or the time is over; `bus` may be closed. */
static int wait_message(const struct bus *bus, int64_t until_ms)
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

int bus_process(struct bus *bus, bool (*is_done)(const void *context), const void *context,
                int64_t until_ms)
{
    while (is_done == NULL || !is_done(context)) {
        int result = bus->bus != NULL ? sd_bus_process(bus->bus, NULL) : 0;
        if (result > 0) {
            continue;
        }
        if (result == 0) {
            result = clock_ms() < until_ms ? wait_message(bus, until_ms) : BUS_TIMEOUT;
        }
        if (result < 0) {
            return result;
        }
    }
    return BUS_ANSWERED;
}

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

/* The bus or systemd went away during the call: whether it was received is unknown. */
static bool is_lost(const sd_bus_error *error)
{
    return sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY) ||
           sd_bus_error_has_name(error, SD_BUS_ERROR_TIMEOUT) ||
           sd_bus_error_has_name(error, SD_BUS_ERROR_DISCONNECTED);
}

/* Of a method that takes two strings, as all of ours do. */
struct call {
    const char *object;
    const char *interface;
    const char *method;
    const char *first;
    const char *second;
};

/* BUS_ANSWERED or BUS_REFUSED with *ret, the answer or the error; else how bus_process ended. */
static int call_method(struct bus *bus, const struct call *call, int64_t until_ms,
                       sd_bus_message **ret)
{
    sd_bus_message *answer = NULL;
    sd_bus_slot *slot = NULL;
    int result =
        sd_bus_call_method_async(bus->bus, &slot, SYSTEMD, call->object, call->interface,
                                 call->method, on_answer, &answer, "ss", call->first, call->second);
    if (result >= 0) {
        result = bus_process(bus, is_answered, &answer, until_ms);
    }
    sd_bus_slot_unref(slot); /* on_answer is not called any more */
    if (result < 0) {
        sd_bus_message_unref(answer);
        return result;
    }
    const sd_bus_error *error = sd_bus_message_get_error(answer);
    if (error == NULL) {
        *ret = answer;
        return BUS_ANSWERED;
    }
    if (is_lost(error)) {
        sd_bus_message_unref(answer);
        return -ECONNRESET;
    }
    *ret = answer;
    return BUS_REFUSED;
}

int bus_start(struct bus *bus, const char *method, const char *unit, int64_t until_ms,
              char job[BUS_PATH_MAX], char error[BUS_ERROR_MAX], char message[BUS_MESSAGE_MAX])
{
    const struct call call = {OBJECT, MANAGER, method, unit, "replace"};
    sd_bus_message *answer = NULL;
    const char *path = NULL;
    int result = call_method(bus, &call, until_ms, &answer);
    if (result == BUS_REFUSED) {
        const sd_bus_error *refusal = sd_bus_message_get_error(answer);
        (void)snprintf(error, BUS_ERROR_MAX, "%s", refusal->name); /* cut: none that is known */
        (void)snprintf(message, BUS_MESSAGE_MAX, "%s",
                       refusal->message != NULL ? refusal->message : "");
    } else if (result == BUS_ANSWERED && sd_bus_message_read(answer, "o", &path) >= 0) {
        (void)snprintf(job, BUS_PATH_MAX, "%s", path); /* cut: its end is polled for */
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
    return result < 0 ? result : BUS_ANSWERED;
}

int bus_get(struct bus *bus, const char *unit, enum bus_property property, int64_t until_ms,
            char *out, size_t size)
{
    static const struct {
        const char *interface, *name;
    } properties[] = {
        [BUS_UNIT_JOB] = {UNIT, "Job"},
        [BUS_UNIT_ACTIVE] = {UNIT, "ActiveState"},
        [BUS_UNIT_SUB] = {UNIT, "SubState"},
        [BUS_UNIT_RESULT] = {SERVICE, "Result"},
    };
    char *object = NULL;
    sd_bus_message *answer = NULL;
    int result = sd_bus_path_encode(OBJECT "/unit", unit, &object);
    if (result >= 0) {
        const struct call call = {object, "org.freedesktop.DBus.Properties", "Get",
                                  properties[property].interface, properties[property].name};
        result = call_method(bus, &call, until_ms, &answer);
    }
    if (result == BUS_ANSWERED) {
        result = read_value(answer, property == BUS_UNIT_JOB, out, size);
    }
    sd_bus_message_unref(answer);
    free(object);
    return result;
}
