/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/connect.h"

#include "wire/clock.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* The result of a connection that is being made: connect(2), EINPROGRESS. */
static int await_connection(int fd, int stop_fd, int64_t deadline_ms)
{
    struct pollfd watched[] = {{.fd = stop_fd, .events = POLLIN}, {.fd = fd, .events = POLLOUT}};
    int ready = 0;
    while (ready == 0) {
        ready = poll(watched, 2, clock_poll_timeout(deadline_ms));
        if (ready < 0 && errno == EINTR) {
            ready = 0;
        }
        if (ready == 0 && clock_ms() >= deadline_ms) {
            return -ETIME;
        }
    }
    if (ready < 0) {
        return -errno;
    }
    if (watched[0].revents != 0) {
        return -ECANCELED;
    }
    int error = 0;
    socklen_t size = sizeof(error);
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? -errno : -error;
}

int connect_to(const struct address *address, int stop_fd, int64_t deadline_ms, int *ret_fd)
{
    struct sockaddr_storage storage;
    socklen_t length = address_to_sockaddr(address, &storage);
    int fd = socket(address->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    int error = connect(fd, (struct sockaddr *)&storage, length) < 0 ? -errno : 0;
    if (error == -EINPROGRESS || error == -EINTR) {
        error = await_connection(fd, stop_fd, deadline_ms);
    }
    if (error < 0) {
        close(fd);
        return error;
    }
    *ret_fd = fd;
    return 0;
}
