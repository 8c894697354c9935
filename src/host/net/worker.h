/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker does with a connection that has a whole frame waiting: decode, run, encode, one
 * send.
 *
 * Threads  a worker, which owns the connection meanwhile.
 * Errors   what the guest is told; one log line for each request that failed.
 */
#ifndef HOST_NET_WORKER_H
#define HOST_NET_WORKER_H

#include "host/command.h"
#include "host/net/connection.h"
#include "wire/attributes.h"

#include <stdint.h>

/* Fixed worker threads behind a bounded queue of connections that have a whole frame waiting.
 *
 * Threads  submit, wake: the acceptor.  new, stop, free: main thread.
 * Lock     one, rank 2 (ranks: main.c). Work runs with no lock held.
 * Errors   0 or -errno; logs nothing. A full queue is -EBUSY, never a wait.
 * Owner    the pool owns a connection from a submit that returned 0 until it calls `work`.
 */
struct worker_pool;

/* Does what there is to do and gives the connection on; runs in a worker. */
typedef void worker_pool_work(void *context, struct connection *connection);

MUST_CHECK int worker_pool_new(uint32_t workers, uint32_t queue, worker_pool_work *work,
                               void *context, struct worker_pool **ret);
/* The workers hear of it at the next worker_pool_wake, or at once when half of the queue is full: one
 * wake-up for a burst costs less than one for each, and the acceptor is not preempted in the middle
 * of it. */
MUST_CHECK int worker_pool_submit(struct worker_pool *pool, struct connection *connection);
void worker_pool_wake(struct worker_pool *pool);
/* Lets the workers finish what is queued, and joins them. */
void worker_pool_stop(struct worker_pool *pool);
struct worker_pool *worker_pool_free(struct worker_pool *pool);

/* Afterwards the connection waits for its ticket, has output pending, is closing, or reads on. */
void worker_serve(struct command_parts *parts, struct connection *connection);

#endif
