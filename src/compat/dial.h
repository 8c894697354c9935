/* SPDX-License-Identifier: Apache-2.0 */
/* One try to reach the host: what the search does on every way, and how its failures end.
 *
 * Threads  as compat/client.h.
 * Errors   bool: false, with *outcome set, when it failed.
 */
#ifndef COMPAT_DIAL_H
#define COMPAT_DIAL_H

#include "compat/exchange.h"

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
