/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/stream.h"

#include "wire/clock.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

void retry_init(struct retry *retry, int64_t limit_ms)
{
    *retry = (struct retry){.left_ms = limit_ms, .pause_ms = RETRY_FIRST_MS};
}

void retry_spend(struct retry *retry, int64_t used_ms)
{
    retry->left_ms = used_ms < retry->left_ms ? retry->left_ms - used_ms : 0;
}

bool retry_next(struct retry *retry, int64_t *ret_pause_ms)
{
    if (retry->left_ms <= 0) {
        return false;
    }
    int64_t pause_ms = retry->pause_ms < retry->left_ms ? retry->pause_ms : retry->left_ms;
    retry->left_ms -= pause_ms;
    retry->pause_ms =
        retry->pause_ms < RETRY_LONGEST_MS / 2 ? 2 * retry->pause_ms : RETRY_LONGEST_MS;
    *ret_pause_ms = pause_ms;
    return true;
}

bool retry_errno(int error, bool unix_path)
{
    static const int passing[] = {ECONNREFUSED, ECONNRESET,    ENODEV,
                                  ETIMEDOUT,    EADDRNOTAVAIL, EAGAIN};
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++) {
        if (error == passing[i]) {
            return true;
        }
    }
    return unix_path && error == ENOENT;
}

void stream_init(struct stream *stream, int stop_fd)
{
    stream->fd = -1;
    stream->stop_fd = stop_fd;
    stream->eof = false;
    stream->taken = 0;
    stream->length = 0;
}

void stream_open(struct stream *stream, int *fd)
{
    stream_close(stream);
    stream->fd = *fd;
    *fd = -1;
}

void stream_close(struct stream *stream)
{
    if (stream->fd >= 0) {
        close(stream->fd);
    }
    stream_init(stream, stream->stop_fd);
}

/* Waits until one of the sockets is ready; poll() leaves out a negative descriptor. The deadline is
 * judged first: a host that never stops sending is always ready. */
static int wait_ready(const int fd[2], short events, int stop_fd, int64_t deadline_ms)
{
    struct pollfd watched[] = {{.fd = stop_fd, .events = POLLIN},
                               {.fd = fd[0], .events = events},
                               {.fd = fd[1], .events = events}};
    while (clock_ms() < deadline_ms) {
        int ready = poll(watched, 3, clock_poll_timeout(deadline_ms));
        if (ready < 0 && errno != EINTR) {
            return -errno;
        }
        if (ready > 0 && watched[0].revents != 0) {
            return -ECANCELED;
        }
        if (ready > 0) {
            return 0;
        }
    }
    return -ETIME;
}

static int wait_stream(const struct stream *stream, short events, int64_t deadline_ms)
{
    return wait_ready((const int[]){stream->fd, -1}, events, stream->stop_fd, deadline_ms);
}

static bool would_block(int error)
{
    return error == EAGAIN || error == EINTR;
}

int stream_send(struct stream *stream, const uint8_t *bytes, size_t length, int64_t deadline_ms,
                size_t *sent)
{
    *sent = 0;
    while (*sent < length) {
        int error = wait_stream(stream, POLLOUT, deadline_ms);
        if (error < 0) {
            return error;
        }
        ssize_t took = send(stream->fd, bytes + *sent, length - *sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (took < 0 && !would_block(errno)) {
            return -errno;
        }
        *sent += took > 0 ? (size_t)took : 0;
    }
    return 0;
}

int stream_read(struct stream *stream)
{
    size_t room = sizeof stream->bytes - stream->length;
    if (room == 0) {
        return -ENOBUFS;
    }
    ssize_t got = recv(stream->fd, stream->bytes + stream->length, room, MSG_DONTWAIT);
    if (got < 0) {
        return would_block(errno) ? -EAGAIN : -errno;
    }
    stream->length += (size_t)got;
    stream->eof = got == 0;
    return 0;
}

int stream_fill(struct stream *stream, int64_t deadline_ms)
{
    int error = stream->length == sizeof stream->bytes ? -ENOBUFS : -EAGAIN;
    while (error == -EAGAIN) {
        error = wait_stream(stream, POLLIN, deadline_ms);
        error = error < 0 ? error : stream_read(stream);
    }
    return error;
}

int stream_wait_either(const struct stream *a, const struct stream *b, int64_t deadline_ms)
{
    return wait_ready((const int[]){a->fd, b->fd}, POLLIN, a->stop_fd, deadline_ms);
}

void stream_take(struct stream *stream, size_t length)
{
    stream->taken = length;
}

void stream_drop(struct stream *stream)
{
    stream->length -= stream->taken;
    memmove(stream->bytes, stream->bytes + stream->taken, stream->length);
    stream->taken = 0;
}

int stream_pause(const struct stream *stream, int64_t deadline_ms)
{
    int error = wait_ready((const int[]){-1, -1}, 0, stream->stop_fd, deadline_ms);
    return error == -ETIME ? 0 : error;
}
