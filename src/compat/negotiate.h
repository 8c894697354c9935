/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the dialect of a host, and connects again while it cannot be reached: sends HELLO, and if
 * that is not understood or not answered, get-vsock-version in JSON on a second connection.
 * docs/protocol.md, "How a guest finds the dialect". */
#ifndef COMPAT_NEGOTIATE_H
#define COMPAT_NEGOTIATE_H

#include "compat/client_types.h"

/* True: the dialect of the client's link is known. Its stream is open and a version agreed, unless
 * the dialect does not carry `command`, or the answer to it is known already. False: *outcome is
 * set, and no request was sent. */
MUST_CHECK bool negotiate_run(struct client *client, enum command command,
                              struct client_outcome *outcome);

/* True if the negotiation has brought the answer to the command: client->version. */
bool negotiate_has_answer(const struct client *client, enum command command);

/* Waits for the next try. False: no time is left for one, or the stop descriptor became readable,
 * in which case *outcome is changed. */
MUST_CHECK bool negotiate_pause(struct client *client, struct client_outcome *outcome);

/* True for an error that may pass: busy or shutting_down. */
bool negotiate_wrong_time(const struct answer *error);

#endif
