/* SPDX-License-Identifier: Apache-2.0 */
/* A connection that waits for work that goes on elsewhere: when it is told of progress, and when of
 * the end.
 *
 * Threads  the acceptor, which owns the connection.
 * Errors   none; those of the work are its answer.
 */
#ifndef HOST_WAITING_H
#define HOST_WAITING_H

#include "host/net/connection.h"

/* Looks at a copy of where the work stands and appends PROGRESS or the answer, if one is due. With the
 * answer, or when the daemon stops and the work outlives it, the ticket is given back. False: nothing
 * was appended, and it waits on, for the bell or until look_deadline_ms. */
MUST_CHECK bool waiting_look(struct connection *connection, bool stopping);

#endif
