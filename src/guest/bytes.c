/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/bytes.h"

#include "guest/stop.h"
#include "wire/clock.h"
#include "wire/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

enum { STUCK_MS = 100 /* how long a full stderr is waited for */ };

int bytes_guard_standard(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) {
            continue;
        }
        /* The lowest free descriptor is this one; with O_PATH, reading and writing it fail. */
        if (open("/", O_PATH | O_CLOEXEC) < 0) {
            return -errno;
        }
    }
    return 0;
}

static bool is_transient(int error)
{
    return error == EINTR || error == EAGAIN;
}

/* A pipe that is ready takes PIPE_BUF bytes without waiting (pipe(7)). */
int bytes_write(int fd, const char *bytes, size_t length, int stop_fd, int64_t deadline_ms)
{
    while (length > 0) {
        int error = stop_wait(fd, POLLOUT, stop_fd, deadline_ms);
        if (error < 0) {
            return error;
        }
        ssize_t written = write(fd, bytes, length < PIPE_BUF ? length : PIPE_BUF);
        if (written < 0 && !is_transient(errno)) {
            return -errno;
        }
        bytes += written > 0 ? written : 0;
        length -= written > 0 ? (size_t)written : 0;
    }
    return 0;
}

void bytes_write_stderr(const char *bytes, size_t length)
{
    static bool stuck;
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    while (length > 0) {
        stuck = poll(&out, 1, stuck ? 0 : STUCK_MS) != 1 || (out.revents & POLLOUT) == 0;
        ssize_t written = -1;
        if (!stuck) {
            written = write(STDERR_FILENO, bytes, length < PIPE_BUF ? length : PIPE_BUF);
        }
        if (written < 0) {
            return; /* nothing reads stderr */
        }
        bytes += written;
        length -= (size_t)written;
    }
}

int bytes_read(int fd, char *out, size_t size, int stop_fd, int64_t deadline_ms, size_t *ret_length)
{
    for (;;) {
        int error = stop_wait(fd, POLLIN, stop_fd, deadline_ms);
        if (error < 0) {
            return error;
        }
        ssize_t got = read(fd, out, size);
        if (got >= 0) {
            *ret_length = (size_t)got;
            return 0;
        }
        if (!is_transient(errno)) {
            return -errno;
        }
    }
}

int bytes_read_all(int fd, char *out, size_t size, int stop_fd, int64_t deadline_ms,
                   size_t *ret_length)
{
    size_t length = 0;
    size_t got = 1;
    while (length < size && got > 0) {
        int error = bytes_read(fd, out + length, size - length, stop_fd, deadline_ms, &got);
        if (error < 0) {
            return error;
        }
        length += got;
    }
    *ret_length = length;
    return 0;
}

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
    limit_ms = limit_ms < deadline_ms ? limit_ms : deadline_ms;
    int ignored = bytes_write(fd, shown, length, stop_fd, limit_ms);
    (void)ignored;
    close(fd);
}

void echo_message(const char *devices, struct text message, int stop_fd, int64_t deadline_ms)
{
    char shown[SHOWN_MAX] = "\n";
    escape_text(message, ESCAPE_CONSOLE, shown + 1, sizeof shown - 2);
    size_t length = strlen(shown);
    shown[length++] = '\n';
    while (devices[0] != '\0') {
        char device[PATH_MAX];
        size_t name = strcspn(devices, ",");
        int needed = snprintf(device, sizeof device, "%.*s", (int)name, devices);
        if (needed > 0 && (size_t)needed < sizeof device) {
            echo_to(device, shown, length, stop_fd, deadline_ms);
        }
        devices += name + (devices[name] == ',' ? 1 : 0);
    }
}
