/* SPDX-License-Identifier: Apache-2.0 */
/* Which dialect a host speaks: HELLO first; and where that is not understood, or met with silence,
 * the question of the JSON generations on a second connection, beside the first.
 *
 * Threads  as compat/client.h.
 * Source   docs/protocol.md, "How a guest finds the dialect".
 */
#ifndef COMPAT_DISCOVER_H
#define COMPAT_DISCOVER_H

#include "compat/client.h"

/* True: the dialect of the client's link is settled. Its stream is open where a version was agreed
 * on; an older host wants a new connection. False: *outcome says why not. */
MUST_CHECK bool discover_run(struct client *client, struct client_outcome *outcome);

#endif
