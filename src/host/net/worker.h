/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed worker threads behind a bounded queue of connections that have a whole frame waiting: decode,
 * run, encode, one send.
 *
 * Threads  submit, wake: the acceptor.  new, stop, free: main thread.  serve: a worker.
 * Lock     one, rank 2 (ranks: main.c). Work runs with no lock held.
 * Errors   0 or -errno. A full queue is -EBUSY, never a wait. Each request that fails is one log line.
 * Owner    the pool owns a connection from a submit that returned 0 until it calls `work`.
 */
#ifndef HOST_NET_WORKER_H
#define HOST_NET_WORKER_H

#include "host/command.h"
#include "host/net/connection.h"

struct worker_pool;

/* Serves a connection and hands it on; runs in a worker. */
typedef void worker_pool_work(void *context, struct connection *connection);

MUST_CHECK int worker_pool_new(uint32_t workers, uint32_t queue, worker_pool_work *work,
                               void *context, struct worker_pool **ret);
/* The workers are woken by the next worker_pool_wake, or at once when half of the queue is full: one
 * wake-up for a burst costs less than one for each, and does not preempt the acceptor within it. */
MUST_CHECK int worker_pool_submit(struct worker_pool *pool, struct connection *connection);
void worker_pool_wake(struct worker_pool *pool);
/* Lets the workers finish what is queued, and joins them. */
void worker_pool_stop(struct worker_pool *pool);
struct worker_pool *worker_pool_free(struct worker_pool *pool);

/* Afterwards the connection waits for its pending work, has output, is closing, or reads on. */
void worker_serve(struct command_parts *parts, struct connection *connection);

#endif
