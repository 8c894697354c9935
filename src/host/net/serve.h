/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker does with a connection that has a whole frame waiting: decode, run, encode, one
 * send.
 *
 * Threads  a worker, which owns the connection meanwhile.
 * Errors   what the guest is told; one log line for each request that failed.
 */
#ifndef HOST_SERVE_H
#define HOST_SERVE_H

#include "host/command/command.h"
#include "host/net/connection.h"

/* Afterwards the connection waits for its ticket, has output pending, is closing, or reads on. */
void serve(struct command_parts *parts, struct connection *connection);

#endif
