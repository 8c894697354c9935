/* SPDX-License-Identifier: Apache-2.0 */
/* Reaching the host: connections and greetings until one of them agrees on a dialect.
 *
 * Threads  as compat/client.h.
 * Source   docs/protocol.md, "How a guest finds the dialect".
 */
#ifndef COMPAT_NEGOTIATE_H
#define COMPAT_NEGOTIATE_H

#include "compat/client_types.h"

/* Which dialect a host speaks: HELLO first; and where that is not understood, or met with silence,
 * the question of the JSON generations on a second connection, beside the first.
 *
 * Threads  as compat/client.h.
 * Source   docs/protocol.md, "How a guest finds the dialect".
 */

/* True: the dialect of the client's link is settled. Its stream is open and agreed, unless the
 * dialect does not carry `command`, which will be asked, or the search has its answer already.
 * False: *outcome says why not, and no request was sent. */
MUST_CHECK bool negotiate_run(struct client *client, enum command command,
                              struct client_outcome *outcome);

/* True if the search has heard what the command asks for: client->version. */
bool negotiate_has_answer(const struct client *client, enum command command);

/* Waits for the next try: false when the limits leave no time for one, or, with *outcome changed to
 * say so, when the stop descriptor became readable. */
MUST_CHECK bool negotiate_pause(struct client *client, struct client_outcome *outcome);

/* True for an error of the host that a later try may not meet. */
bool negotiate_wrong_time(const struct answer *error);

#endif
