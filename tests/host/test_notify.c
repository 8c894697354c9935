/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd is told, read at a NOTIFY_SOCKET of the test's own. logind is never reached: the bus
 * address leads nowhere. */
#include "host/systemd/logind.h"
#include "host/systemd/notify.h"
#include "support/unit.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[64];
static struct sockaddr_un address;

static int listen_for_notes(void)
{
    snprintf(folder, sizeof folder, "/tmp/vsock-notify-XXXXXX");
    REQUIRE_NOT_NULL(mkdtemp(folder));
    address = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", folder);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    REQUIRE_COMPARE(fd, >=, 0);
    REQUIRE_EQUAL(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    REQUIRE_EQUAL(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
    return fd;
}

static void end_listening(int fd)
{
    CHECK_EQUAL(unsetenv("NOTIFY_SOCKET"), 0);
    CHECK_EQUAL(close(fd), 0);
    CHECK_EQUAL(unlink(address.sun_path), 0);
    CHECK_EQUAL(rmdir(folder), 0);
}

static const char *next_note(int fd)
{
    static char note[1024];
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    note[0] = '\0';
    if (poll(&wait, 1, 5000) == 1) {
        ssize_t length = recv(fd, note, sizeof note - 1, 0);
        note[length > 0 ? length : 0] = '\0';
    }
    return note;
}

UNIT_TEST(test_notes, "what systemd is told")
{
    int fd = listen_for_notes();
    CHECK_EQUAL(notify_ready("listening on vsock:any:19090"), 0);
    CHECK_STRING(next_note(fd), "READY=1\nSTATUS=listening on vsock:any:19090");
    notify_status("downloading 50% of 100%");
    CHECK_STRING(next_note(fd), "STATUS=downloading 50% of 100%");
    notify_stopping("finishing 2 answers");
    CHECK_STRING(next_note(fd), "STOPPING=1\nSTATUS=finishing 2 answers");
    notify_extend_timeout(1500);
    CHECK_STRING(next_note(fd), "EXTEND_TIMEOUT_USEC=1500000");
    end_listening(fd);
}

/* Nobody to tell: all but the first of them have nothing to assert but that they return. */
UNIT_TEST(test_nobody_listens, "nobody to tell")
{
    CHECK_EQUAL(unsetenv("NOTIFY_SOCKET"), 0);
    CHECK_EQUAL(notify_ready("x"), 0);
    CHECK_EQUAL(setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1), 0);
    CHECK_EQUAL(notify_ready("x"), -ENOENT);
    notify_status("x");
    notify_stopping("x");
    notify_extend_timeout(1);
    CHECK_EQUAL(unsetenv("NOTIFY_SOCKET"), 0);
}

UNIT_TEST(test_no_bus, "a reboot without a bus")
{
    char why[256] = "";
    REQUIRE_EQUAL(setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent", 1), 0);
    CHECK_EQUAL(logind_schedule_reboot(60000, why, sizeof why), -ENOENT);
    CHECK_STRING(why, "system bus: No such file or directory");
}

UNIT_TEST(test_no_bus_cut, "its reason is cut to fit")
{
    char why[8] = "";
    REQUIRE_EQUAL(setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent", 1), 0);
    CHECK_EQUAL(logind_schedule_reboot(60000, why, sizeof why), -ENOENT);
    CHECK_STRING(why, "system ");
}

UNIT_MAIN("notify")
