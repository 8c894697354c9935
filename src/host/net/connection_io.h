/* SPDX-License-Identifier: Apache-2.0 */
/* What the acceptor does with a connection that it owns: read until a frame is whole, hand it to the
 * pool, send what is left, watch the work it waits for, enforce its deadlines, close it.
 *
 * Threads  the acceptor.
 * Units    *_ms: CLOCK_MONOTONIC milliseconds.
 * Errors   a connection that fails is dropped; nobody is left to answer.
 */
#ifndef HOST_NET_CONNECTION_IO_H
#define HOST_NET_CONNECTION_IO_H

#include "host/net/worker.h"

struct connection_io {
    const struct conf *conf;
    struct command_parts *parts;
    struct connection_table *table;
    struct worker_pool *pool;
    int epoll_fd;
    int64_t next_deadline_ms; /* no connection's deadline is earlier; it may be too early itself */
};

/* A connection that was just accepted; `busy`: it is above a limit. */
void connection_io_begin(struct connection_io *io, struct connection *connection, bool busy);
/* An event of the connection with this key, which may be closed already. */
void connection_io_event(struct connection_io *io, uint64_t key, uint32_t events);
/* A worker gave it back. */
void connection_io_give_back(struct connection_io *io, struct connection *connection);
/* Handles the deadlines that have passed. */
void connection_io_expire(struct connection_io *io);
/* The work that guests wait for has changed (`waiting`: only connections with pending work), or the
 * daemon stops (parts->stopping): every connection that no worker owns is answered or closed. */
void connection_io_advance_all(struct connection_io *io, bool waiting);

#endif
