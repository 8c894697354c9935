/* SPDX-License-Identifier: Apache-2.0 */
/* How the other threads reach the acceptor: connections that are given back, and a bell.
 *
 * Threads  post, ring: any thread.  take: the acceptor.
 * Lock     none: one atomic list head. It is bounded by the number of connections.
 * Errors   mailbox_init: 0 or -errno; the rest cannot fail.
 * Owner    a posted connection belongs to the mailbox until it is taken.
 */
#ifndef HOST_NET_MAILBOX_H
#define HOST_NET_MAILBOX_H

#include "host/net/connection.h"
#include "wire/attributes.h"

#include <stdatomic.h>

struct mailbox {
    int fd; /* eventfd: readable when there is something to take */
    _Atomic(struct connection *) head;
};

MUST_CHECK int mailbox_init(struct mailbox *mailbox);
void mailbox_done(struct mailbox *mailbox);

void mailbox_post(struct mailbox *mailbox, struct connection *connection);
void mailbox_notify(struct mailbox *mailbox);

/* Silences the bell and takes all that was posted, linked by `next`, oldest first. */
struct connection *mailbox_take(struct mailbox *mailbox);

#endif
