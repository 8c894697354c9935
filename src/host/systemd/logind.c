/* SPDX-License-Identifier: Apache-2.0 */
#include "host/systemd/logind.h"

#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

enum { BUS_TIMEOUT_USEC = 10 * 1000 * 1000 };

/* logind wants the time of day, in microseconds. */
static uint64_t realtime_usec_after(int64_t delay_ms)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail with this clock */
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000 +
           (uint64_t)delay_ms * 1000;
}

static int call_schedule_shutdown(sd_bus *bus, uint64_t at_usec, char *why, size_t why_size)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    int result = sd_bus_call_method(bus, "org.freedesktop.login1", "/org/freedesktop/login1",
                                    "org.freedesktop.login1.Manager", "ScheduleShutdown", &error,
                                    NULL, "st", "reboot", at_usec);
    if (result < 0) {
        snprintf(why, why_size, "logind: %s",
                 error.message != NULL ? error.message : strerror(-result));
    }
    sd_bus_error_free(&error);
    return result < 0 ? result : 0;
}

int logind_schedule_reboot(int64_t delay_ms, char *why, size_t why_size)
{
    sd_bus *bus = NULL;
    int result = sd_bus_open_system(&bus);
    if (result >= 0) {
        result = sd_bus_set_method_call_timeout(bus, BUS_TIMEOUT_USEC);
    }
    if (result < 0) {
        snprintf(why, why_size, "system bus: %s", strerror(-result));
    } else {
        result = call_schedule_shutdown(bus, realtime_usec_after(delay_ms), why, why_size);
    }
    sd_bus_close_unref(bus);
    return result;
}
