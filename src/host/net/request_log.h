/* SPDX-License-Identifier: Apache-2.0 */
/* The log lines about requests: one for each, with who asked, in which dialect, what, and what came
 * of it. Queries that went well are told at debug level only.
 *
 * Threads  whoever owns the connection.
 */
#ifndef HOST_NET_REQUEST_LOG_H
#define HOST_NET_REQUEST_LOG_H

#include "host/net/connection.h"

/* A command was run; `waits`: its answer comes when the work has ended. */
void request_log_request(const struct connection *connection, const struct request *request,
                         const struct answer *answer, bool waits);
/* The work of its ticket has ended. */
void request_log_ended(const struct connection *connection, const struct pending_view *view);
/* What arrived is not taken, or the connection is not. `closes`: it ends after this. */
void request_log_refuse(struct connection *connection, enum error_code code, const char *text,
                        bool closes);

#endif
