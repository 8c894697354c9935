/* SPDX-License-Identifier: Apache-2.0 */
#include "host/net/connection_io.h"

#include "host/metrics.h"
#include "host/net/request_log.h"
#include "wire/clock.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum {
    PROGRESS_MS = 1000,   /* between two PROGRESS frames of one phase */
    LINGER_MS = 1000,     /* for which what still arrives is read and dropped */
    LINGER_BYTES = 65536, /* and how much of it */
};

static void append_progress(struct connection *connection, const struct pending_view *view,
                            int64_t now)
{
    struct answer answer = {.type = ANSWER_PROGRESS, .status = view->status};
    connection_answer(connection, &answer);
    connection->progress_sent = true;
    connection->progress_phase = view->status.phase;
    connection->progress_revision = view->revision;
    connection->progress_ms = now;
}

/* True if this view is to be sent now. If it is too early, look_deadline_ms is set. */
static bool progress_is_due(struct connection *connection, const struct pending_view *view,
                            int64_t now)
{
    if (!connection->progress_wanted || !view->has_progress ||
        (connection->progress_sent && view->revision == connection->progress_revision)) {
        return false;
    }
    int64_t due = connection->progress_ms + PROGRESS_MS;
    if (connection->progress_sent && view->status.phase == connection->progress_phase &&
        now < due) {
        connection->look_deadline_ms = due;
        return false;
    }
    return true;
}

/* Appends PROGRESS or the answer of the pending work, if one is due. With the answer, or when the
 * daemon stops and the work outlives it, the work is given up. False: nothing was appended; the
 * connection waits on for a notification or until look_deadline_ms. */
static bool append_async_reply(struct connection *connection, bool stopping)
{
    struct pending_view view;
    int64_t now = clock_ms();
    pending_read(connection->pending, &view);
    connection->look_deadline_ms = CLOCK_NEVER;
    bool due = progress_is_due(connection, &view, now);
    if (due) {
        append_progress(connection, &view, now); /* the last phase too, right before the answer */
    }
    if (view.ended) {
        struct answer answer = command_answer_ended(&view);
        connection_answer_command(connection, &answer);
        request_log_ended(connection, &view);
    } else if (stopping && connection->pending->kind->outlives) {
        connection->closing = true; /* without an answer: the outcome is not known yet */
    } else {
        return due;
    }
    connection->pending = pending_unref(connection->pending);
    return true;
}

/* The key of a connection's events in the epoll set; its highest bit is 0. */
static uint64_t event_key(const struct connection *connection)
{
    return (uint64_t)(connection->generation & INT32_MAX) << 32 | connection->slot;
}

static bool is_stopping(const struct connection_io *io)
{
    return atomic_load_explicit(&io->parts->stopping, memory_order_relaxed);
}

static void drop_connection(struct connection_io *io, struct connection *connection)
{
    connection_table_release(io->table, connection); /* the close takes it out of the epoll set */
}

static int64_t deadline_of(const struct connection *connection)
{
    if (connection_has_output(connection)) {
        return connection->send_deadline_ms;
    }
    return connection->pending != NULL ? connection->look_deadline_ms
                                       : connection->read_deadline_ms;
}

/* Waits for the next event; a connection that cannot be watched is dropped. `again`: events that hold
 * already are reported once more. */
static void watch_events(struct connection_io *io, struct connection *connection, bool again)
{
    bool output = connection_has_output(connection);
    if (!connection->watched || connection->wants_output != output || again) {
        struct epoll_event event = {
            .events = EPOLLIN | EPOLLRDHUP | EPOLLET | (output ? (uint32_t)EPOLLOUT : 0),
            .data.u64 = event_key(connection),
        };
        int operation = connection->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
        if (epoll_ctl(io->epoll_fd, operation, connection->fd, &event) < 0) {
            drop_connection(io, connection);
            return;
        }
        connection->watched = true;
        connection->wants_output = output;
    }
    int64_t deadline = deadline_of(connection);
    if (deadline < io->next_deadline_ms) {
        io->next_deadline_ms = deadline;
    }
}

/* 0 if some of the output was sent, and then the send deadline begins anew; else -errno. */
static int send_once(const struct connection_io *io, struct connection *connection)
{
    int error = connection_send(connection);
    if (error == 0) {
        connection->send_deadline_ms = connection_has_output(connection)
                                           ? clock_deadline(io->conf->limits.send_ms)
                                           : CLOCK_NEVER;
    }
    return error;
}

/* Sends what is pending. True: all of it was sent. */
static bool flush_output(struct connection_io *io, struct connection *connection)
{
    if (connection->send_deadline_ms == CLOCK_NEVER) {
        connection->send_deadline_ms = clock_deadline(io->conf->limits.send_ms);
    }
    int error = send_once(io, connection);
    if (error < 0 && error != -EAGAIN) {
        drop_connection(io, connection);
        return false;
    }
    if (!connection_has_output(connection)) {
        return true;
    }
    watch_events(io, connection, false);
    return false;
}

/* A request is done: the deadline of the next one begins. */
static void expect_next(const struct connection_io *io, struct connection *connection)
{
    connection->read_deadline_ms = clock_deadline(
        connection->in_length > 0 ? io->conf->limits.frame_ms : io->conf->limits.idle_ms);
}

/* Hands the whole frame to the pool. False: the queue is full, and the request is refused. */
static bool submit_frame(struct connection_io *io, struct connection *connection)
{
    connection->state = CONNECTION_WORKING;
    if (worker_pool_submit(io->pool, connection) == 0) {
        return true;
    }
    connection->state = CONNECTION_OPEN;
    request_log_refuse(connection, PRIORITY_WARNING, ERROR_BUSY,
                       "the queue of requests is full ([limits] queue): try again later",
                       !connection->greeted);
    connection_consume(connection);
    expect_next(io, connection);
    return false;
}

/* True: something arrived, or the end of the stream. */
static bool read_more(struct connection_io *io, struct connection *connection)
{
    bool empty = connection->in_length == 0;
    ssize_t got = connection_receive(connection);
    if (got > 0) {
        if (empty && connection->greeted) {
            connection->read_deadline_ms = clock_deadline(io->conf->limits.frame_ms);
        }
        return true;
    }
    if (got == 0) {
        connection->ended = true;
        return true;
    }
    if (got == -EAGAIN) {
        watch_events(io, connection, false);
    } else {
        drop_connection(io, connection);
    }
    return false;
}

/* Reads and drops what still arrives, so that a guest that is still writing can read its answer. */
static void drain_input(struct connection_io *io, struct connection *connection)
{
    ssize_t got = 1;
    while (got > 0) {
        connection->in_length = 0;
        got = connection_receive(connection);
        if (got > 0) {
            size_t dropped = (size_t)got;
            connection->linger_left -=
                dropped < connection->linger_left ? dropped : connection->linger_left;
            got = connection->linger_left > 0 ? got : 0;
        }
    }
    if (got == -EAGAIN) {
        watch_events(io, connection, false);
    } else {
        drop_connection(io, connection);
    }
}

static void linger_connection(struct connection_io *io, struct connection *connection)
{
    if (connection->ended || shutdown(connection->fd, SHUT_WR) < 0) {
        drop_connection(io, connection);
        return;
    }
    connection->state = CONNECTION_LINGERING;
    connection->read_deadline_ms = clock_deadline(LINGER_MS);
    connection->linger_left = LINGER_BYTES;
    drain_input(io, connection);
}

/* The daemon stops: what has arrived, whole or not, is refused. */
static void refuse_stopping(struct connection *connection)
{
    struct protocol_error protocol_error;
    /* The answer has the id of this frame; it need not be whole. */
    (void)!connection_frame(connection, &protocol_error);
    connection_refuse(connection, ERROR_SHUTTING_DOWN, "the host is stopping: try again later",
                      true);
}

/* Handles what has arrived. False: nothing more can be done without waiting. */
static bool handle_input(struct connection_io *io, struct connection *connection)
{
    struct protocol_error protocol_error;
    switch (connection_frame(connection, &protocol_error)) {
    case FRAMING_WHOLE:
        return !submit_frame(io, connection);
    case FRAMING_REFUSED:
        request_log_refuse(connection, PRIORITY_WARNING, protocol_error.code, protocol_error.text,
                           true);
        return true;
    case FRAMING_MORE:
    default:
        break;
    }
    if (connection->ended) {
        drop_connection(io, connection);
        return false;
    }
    return read_more(io, connection);
}

/* Does all that can be done without waiting. Afterwards the connection is watched, at a worker,
 * lingering or closed. */
static void advance_connection(struct connection_io *io, struct connection *connection)
{
    for (;;) {
        if (connection_has_output(connection)) {
            if (!flush_output(io, connection)) {
                return;
            }
        } else if (connection->pending != NULL) {
            if (!append_async_reply(connection, is_stopping(io))) {
                watch_events(io, connection, true); /* reports a guest that left meanwhile */
                return;
            }
            if (connection->pending == NULL) {
                expect_next(io, connection);
            }
        } else if (connection->closing) {
            linger_connection(io, connection);
            return;
        } else if (is_stopping(io)) {
            refuse_stopping(connection);
        } else if (!handle_input(io, connection)) {
            return;
        }
    }
}

void connection_io_begin(struct connection_io *io, struct connection *connection, bool busy)
{
    connection->read_deadline_ms = clock_deadline(io->conf->limits.first_frame_ms);
    connection->send_deadline_ms = CLOCK_NEVER;
    if (busy) {
        ssize_t got = connection_receive(connection); /* only to learn the dialect */
        connection->ended = got == 0;
        server_sniff(&connection->session, connection->in, connection->in_length);
        request_log_refuse(connection, PRIORITY_WARNING, ERROR_BUSY,
                           "too many connections ([limits] connections, connections_per_cid): "
                           "try again later",
                           true);
        metrics_count(METRIC_TURNED_AWAY);
    }
    advance_connection(io, connection);
}

void connection_io_event(struct connection_io *io, uint64_t key, uint32_t events)
{
    struct connection *connection = connection_table_at(io->table, (uint32_t)key);
    if (connection->state == CONNECTION_FREE || connection->state == CONNECTION_WORKING ||
        event_key(connection) != key) {
        return; /* a worker's connection is handled when it is given back */
    }
    if (connection->pending != NULL && (events & (EPOLLHUP | EPOLLERR)) != 0) {
        drop_connection(io, connection); /* the guest disconnected; its work goes on */
    } else if (connection->pending != NULL && !connection_has_output(connection)) {
        return; /* not read while it waits; watching it anew would report this event for ever */
    } else if (connection->state == CONNECTION_LINGERING) {
        drain_input(io, connection);
    } else {
        advance_connection(io, connection);
    }
}

void connection_io_give_back(struct connection_io *io, struct connection *connection)
{
    connection->state = CONNECTION_OPEN;
    expect_next(io, connection);
    advance_connection(io, connection);
}

void connection_io_advance_all(struct connection_io *io, bool waiting)
{
    for (uint32_t slot = 0; slot < connection_table_size(io->table); slot++) {
        struct connection *connection = connection_table_at(io->table, slot);
        if (connection->state == CONNECTION_OPEN && !connection_has_output(connection) &&
            (!waiting || connection->pending != NULL)) {
            advance_connection(io, connection);
        }
    }
}

static void refuse_timeout(const struct connection_io *io, struct connection *connection)
{
    char text[160];
    const char *what = "no request arrived";
    int64_t limit_ms = io->conf->limits.idle_ms;
    enum log_priority priority = PRIORITY_INFO; /* an idle guest is no failure */
    if (!connection->greeted) {
        what = "the first frame was not complete";
        limit_ms = io->conf->limits.first_frame_ms;
        priority = PRIORITY_WARNING;
    } else if (connection->in_length > 0) {
        what = "a frame was not complete";
        limit_ms = io->conf->limits.frame_ms;
        priority = PRIORITY_WARNING;
    }
    (void)snprintf(text, sizeof text, "%s within %g s: send sooner, or connect again", what,
                   (double)limit_ms / 1000);
    server_sniff(&connection->session, connection->in, connection->in_length);
    request_log_refuse(connection, priority, ERROR_TIMEOUT, text, true);
    metrics_count(METRIC_TIMEOUTS);
}

/* True if something arrived in time that is not read yet: the first byte meets the deadline of an idle
 * connection, the whole frame any other. */
static bool arrived_in_time(struct connection_io *io, struct connection *connection)
{
    struct protocol_error protocol_error;
    bool idle = connection->greeted && connection->in_length == 0;
    ssize_t got = connection_receive(connection);
    if (got > 0 && idle) {
        connection->read_deadline_ms = clock_deadline(io->conf->limits.frame_ms);
        return true;
    }
    connection->ended = got == 0;
    return got == 0 || (got > 0 && connection_frame(connection, &protocol_error) != FRAMING_MORE);
}

static void expire_connection(struct connection_io *io, struct connection *connection)
{
    if (connection->state == CONNECTION_LINGERING) {
        drop_connection(io, connection);
        return;
    }
    if (connection_has_output(connection)) {
        /* The socket may take more without an event yet. */
        if (send_once(io, connection) < 0) {
            drop_connection(io, connection);
            return;
        }
    } else if (connection->pending == NULL && !arrived_in_time(io, connection)) {
        refuse_timeout(io, connection);
    }
    advance_connection(io, connection);
}

void connection_io_expire(struct connection_io *io)
{
    int64_t now = clock_ms();
    if (now < io->next_deadline_ms) {
        return;
    }
    io->next_deadline_ms = CLOCK_NEVER;
    for (uint32_t slot = 0; slot < connection_table_size(io->table); slot++) {
        struct connection *connection = connection_table_at(io->table, slot);
        if (connection->state == CONNECTION_FREE || connection->state == CONNECTION_WORKING) {
            continue;
        }
        int64_t deadline = deadline_of(connection);
        if (deadline <= now) {
            expire_connection(io, connection);
        } else if (deadline < io->next_deadline_ms) {
            io->next_deadline_ms = deadline;
        }
    }
}
