/* SPDX-License-Identifier: Apache-2.0 */
/* get-upgrade-status --follow: asked once a second, through restarts of the host, until there is
 * nothing more to wait for.
 *
 * Threads  one thread.
 */
#ifndef GUEST_FOLLOW_H
#define GUEST_FOLLOW_H

#include "compat/client.h"
#include "guest/screen.h"

/* The last outcome: the response in which the upgrade has ended, or what else ended the waiting. */
void follow_run(struct client *client, const struct request *request, struct screen *screen,
                struct client_outcome *ret);

/* True when an upgrade in this phase has ended; an unknown phase has not. */
bool follow_has_ended(unsigned phase);

#endif
