/* SPDX-License-Identifier: Apache-2.0 */
/* Outcomes of units in words, and a bus that is not there or never says a word. The rest of unit.c
 * is shown by the system tests, against a bus of their own. */
#include "host/systemd/unit.h"
#include "support/unit.h"
#include "wire/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FAR_MS = 100000, SOON_MS = 200 };

static char socket_path[64];
static char folder[] = "/tmp/test_unit.XXXXXX";

static const struct {
    struct unit_outcome outcome;
    enum error_code code;
    const char *text;
} rows[] = {
    {{.end = UNIT_ENDED, .job = "done", .active = "active", .sub = "running", .result = "success"},
     ERROR_NONE,
     "u succeeded (active/running, job done, result success)"},
    {{.end = UNIT_ENDED, .job = "done", .active = "inactive", .sub = "dead", .result = "success"},
     ERROR_NONE,
     "u succeeded (inactive/dead, job done, result success)"},
    {{.end = UNIT_ENDED, .job = "done", .active = "failed", .sub = "failed", .result = "signal"},
     ERROR_UNAVAILABLE,
     "u failed (failed/failed, job done, result signal)"},
    {{.end = UNIT_ENDED, .job = "done", .active = "inactive", .result = "exit-code"},
     ERROR_UNAVAILABLE,
     "u failed (inactive, job done, result exit-code)"},
    /* What was not seen is not told as done. */
    {{.end = UNIT_ENDED, .job = "done"}, ERROR_UNAVAILABLE, "u failed (job done)"},
    {{.end = UNIT_ENDED, .active = "active", .result = "success"},
     ERROR_INTERNAL,
     "u was requested; its result is unknown (active, result success)"},
    {{.end = UNIT_ENDED, .job = "failed", .result = "timeout"},
     ERROR_TIMEOUT,
     "u failed (job failed, result timeout)"},
    {{.end = UNIT_ENDED, .job = "timeout"},
     ERROR_TIMEOUT,
     "u was not started in time (job timeout)"},
    {{.end = UNIT_ENDED, .job = "dependency"},
     ERROR_UNAVAILABLE,
     "u was not started: a unit that it needs failed (job dependency)"},
    {{.end = UNIT_REFUSED, .error = "org.freedesktop.systemd1.NoSuchUnit", .message = "a\nb"},
     ERROR_UNAVAILABLE,
     "u is not installed on this host: a\\x0ab"},
    {{.end = UNIT_REFUSED, .error = "org.freedesktop.DBus.Error.AccessDenied"},
     ERROR_INTERNAL,
     "u may not be started by vsock_host (polkit)"},
    {{.end = UNIT_REFUSED, .error = "x.y", .message = "z"},
     ERROR_INTERNAL,
     "u cannot be started: z"},
    {{.end = UNIT_REFUSED, .message = "z"},
     ERROR_UNAVAILABLE,
     "u cannot be started: the system bus cannot be reached: z"},
    {{.end = UNIT_LATE, .active = "activating", .sub = "start"},
     ERROR_TIMEOUT,
     "u did not end in time, and continues (activating/start)"},
    {{.end = UNIT_LATE, .outcome_unknown = true},
     ERROR_TIMEOUT,
     "u was requested; systemd has not answered since"},
    {{.end = UNIT_LEFT}, ERROR_SHUTTING_DOWN, "u continues; the host does not wait for it"},
};

UNIT_TEST(test_words, "outcomes in words")
{
    char words[UNIT_WORDS_MAX];
    CHECK_EACH(i, rows, "%s", rows[i].text) {
        unit_outcome_format(&rows[i].outcome, "u", words);
        CHECK_STRING(words, rows[i].text);
        CHECK_EQUAL(unit_outcome_code(&rows[i].outcome), rows[i].code);
    }
}

static void use_bus(const char *path)
{
    char address[128];
    (void)snprintf(address, sizeof address, "unix:path=%s", path);
    REQUIRE_EQUAL(setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1), 0);
}

static struct unit_outcome run(int stop_fd, int64_t silence_ms)
{
    const struct unit_start job = {.unit = "u.service",
                                   .deadline_ms = clock_deadline(FAR_MS),
                                   .stop_fd = stop_fd,
                                   .silence_ms = silence_ms};
    struct unit_outcome outcome;
    unit_run(&job, &outcome);
    return outcome;
}

UNIT_TEST(test_no_bus, "no bus")
{
    use_bus("/nonexistent/bus");
    struct unit_outcome outcome = run(-1, 0);
    CHECK_EQUAL(outcome.end, UNIT_REFUSED);
    CHECK_STRING(outcome.error, "");
    CHECK_STRING(outcome.message, "No such file or directory");
}

/* Takes connections, and says nothing. */
static int listen_silently(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE_COMPARE(fd, >=, 0);
    REQUIRE_EQUAL(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    REQUIRE_EQUAL(listen(fd, 8), 0);
    use_bus(socket_path);
    return fd;
}

static void end_listening(int fd)
{
    CHECK_EQUAL(close(fd), 0);
    CHECK_EQUAL(unlink(socket_path), 0);
}

/* It may have been heard: it is not refused, and nobody waits until the deadline. */
UNIT_TEST(test_silent_bus, "a bus that says nothing")
{
    int fd = listen_silently();
    struct unit_outcome outcome = run(-1, SOON_MS);
    CHECK_EQUAL(outcome.end, UNIT_LATE);
    CHECK_TRUE(outcome.outcome_unknown);
    end_listening(fd);
}

UNIT_TEST(test_stop, "the daemon stops")
{
    int fd = listen_silently();
    int stop_fd = eventfd(1, EFD_CLOEXEC);
    REQUIRE_COMPARE(stop_fd, >=, 0);
    CHECK_EQUAL(run(stop_fd, 0).end, UNIT_LEFT);
    (void)close(stop_fd);
    end_listening(fd);
}

/* What cannot be found out is said to be so, in bounded time. */
UNIT_TEST(test_pending, "whether it is pending")
{
    bool pending = true;
    use_bus("/nonexistent/bus");
    CHECK_EQUAL(unit_is_pending("u.service", -1, FAR_MS, &pending), -ENOENT);
    int fd = listen_silently();
    CHECK_EQUAL(unit_is_pending("u.service", -1, SOON_MS, &pending), -ETIMEDOUT);
    int stop_fd = eventfd(1, EFD_CLOEXEC);
    REQUIRE_COMPARE(stop_fd, >=, 0);
    CHECK_EQUAL(unit_is_pending("u.service", stop_fd, FAR_MS, &pending), -ECANCELED);
    (void)close(stop_fd);
    end_listening(fd);
    CHECK_TRUE(pending); /* untouched */
}

int main(void)
{
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    (void)snprintf(socket_path, sizeof socket_path, "%s/bus", folder);
    int status = unit_main("unit job");
    (void)rmdir(folder);
    return status;
}
