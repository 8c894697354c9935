/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/echo.h"

#include "guest/bytes.h"
#include "wire/clock.h"
#include "wire/escape.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

enum {
    DEVICE_WAIT_MS = 1000,
    SHOWN_MAX = 4 * NOTIFY_MAX + 3, /* every byte as \xNN, two newlines, NUL */
};

static void echo_to(const char *device, const char *shown, size_t length, int stop_fd,
                    int64_t deadline_ms)
{
    int fd = open(device, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_APPEND | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    int64_t limit_ms = clock_deadline(DEVICE_WAIT_MS);
    int ignored =
        bytes_write(fd, shown, length, stop_fd, limit_ms < deadline_ms ? limit_ms : deadline_ms);
    (void)ignored;
    close(fd);
}

void echo_message(const char *devices, struct text message, int stop_fd, int64_t deadline_ms)
{
    char shown[SHOWN_MAX] = "\n";
    escape_text(message, ESCAPE_CONSOLE, shown + 1, sizeof(shown) - 2);
    size_t length = strlen(shown);
    shown[length++] = '\n';
    while (devices[0] != '\0') {
        char device[PATH_MAX];
        size_t name = strcspn(devices, ",");
        int needed = snprintf(device, sizeof(device), "%.*s", (int)name, devices);
        if (needed > 0 && (size_t)needed < sizeof(device)) {
            echo_to(device, shown, length, stop_fd, deadline_ms);
        }
        devices += name + (devices[name] == ',' ? 1 : 0);
    }
}
