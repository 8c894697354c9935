/* SPDX-License-Identifier: Apache-2.0 */
/* One log line for each request: who asked, in which dialect, what, and the outcome. A query that
 * succeeded is logged at debug level.
 *
 * Threads  whoever owns the connection.
 */
#ifndef HOST_NET_REQUEST_LOG_H
#define HOST_NET_REQUEST_LOG_H

#include "host/log.h"
#include "host/net/connection.h"

/* A command was run; `waits`: its answer comes when the work has ended. */
void request_log_request(const struct connection *connection, const struct request *request,
                         const struct answer *answer, bool waits);
/* The connection's pending work has ended. A failure is information here: whoever did the work has
 * logged it as a warning or an error, once for all that wait for it. */
void request_log_ended(const struct connection *connection, const struct pending_view *view);
/* What arrived is refused, or the connection is, and answered so. `closes`: it ends after this. */
void request_log_refuse(struct connection *connection, enum log_priority priority,
                        enum error_code code, const char *text, bool closes);

#endif
