/* SPDX-License-Identifier: Apache-2.0 */
/* One frame to the host, one frame from it, on the connection that a client has open. Shared by
 * the search and by the asking.
 *
 * Threads  as compat/client.h.
 */
#ifndef COMPAT_EXCHANGE_H
#define COMPAT_EXCHANGE_H

#include "compat/client.h"

enum exchange {
    EXCHANGE_DONE,
    EXCHANGE_ENDED,    /* the connection: error 0 for an end of file, else its errno; text says what
                        * was cut off, if anything was */
    EXCHANGE_NONSENSE, /* text says what, and what was received */
    EXCHANGE_TIME_OVER,
    EXCHANGE_STOPPED,
};

struct exchange_end {
    int error;
    char text[CLIENT_TEXT_MAX];
};

/* *sent: the host may have read some of it. */
enum exchange exchange_send(struct client *client, const struct reply *out, int64_t deadline_ms,
                            bool *sent, struct exchange_end *end);

/* The next frame, decoded. `greeting` as decode_answer of compat/dialect.h. */
enum exchange exchange_receive(struct client *client, bool greeting, int64_t deadline_ms,
                               struct answer *answer, struct exchange_end *end);

void exchange_trace(const struct client *client, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
