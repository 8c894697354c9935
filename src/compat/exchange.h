/* SPDX-License-Identifier: Apache-2.0 */
/* One try to reach the host: what the search does on every way, and how its failures end.
 *
 * Threads  as compat/client.h.
 * Errors   bool: false, with *outcome set, when it failed.
 */
#ifndef COMPAT_EXCHANGE_H
#define COMPAT_EXCHANGE_H

#include "compat/client.h"

/* One frame to the host, one frame from it, on a connection that is open. Shared by the search and
 * by the asking.
 *
 * Threads  as compat/client.h.
 */
enum exchange {
    EXCHANGE_DONE,
    EXCHANGE_MORE,     /* exchange_look: no whole frame yet */
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
enum exchange exchange_send(struct link *link, const struct reply *out, int64_t deadline_ms,
                            bool *sent, struct exchange_end *end);

/* What is there already: EXCHANGE_DONE when the first *length bytes are a frame. */
enum exchange exchange_look(struct link *link, size_t *length, struct exchange_end *end);

/* Decodes that frame and takes it. `greeting` as decode_answer of compat/dialect.h. */
enum exchange exchange_take(struct link *link, bool greeting, size_t length, struct answer *answer,
                            struct exchange_end *end);

/* Waits for the next frame, and takes it. */
enum exchange exchange_receive(struct link *link, bool greeting, int64_t deadline_ms,
                               struct answer *answer, struct exchange_end *end);

/* Makes ready for the next frame: what was taken is forgotten. */
void exchange_begin(struct link *link);

/* EXCHANGE_NONSENSE with the reason, and the first bytes that came: often a program of another kind
 * introduces itself. */
enum exchange exchange_nonsense(const struct stream *stream, const char *why,
                                struct exchange_end *end);

void exchange_trace(const struct client *client, const char *format, ...) PRINTF_LIKE(2, 3);
/* What has come on `which` connection. */
void exchange_trace_received(const struct client *client, const char *which,
                             const struct stream *stream);

enum { DIAL_GREETING_MAX = 256 }; /* bytes of any greeting */

/* A new connection; its time is taken out of the client's for connecting. */
MUST_CHECK bool dial_open(struct client *client, struct link *link, struct client_outcome *outcome);

/* The CID that the dialect tells its host, if it does. */
MUST_CHECK bool dial_learn_cid(const struct client *client, struct client_session *session,
                               struct client_outcome *outcome);

/* All of these return false. `error`: a positive errno. */
bool dial_no_connection(struct client_outcome *outcome, int error, const char *text);
bool dial_stopped(struct client_outcome *outcome);
/* The host has taken the connection and is silent. */
bool dial_silent(struct client_outcome *outcome);
/* It has closed it without a word. */
bool dial_closed(struct client_outcome *outcome);
/* Likewise, but for the words that outcome->text tells. */
bool dial_not_understood(struct client_outcome *outcome);
bool dial_no_protocol(struct client_outcome *outcome, const char *text);
/* An ERROR as the first word: either no common version, or the result. */
bool dial_refused(const struct client *client, const struct answer *answer,
                  struct client_outcome *outcome);

#endif
