/* SPDX-License-Identifier: Apache-2.0 */
#include "peer_link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { BACKLOG = 64 };

int64_t peer_link_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        fprintf(stderr, "peer: the path is too long for a socket: %s\n", path);
        abort();
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    return address;
}

int peer_link_listen(const char *path)
{
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        listen(fd, BACKLOG) == 0) {
        return fd;
    }
    perror(path);
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

struct peer_link peer_link_connect(const char *path)
{
    struct sockaddr_un address = address_of(path);
    struct peer_link link = {
        .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
        .stop_fd = -1,
        .deadline_ms = peer_link_now_ms() + PEER_LINK_PATIENCE_MS,
    };
    if (link.fd >= 0 && connect(link.fd, (struct sockaddr *)&address, sizeof address) < 0) {
        perror(path);
        peer_link_close(&link);
    }
    return link;
}

/* False: too late, or stopped. */
static bool wait_readable(const struct peer_link *link)
{
    struct pollfd watched[] = {{.fd = link->stop_fd, .events = POLLIN},
                               {.fd = link->fd, .events = POLLIN}};
    for (;;) {
        int64_t left_ms = link->deadline_ms - peer_link_now_ms();
        int ready = left_ms > 0 ? poll(watched, 2, (int)left_ms) : 0;
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        return ready > 0 && watched[0].revents == 0;
    }
}

enum peer_link_end peer_link_read_once(const struct peer_link *link, size_t most,
                                       struct octets *out)
{
    uint8_t bytes[OCTETS_MAX];
    if (!wait_readable(link)) {
        return PEER_LINK_LATE;
    }
    ssize_t got = recv(link->fd, bytes, most < sizeof bytes ? most : sizeof bytes, 0);
    if (got < 0) {
        return PEER_LINK_RESET;
    }
    octets_add(out, bytes, (size_t)got);
    return got == 0 ? PEER_LINK_EOF : PEER_LINK_DATA;
}

enum peer_link_end peer_link_read(const struct peer_link *link, size_t length, struct octets *out)
{
    size_t whole = out->length + length;
    while (out->length < whole) {
        enum peer_link_end end = peer_link_read_once(link, whole - out->length, out);
        if (end != PEER_LINK_DATA) {
            return end;
        }
    }
    return PEER_LINK_DATA;
}

enum peer_link_end peer_link_read_to_end(const struct peer_link *link, struct octets *out)
{
    enum peer_link_end end = PEER_LINK_DATA;
    while (end == PEER_LINK_DATA) {
        end = peer_link_read_once(link, OCTETS_MAX - out->length, out);
    }
    return end;
}

bool peer_link_write(const struct peer_link *link, const struct octets *octets)
{
    return send(link->fd, octets->bytes, octets->length, MSG_NOSIGNAL) == (ssize_t)octets->length;
}

bool peer_link_pause(const struct peer_link *link, unsigned ms)
{
    struct pollfd stop = {.fd = link->stop_fd, .events = POLLIN};
    int64_t until_ms = peer_link_now_ms() + ms;
    for (;;) {
        int64_t left_ms = until_ms - peer_link_now_ms();
        if (left_ms <= 0) {
            return true;
        }
        if (poll(&stop, 1, (int)left_ms) > 0) {
            return false;
        }
    }
}

void peer_link_half_close(const struct peer_link *link)
{
    (void)shutdown(link->fd, SHUT_WR); /* a stream that ended already is as good */
}

void peer_link_close(struct peer_link *link)
{
    if (link->fd >= 0) {
        close(link->fd);
    }
    link->fd = -1;
}
