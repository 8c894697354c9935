/* SPDX-License-Identifier: Apache-2.0 */
#include "host/console/device.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "wire/clock.h"

enum { STUCK_MS = 1000 }; /* a device that takes nothing for so long is skipped */

int device_open(const char *path)
{
    int fd = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_APPEND | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int wait_writable(int fd, int stop_fd, int64_t deadline_ms)
{
    struct pollfd polled[] = {{.fd = fd, .events = POLLOUT}, {.fd = stop_fd, .events = POLLIN}};
    int ready = poll(polled, 2, clock_poll_timeout(deadline_ms));
    if (ready < 0) {
        return errno == EINTR ? 0 : -errno;
    }
    if (polled[1].revents != 0) {
        return -ECANCELED;
    }
    return ready == 0 ? -ETIMEDOUT : 0;
}

int device_write(int fd, const char *bytes, size_t length, int stop_fd)
{
    int64_t deadline = clock_deadline(STUCK_MS);
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written > 0) {
            bytes += written;
            length -= (size_t)written;
            deadline = clock_deadline(STUCK_MS);
        } else if (written < 0 && errno != EAGAIN && errno != EINTR) {
            return -errno;
        } else {
            int error = wait_writable(fd, stop_fd, deadline);
            if (error < 0) {
                return error;
            }
        }
    }
    return 0;
}
