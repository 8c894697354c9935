/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's end: one typed request in, one typed outcome out. Negotiates the dialect, connects
 * again while the host cannot be reached, and sends a command that changes something at most once.
 *
 *     client_init() -> client_ask()... -> client_done()
 *
 * Threads  a client belongs to one thread; callbacks run in it.
 * Units    *_ms: CLOCK_MONOTONIC milliseconds; CLOCK_NEVER for no deadline.
 * Errors   an outcome is a value; nothing is logged. A host's bytes are escaped in texts.
 * Owner    an outcome's answer is valid until the next call on its client.
 */
#ifndef COMPAT_CLIENT_H
#define COMPAT_CLIENT_H

#include "compat/client_types.h"

/* Bytes of client_protocol_names. */
enum { CLIENT_NAMES_MAX = 128 };

void client_init(struct client *client, const struct client_setup *setup);
void client_done(struct client *client);

/* Uses the open connection, or a new one. A query whose connection broke is sent again within the
 * limits; any other request is not. */
void client_ask(struct client *client, const struct request *request,
                struct client_outcome *outcome);

/* A value of --protocol; "auto" sets *ret to NULL. -ENOENT: no such dialect. */
MUST_CHECK int client_find_protocol(const char *name, const struct dialect **ret);

/* The values of --protocol with `separator` between them, the newest dialect first. */
void client_protocol_names(const char *separator, char out[CLIENT_NAMES_MAX]);

#endif
