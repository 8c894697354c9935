/* SPDX-License-Identifier: Apache-2.0 */
#include "host/systemd/unit_pending.h"

#include <string.h>

#include "host/systemd/unit_bus.h"
#include "wire/clock.h"

static bool is_at_work(const char *active)
{
    static const char *const states[] = {"activating", "active", "reloading", "deactivating"};
    size_t count = sizeof(states) / sizeof(states[0]);
    size_t at = 0;
    while (at < count && strcmp(states[at], active) != 0) {
        at++;
    }
    return at < count;
}

/* The job first: one that ends meanwhile leaves its unit at work, or done. */
static int look(struct unit_bus *bus, const char *unit, int64_t until_ms, bool *ret)
{
    char job[UNIT_BUS_PATH_MAX] = "";
    char active[UNIT_WORD_MAX] = "";
    int result = unit_bus_get(bus, unit, UNIT_JOB, until_ms, job, sizeof(job));
    if (result == UNIT_BUS_HEARD) {
        result = unit_bus_get(bus, unit, UNIT_ACTIVE, until_ms, active, sizeof(active));
    }
    if (result == UNIT_BUS_HEARD) {
        *ret = strcmp(job, UNIT_NO_JOB) != 0 || is_at_work(active);
    }
    return result;
}

int unit_pending(const char *unit, int stop_fd, int64_t limit_ms, bool *ret)
{
    struct unit_bus bus = {.stop_fd = stop_fd};
    int result = unit_bus_open(&bus);
    if (result == 0) {
        result = look(&bus, unit, clock_deadline(limit_ms), ret);
    }
    unit_bus_close(&bus);
    return result;
}
