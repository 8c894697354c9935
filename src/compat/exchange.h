/* SPDX-License-Identifier: Apache-2.0 */
/* One frame to the host and one frame from it, on an open connection. */
#ifndef COMPAT_EXCHANGE_H
#define COMPAT_EXCHANGE_H

#include "compat/client_types.h"

enum exchange {
    EXCHANGE_DONE,
    EXCHANGE_MORE,     /* exchange_look: no whole frame yet */
    EXCHANGE_ENDED,    /* error: 0 at the end of the stream, else an errno; text: a cut answer */
    EXCHANGE_NONSENSE, /* text: why, and what was received */
    EXCHANGE_TIME_OVER,
    EXCHANGE_STOPPED,
};

struct exchange_end {
    int error;
    char text[CLIENT_TEXT_MAX];
};

/* *sent: the host may have read a part of it. */
enum exchange exchange_send(struct link *link, const struct reply *out, int64_t deadline_ms,
                            bool *sent, struct exchange_end *end);

/* Does not wait: EXCHANGE_DONE when the first *length bytes received are a frame. */
enum exchange exchange_look(struct link *link, size_t *length, struct exchange_end *end);

/* Decodes that frame and removes it. `greeting`: as decode_answer of compat/dialect.h. */
enum exchange exchange_take(struct link *link, bool greeting, size_t length, struct answer *answer,
                            struct exchange_end *end);

/* Waits for the next frame and decodes it. */
enum exchange exchange_receive(struct link *link, bool greeting, int64_t deadline_ms,
                               struct answer *answer, struct exchange_end *end);

/* Discards the last frame. */
void exchange_begin(struct link *link);

/* EXCHANGE_NONSENSE, with the reason and the first bytes received: they often show another
 * program. */
enum exchange exchange_nonsense(const struct stream *stream, const char *why,
                                struct exchange_end *end);

void exchange_trace(const struct client *client, const char *format, ...) PRINTF_LIKE(2, 3);
/* Traces the bytes received by the connection `which`. */
void exchange_trace_received(const struct client *client, const char *which,
                             const struct stream *stream);

#endif
