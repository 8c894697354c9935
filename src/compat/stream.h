/* SPDX-License-Identifier: Apache-2.0 */
/* A guest's end of a stream socket. Every wait has an absolute deadline, and is ended by a stop
 * descriptor.
 *
 * Errors   0 or -errno of the socket; -ETIME when the deadline has passed, -ECANCELED when the stop
 *          descriptor became readable. (A socket's own time limit is -ETIMEDOUT.)
 * Owner    stream_open takes *fd; stream_close closes it.
 */
#ifndef COMPAT_STREAM_H
#define COMPAT_STREAM_H

#include "compat/dialect.h"

enum { RETRY_FIRST_MS = 100, RETRY_LONGEST_MS = 1000 };

/* The time left for connecting, and the next pause. */
struct retry {
    int64_t left_ms;
    int64_t pause_ms;
};

void retry_init(struct retry *retry, int64_t limit_ms);

/* Subtracts the time that a try has used. */
void retry_spend(struct retry *retry, int64_t used_ms);

/* Subtracts the next pause, cut to the time left; each is twice as long as the one before, up to
 * RETRY_LONGEST_MS. False: no time is left, so there is no further try. */
bool retry_next(struct retry *retry, int64_t *ret_pause_ms);

/* True for a positive errno of a host that is booting, restarting or overloaded. A missing path is
 * one only where the address is a Unix socket. */
bool retry_errno(int error, bool unix_path);

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

/* Waits for more and reads it once; sets eof at the end. -ENOBUFS when the buffer is full. */
MUST_CHECK int stream_fill(struct stream *stream, int64_t deadline_ms);

/* Waits until one of two has something to read, or its end; one of them may be closed. */
MUST_CHECK int stream_wait_either(const struct stream *a, const struct stream *b,
                                  int64_t deadline_ms);
/* As stream_fill, without waiting: -EAGAIN when there is nothing to read. */
MUST_CHECK int stream_read(struct stream *stream);

/* Marks the first `length` bytes as used. They are valid until stream_drop. */
void stream_take(struct stream *stream, size_t length);
void stream_drop(struct stream *stream);

/* Waits for the deadline or the stop descriptor: 0 or -ECANCELED. */
MUST_CHECK int stream_pause(const struct stream *stream, int64_t deadline_ms);

#endif
