/* SPDX-License-Identifier: Apache-2.0 */
/* What the acceptor does with a connection that it owns: read until a frame is whole, hand it to
 * the pool, send what is left, watch the work it waits for, tell it when it is too late, let it
 * go.
 *
 * Threads  the acceptor, all of it.
 * Units    *_ms: CLOCK_MONOTONIC milliseconds.
 * Errors   a connection that cannot go on is dropped; there is nobody to tell.
 */
#ifndef HOST_NET_CONNECTION_IO_H
#define HOST_NET_CONNECTION_IO_H

#include "host/command.h"
#include "host/net/connection.h"
#include "host/net/worker.h"

#include <stdint.h>

/* A connection that waits for work that goes on elsewhere: when it is told of progress, and when of
 * the end.
 *
 * Threads  the acceptor, which owns the connection.
 * Errors   none; those of the work are its answer.
 */

struct connection_io {
    const struct conf *conf;
    struct command_parts *parts;
    struct connection_table *table;
    struct worker_pool *pool;
    int epoll_fd;
    int64_t next_deadline_ms; /* no connection's deadline is earlier; it may be too early itself */
};

/* A connection that was just accepted; `busy`: it found no place. */
void connection_io_begin(struct connection_io *flow, struct connection *connection, bool busy);
/* Something happened to the connection with this key, unless it is gone already. */
void connection_io_event(struct connection_io *flow, uint64_t key, uint32_t events);
/* A worker gave it back. */
void connection_io_give_back(struct connection_io *flow, struct connection *connection);
/* Something changed about the work that guests wait for. */
void connection_io_work_changed(struct connection_io *flow);
/* Deals with the deadlines that have passed. */
void connection_io_expire(struct connection_io *flow);
/* The daemon stops (parts->stopping): every connection that a worker does not own is told, or let
 * go. */
void connection_io_drain(struct connection_io *flow);

#endif
