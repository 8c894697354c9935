/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that owns every connection which no worker has: it accepts, waits on all of them at once
 * (epoll), and hands those with a whole frame to the pool.
 *
 * Threads  new, start, stop, free: main thread.  configure, give_back, notify: any thread.
 * Lock     none: the connections that are given back are one atomic list.
 * Errors   0 or -errno; an accept that fails is logged, once a second at most.
 * Owner    the listeners stay the caller's.
 */
#ifndef HOST_NET_ACCEPTOR_H
#define HOST_NET_ACCEPTOR_H

#include "host/net/listener.h"
#include "host/net/worker.h"

struct acceptor;

MUST_CHECK int acceptor_new(const struct conf *conf, struct command_parts *parts,
                            const struct listener_set *listeners, struct acceptor **ret);
/* `pool` runs workers that end in acceptor_give_back. */
MUST_CHECK int acceptor_start(struct acceptor *acceptor, struct worker_pool *pool);
/* From the next event on: who is served, and the deadlines. */
void acceptor_configure(struct acceptor *acceptor, const struct conf *conf);
/* With parts->stopping set: finishes the answers under way within the limit, and joins. */
void acceptor_stop(struct acceptor *acceptor, int64_t limit_ms);
struct acceptor *acceptor_free(struct acceptor *acceptor);

/* A worker is done with the connection. */
void acceptor_give_back(struct acceptor *acceptor, struct connection *connection);
/* A pending_wakeup: the work that guests wait for has changed. */
void acceptor_notify(void *context);

#endif
