/* SPDX-License-Identifier: Apache-2.0 */
/* A guest's end of a stream socket: bytes in and out, every wait with an absolute deadline and
 * ended by a stop descriptor.
 *
 * Threads  a stream belongs to one thread.
 * Errors   0 or -errno of the socket; -ETIME when the deadline has passed, -ECANCELED when the stop
 *          descriptor became readable. (A socket's own time limit is -ETIMEDOUT.)
 * Owner    stream_open takes *fd; stream_close closes it.
 */
#ifndef COMPAT_STREAM_H
#define COMPAT_STREAM_H

#include "compat/dialect.h"

struct stream {
    int fd;      /* non-blocking; -1: not open */
    int stop_fd; /* -1: none */
    bool eof;    /* nothing more comes */
    size_t taken;
    size_t length;
    uint8_t bytes[GUEST_ANSWER_MAX];
};

void stream_init(struct stream *stream, int stop_fd);
void stream_open(struct stream *stream, int *fd);
void stream_close(struct stream *stream);

/* Writes all of it; *sent counts what the socket took, on failure too. */
MUST_CHECK int stream_send(struct stream *stream, const uint8_t *bytes, size_t length,
                           int64_t deadline_ms, size_t *sent);

/* Nothing more will be written. What cannot be told to a host that has gone is found by reading. */
void stream_half_close(struct stream *stream);

/* Waits for more and reads it once; sets eof at the end. -ENOBUFS when the buffer is full. */
MUST_CHECK int stream_fill(struct stream *stream, int64_t deadline_ms);

/* Waits until one of two has something to read, or its end; one of them may be closed. */
MUST_CHECK int stream_wait_either(const struct stream *a, const struct stream *b,
                                  int64_t deadline_ms);
/* Reads once what is there, as stream_fill. -EAGAIN: nothing is. */
MUST_CHECK int stream_read(struct stream *stream);

/* Marks the first `length` bytes as used: stream_drop forgets them. Until then they stay valid. */
void stream_take(struct stream *stream, size_t length);
void stream_drop(struct stream *stream);

/* Waits for the deadline or the stop descriptor: 0 or -ECANCELED. */
MUST_CHECK int stream_pause(const struct stream *stream, int64_t deadline_ms);

#endif
