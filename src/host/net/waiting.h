/* SPDX-License-Identifier: Apache-2.0 */
/* A connection that waits for its upgrade: when it is told of progress, and when of the end.
 *
 * Threads  the acceptor, which owns the connection.
 * Errors   none; an upgrade's are its answer.
 */
#ifndef HOST_WAITING_H
#define HOST_WAITING_H

#include "host/net/connection.h"

/* Looks at a copy of the upgrade's state and appends PROGRESS or the answer, if one is due. With the
 * answer, or when the daemon stops, the ticket is given back. False: nothing was appended, and it waits
 * on, for the job's bell or until look_deadline_ms. */
MUST_CHECK bool waiting_look(struct connection *connection, bool stopping);

#endif
