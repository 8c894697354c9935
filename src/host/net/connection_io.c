/* SPDX-License-Identifier: Apache-2.0 */
#include "host/net/connection_io.h"

#include "host/command.h"
#include "host/metrics.h"
#include "host/net/request_log.h"
#include "wire/clock.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { PROGRESS_MS = 1000 /* between two PROGRESS frames of one phase */ };

static void tell_progress(struct connection *connection, const struct pending_view *view,
                          int64_t now)
{
    struct answer answer = {.type = ANSWER_PROGRESS, .status = view->status};
    connection_answer(connection, &answer);
    connection->progress_sent = true;
    connection->progress_phase = view->status.phase;
    connection->progress_revision = view->revision;
    connection->progress_ms = now;
}

/* True if the guest is to be told of this view now; if it is too early for that, when to look
 * again. */
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

static void answer(struct connection *connection, const struct pending_view *view)
{
    struct answer ended = command_ended(view);
    connection_answer_command(connection, &ended);
    request_log_ended(connection, view);
    connection->pending = pending_unref(connection->pending);
}

/* Looks at a copy of where the work stands and appends PROGRESS or the answer, if one is due. With the
 * answer, or when the daemon stops and the work outlives it, the ticket is given back. False: nothing
 * was appended, and it waits on, for the bell or until look_deadline_ms. */
static bool async_reply_check(struct connection *connection, bool stopping)
{
    struct pending_view view;
    int64_t now = clock_ms();
    pending_read(connection->pending, &view);
    connection->look_deadline_ms = CLOCK_NEVER;
    bool due = progress_is_due(connection, &view, now);
    if (due) {
        tell_progress(connection, &view, now); /* the last phase too, right before the answer */
    }
    if (view.ended) {
        answer(connection, &view);
        return true;
    }
    if (stopping && connection->pending->kind->outlives) {
        connection->pending =
            pending_unref(connection->pending); /* that its end is not known is the
                                                                * truth */
        connection->closing = true;
        return true;
    }
    return due;
}

enum {
    LINGER_MS = 1000,     /* for which what still comes is read and dropped */
    LINGER_BYTES = 65536, /* and how much of it */
};

/* The key of a connection's events in the epoll set; its highest bit is 0. */
static uint64_t connection_io_key(const struct connection *connection)
{
    return (uint64_t)(connection->generation & INT32_MAX) << 32 | connection->slot;
}

static bool stopping(const struct connection_io *flow)
{
    return atomic_load_explicit(&flow->parts->stopping, memory_order_relaxed);
}

static void drop(struct connection_io *flow, struct connection *connection)
{
    connection_table_release(flow->table, connection); /* the close takes it out of the epoll set */
}

static int64_t deadline_of(const struct connection *connection)
{
    if (connection_has_output(connection)) {
        return connection->send_deadline_ms;
    }
    return connection->pending != NULL ? connection->look_deadline_ms
                                       : connection->read_deadline_ms;
}

/* Waits for the next event. False: it cannot be waited for, and the connection is dropped. `again`
 * reports once more what holds already. */
static bool watch(struct connection_io *flow, struct connection *connection, bool again)
{
    bool output = connection_has_output(connection);
    if (!connection->watched || connection->wants_output != output || again) {
        struct epoll_event event = {
            .events = EPOLLIN | EPOLLRDHUP | EPOLLET | (output ? (uint32_t)EPOLLOUT : 0),
            .data.u64 = connection_io_key(connection),
        };
        int operation = connection->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
        if (epoll_ctl(flow->epoll_fd, operation, connection->fd, &event) < 0) {
            drop(flow, connection);
            return false;
        }
        connection->watched = true;
        connection->wants_output = output;
    }
    int64_t deadline = deadline_of(connection);
    if (deadline < flow->next_deadline_ms) {
        flow->next_deadline_ms = deadline;
    }
    return true;
}

/* Sends once. 0, and from now on the guest has its time to take more, if some of it went; else -errno.
 */
static int send_some(const struct connection_io *flow, struct connection *connection)
{
    int error = connection_send(connection);
    if (error == 0) {
        connection->send_deadline_ms = connection_has_output(connection)
                                           ? clock_deadline(flow->conf->limits.send_ms)
                                           : CLOCK_NEVER;
    }
    return error;
}

/* Sends what is pending. True: all of it went. */
static bool flush(struct connection_io *flow, struct connection *connection)
{
    if (connection->send_deadline_ms == CLOCK_NEVER) {
        connection->send_deadline_ms = clock_deadline(flow->conf->limits.send_ms);
    }
    int error = send_some(flow, connection);
    if (error < 0 && error != -EAGAIN) {
        drop(flow, connection);
        return false;
    }
    if (!connection_has_output(connection)) {
        return true;
    }
    (void)watch(flow, connection, false); /* dropped or waiting: both end here */
    return false;
}

/* A request has been dealt with: from now on the next one is waited for. */
static void rest(const struct connection_io *flow, struct connection *connection)
{
    connection->read_deadline_ms = clock_deadline(
        connection->in_length > 0 ? flow->conf->limits.frame_ms : flow->conf->limits.idle_ms);
}

/* Hands the whole frame to the pool. False: the queue is full, and the guest is told. */
static bool submit(struct connection_io *flow, struct connection *connection)
{
    connection->state = CONNECTION_WORKING;
    if (worker_pool_submit(flow->pool, connection) == 0) {
        return true;
    }
    connection->state = CONNECTION_OPEN;
    request_log_refuse(connection, ERROR_BUSY,
                       "too many requests wait already ([limits] queue): try again later",
                       !connection->greeted);
    connection_consume(connection);
    rest(flow, connection);
    return false;
}

/* Reads more. True: something arrived, or it is known that nothing more will. */
static bool fill(struct connection_io *flow, struct connection *connection)
{
    bool empty = connection->in_length == 0;
    ssize_t got = connection_receive(connection);
    if (got > 0) {
        if (empty && connection->greeted) {
            connection->read_deadline_ms = clock_deadline(flow->conf->limits.frame_ms);
        }
        return true;
    }
    if (got == 0) {
        connection->ended = true;
        return true;
    }
    if (got == -EAGAIN) {
        (void)watch(flow, connection, false); /* dropped or waiting: both end here */
    } else {
        drop(flow, connection);
    }
    return false;
}

/* Reads and drops what still comes, so that a guest that is still writing can read its answer. */
static void drain(struct connection_io *flow, struct connection *connection)
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
        (void)watch(flow, connection, false); /* dropped or waiting: both end here */
    } else {
        drop(flow, connection);
    }
}

static void linger(struct connection_io *flow, struct connection *connection)
{
    if (connection->ended || shutdown(connection->fd, SHUT_WR) < 0) {
        drop(flow, connection);
        return;
    }
    connection->state = CONNECTION_LINGERING;
    connection->read_deadline_ms = clock_deadline(LINGER_MS);
    connection->linger_left = LINGER_BYTES;
    drain(flow, connection);
}

/* The daemon stops: what has arrived, whole or not, is answered with that. */
static void send_away(struct connection *connection)
{
    struct protocol_error protocol_error;
    enum framing framing =
        connection_frame(connection, &protocol_error); /* whose id the answer has */
    (void)framing;
    connection_refuse(connection, ERROR_SHUTTING_DOWN, "the host is stopping: try again later",
                      true);
}

/* Goes on with what has arrived. False: it has gone as far as it does without waiting. */
static bool take(struct connection_io *flow, struct connection *connection)
{
    struct protocol_error protocol_error;
    switch (connection_frame(connection, &protocol_error)) {
    case FRAMING_WHOLE:
        return !submit(flow, connection);
    case FRAMING_REFUSED:
        request_log_refuse(connection, protocol_error.code, protocol_error.text, true);
        return true;
    case FRAMING_MORE:
    default:
        break;
    }
    if (connection->ended) {
        drop(flow, connection);
        return false;
    }
    return fill(flow, connection);
}

/* Takes the connection as far as it goes without waiting. Afterwards it is watched, at a worker,
 * lingering or gone. */
static void advance(struct connection_io *flow, struct connection *connection)
{
    for (;;) {
        if (connection_has_output(connection)) {
            if (!flush(flow, connection)) {
                return;
            }
        } else if (connection->pending != NULL) {
            if (!async_reply_check(connection, stopping(flow))) {
                (void)watch(flow, connection, true); /* a guest that left meanwhile is reported */
                return;
            }
            if (connection->pending == NULL) {
                rest(flow, connection);
            }
        } else if (connection->closing) {
            linger(flow, connection);
            return;
        } else if (stopping(flow)) {
            send_away(connection);
        } else if (!take(flow, connection)) {
            return;
        }
    }
}

void connection_io_begin(struct connection_io *flow, struct connection *connection, bool busy)
{
    connection->read_deadline_ms = clock_deadline(flow->conf->limits.first_frame_ms);
    connection->send_deadline_ms = CLOCK_NEVER;
    if (busy) {
        ssize_t got = connection_receive(connection); /* only to learn the dialect */
        connection->ended = got == 0;
        server_sniff(&connection->session, connection->in, connection->in_length);
        request_log_refuse(connection, ERROR_BUSY,
                           "too many connections ([limits] connections, connections_per_cid): "
                           "try again later",
                           true);
        metrics_count(METRIC_TURNED_AWAY);
    }
    advance(flow, connection);
}

void connection_io_event(struct connection_io *flow, uint64_t key, uint32_t events)
{
    struct connection *connection = connection_table_at(flow->table, (uint32_t)key);
    if (connection->state == CONNECTION_FREE || connection->state == CONNECTION_WORKING ||
        connection_io_key(connection) != key) {
        return; /* a worker's is seen to when it is given back */
    }
    if (connection->pending != NULL && (events & (EPOLLHUP | EPOLLERR)) != 0) {
        drop(flow, connection); /* the guest went away; its work goes on */
    } else if (connection->pending != NULL && !connection_has_output(connection)) {
        return; /* it is not read while it waits: to watch it anew would report this for ever */
    } else if (connection->state == CONNECTION_LINGERING) {
        drain(flow, connection);
    } else {
        advance(flow, connection);
    }
}

void connection_io_give_back(struct connection_io *flow, struct connection *connection)
{
    connection->state = CONNECTION_OPEN;
    rest(flow, connection);
    advance(flow, connection);
}

void connection_io_work_changed(struct connection_io *flow)
{
    for (uint32_t slot = 0; slot < connection_table_size(flow->table); slot++) {
        struct connection *connection = connection_table_at(flow->table, slot);
        if (connection->state == CONNECTION_OPEN && connection->pending != NULL &&
            !connection_has_output(connection)) {
            advance(flow, connection);
        }
    }
}

/* What a guest that was too late is told. */
static void tell_timeout(const struct connection_io *flow, struct connection *connection)
{
    char text[160];
    const char *what = "no request came";
    int64_t limit_ms = flow->conf->limits.idle_ms;
    if (!connection->greeted) {
        what = "the first frame was not complete";
        limit_ms = flow->conf->limits.first_frame_ms;
    } else if (connection->in_length > 0) {
        what = "a frame was not complete";
        limit_ms = flow->conf->limits.frame_ms;
    }
    (void)snprintf(text, sizeof text, "%s within %g s: send sooner, or connect anew", what,
                   (double)limit_ms / 1000);
    server_sniff(&connection->session, connection->in, connection->in_length);
    request_log_refuse(connection, ERROR_TIMEOUT, text, true);
    metrics_count(METRIC_TIMEOUTS);
}

/* True if something came in time, which was only not looked at yet: the deadline of an idle connection
 * is kept by the first byte, any other by the whole frame. */
static bool came_in_time(struct connection_io *flow, struct connection *connection)
{
    struct protocol_error protocol_error;
    bool idle = connection->greeted && connection->in_length == 0;
    ssize_t got = connection_receive(connection);
    if (got > 0 && idle) {
        connection->read_deadline_ms = clock_deadline(flow->conf->limits.frame_ms);
        return true;
    }
    connection->ended = got == 0;
    return got == 0 || (got > 0 && connection_frame(connection, &protocol_error) != FRAMING_MORE);
}

static void expire(struct connection_io *flow, struct connection *connection)
{
    if (connection->state == CONNECTION_LINGERING) {
        drop(flow, connection);
        return;
    }
    if (connection_has_output(connection)) {
        /* The socket may have room without having said so yet. */
        if (send_some(flow, connection) < 0) {
            drop(flow, connection);
            return;
        }
    } else if (connection->pending == NULL && !came_in_time(flow, connection)) {
        tell_timeout(flow, connection);
    }
    advance(flow, connection);
}

void connection_io_expire(struct connection_io *flow)
{
    int64_t now = clock_ms();
    if (now < flow->next_deadline_ms) {
        return;
    }
    flow->next_deadline_ms = CLOCK_NEVER;
    for (uint32_t slot = 0; slot < connection_table_size(flow->table); slot++) {
        struct connection *connection = connection_table_at(flow->table, slot);
        if (connection->state == CONNECTION_FREE || connection->state == CONNECTION_WORKING) {
            continue;
        }
        int64_t deadline = deadline_of(connection);
        if (deadline <= now) {
            expire(flow, connection);
        } else if (deadline < flow->next_deadline_ms) {
            flow->next_deadline_ms = deadline;
        }
    }
}

void connection_io_drain(struct connection_io *flow)
{
    for (uint32_t slot = 0; slot < connection_table_size(flow->table); slot++) {
        struct connection *connection = connection_table_at(flow->table, slot);
        if (connection->state == CONNECTION_OPEN && !connection_has_output(connection)) {
            advance(flow, connection);
        }
    }
}
