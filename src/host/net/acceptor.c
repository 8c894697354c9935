/* SPDX-License-Identifier: Apache-2.0 */
#include "host/net/acceptor.h"

#include "host/log.h"
#include "host/message_id.h"
#include "host/metrics.h"
#include "host/net/mailbox.h"
#include "host/watchdog.h"
#include "wire/clock.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    EVENTS_AT_ONCE = 64,
    ACCEPTS_AT_ONCE = 64,  /* from one listener, before the connections get their turn */
    ACCEPT_PAUSE_MS = 100, /* after an accept that failed */
    ACCEPT_TOLD_MS = 1000, /* between two lines about that */
    ROUND_MS = 5000,       /* that it waits at most while it is watched */
};

#define KEY_MAILBOX UINT64_MAX
#define KEY_LISTENER \
    (UINT64_C(1) << 63) /* and the listener's index; connections: connection_io_key */

struct acceptor {
    struct connection_io flow;
    _Atomic(const struct conf *) conf; /* replaced by a reload; flow.conf follows */
    struct listener *listeners;
    size_t listeners_count;
    struct mailbox mailbox;
    pthread_t thread;
    bool running;
    bool draining;
    atomic_bool work_changed; /* since the last look */
    _Atomic int64_t drain_deadline_ms;
    int64_t accept_again_ms; /* CLOCK_NEVER: it is not paused */
    int64_t accept_told_ms;
};

static int listeners_set(struct acceptor *acceptor, int operation, uint32_t events)
{
    int error = 0;
    for (size_t i = 0; i < acceptor->listeners_count; i++) {
        struct epoll_event event = {.events = events, .data.u64 = KEY_LISTENER | i};
        if (epoll_ctl(acceptor->flow.epoll_fd, operation, acceptor->listeners[i].fd, &event) < 0) {
            error = -errno;
        }
    }
    return error;
}

/* Nothing is accepted for a moment: a level-triggered listener would spin. */
static void accept_pause(struct acceptor *acceptor, int error)
{
    int64_t now = clock_ms();
    metrics_count(METRIC_ACCEPT_FAILED);
    if (now >= acceptor->accept_told_ms + ACCEPT_TOLD_MS) {
        log_event(PRIORITY_ERROR, MESSAGE_ID_ACCEPT_THROTTLED, NULL, 0,
                  "cannot accept a connection: %s; trying again every %d ms", strerror(-error),
                  ACCEPT_PAUSE_MS);
        acceptor->accept_told_ms = now;
    }
    if (listeners_set(acceptor, EPOLL_CTL_MOD, 0) == 0) {
        acceptor->accept_again_ms = now + ACCEPT_PAUSE_MS;
    }
}

static void accept_resume(struct acceptor *acceptor)
{
    if (clock_ms() >= acceptor->accept_again_ms &&
        listeners_set(acceptor, EPOLL_CTL_MOD, EPOLLIN) == 0) {
        acceptor->accept_again_ms = CLOCK_NEVER;
    }
}

static void take(struct acceptor *acceptor, int fd, const struct peer *peer)
{
    struct connection *connection;
    enum connection_table_place place =
        connection_table_take(acceptor->flow.table, &fd, peer->cid, &connection);
    metrics_count(METRIC_ACCEPTED);
    if (place == CONNECTION_TABLE_NO_PLACE_LEFT) {
        close(fd);
        metrics_count(METRIC_TURNED_AWAY);
        return;
    }
    connection->allowed = peer->allowed;
    connection_io_begin(&acceptor->flow, connection, place == CONNECTION_TABLE_TURNED_AWAY);
}

static void accept_some(struct acceptor *acceptor, const struct listener *listener)
{
    for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
        struct peer peer;
        int fd = listener_accept(listener, acceptor->flow.conf, &peer);
        if (fd >= 0) {
            take(acceptor, fd, &peer);
        } else if (fd == -EAGAIN) {
            return;
        } else if (fd != -ECONNABORTED && fd != -EINTR) {
            accept_pause(acceptor, fd);
            return;
        }
    }
}

static void take_mail(struct acceptor *acceptor)
{
    struct connection *connection = mailbox_take(&acceptor->mailbox);
    while (connection != NULL) {
        struct connection *next = connection->next;
        connection_io_give_back(&acceptor->flow, connection);
        connection = next;
    }
    if (atomic_exchange_explicit(&acceptor->work_changed, false, memory_order_acquire)) {
        connection_io_work_changed(&acceptor->flow);
    }
}

static void dispatch(struct acceptor *acceptor, const struct epoll_event *event)
{
    uint64_t key = event->data.u64;
    if (key == KEY_MAILBOX) {
        take_mail(acceptor);
    } else if ((key & KEY_LISTENER) != 0) {
        accept_some(acceptor, &acceptor->listeners[key & ~KEY_LISTENER]);
    } else {
        connection_io_event(&acceptor->flow, key, event->events);
    }
}

/* True when the thread shall end. */
static bool drained(struct acceptor *acceptor)
{
    if (!atomic_load_explicit(&acceptor->flow.parts->stopping, memory_order_acquire)) {
        return false;
    }
    int64_t deadline = atomic_load_explicit(&acceptor->drain_deadline_ms, memory_order_acquire);
    if (!acceptor->draining && deadline != CLOCK_NEVER) {
        acceptor->draining = true;
        acceptor->accept_again_ms = CLOCK_NEVER;
        (void)listeners_set(acceptor, EPOLL_CTL_DEL, 0); /* main closes them in a moment */
        connection_io_drain(&acceptor->flow);
    }
    return acceptor->draining &&
           (connection_table_in_use(acceptor->flow.table) == 0 || clock_ms() >= deadline);
}

static int64_t earliest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void *run(void *argument)
{
    struct acceptor *acceptor = argument;
    struct connection_io *flow = &acceptor->flow;
    watchdog_enter("acceptor", 0);
    while (!drained(acceptor)) {
        struct epoll_event events[EVENTS_AT_ONCE];
        int64_t wake = earliest(flow->next_deadline_ms, acceptor->accept_again_ms);
        wake = earliest(wake,
                        atomic_load_explicit(&acceptor->drain_deadline_ms, memory_order_acquire));
        if (watchdog_is_on()) { /* it is never idle, so that it is noticed when it is held */
            wake = earliest(wake, clock_deadline(ROUND_MS));
            watchdog_expect("waiting for events", ROUND_MS);
        }
        int count = epoll_wait(flow->epoll_fd, events, EVENTS_AT_ONCE, clock_poll_timeout(wake));
        flow->conf = atomic_load_explicit(&acceptor->conf, memory_order_acquire);
        connection_table_limit_cid(flow->table, flow->conf->limits.connections_per_cid);
        watchdog_expect("seeing to events", WATCHDOG_QUICK);
        for (int i = 0; i < count; i++) {
            dispatch(acceptor, &events[i]);
        }
        connection_io_expire(flow);
        worker_pool_wake(flow->pool);
        accept_resume(acceptor);
        metrics_set_connections(connection_table_in_use(flow->table));
    }
    watchdog_leave();
    return NULL;
}

static int set_up(struct acceptor *acceptor)
{
    struct connection_io *flow = &acceptor->flow;
    flow->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (flow->epoll_fd < 0) {
        return -errno;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = KEY_MAILBOX};
    if (epoll_ctl(flow->epoll_fd, EPOLL_CTL_ADD, acceptor->mailbox.fd, &event) < 0) {
        return -errno;
    }
    int error = listeners_set(acceptor, EPOLL_CTL_ADD, EPOLLIN);
    return error < 0 ? error : connection_table_new(flow->conf, &flow->table);
}

int acceptor_new(const struct conf *conf, struct command_parts *parts, struct listener *listeners,
                 size_t count, struct acceptor **ret)
{
    struct acceptor *acceptor = calloc(1, sizeof *acceptor);
    if (acceptor == NULL) {
        return -ENOMEM;
    }
    acceptor->flow = (struct connection_io){
        .conf = conf, .parts = parts, .epoll_fd = -1, .next_deadline_ms = CLOCK_NEVER};
    atomic_init(&acceptor->conf, conf);
    acceptor->listeners = listeners;
    acceptor->listeners_count = count;
    acceptor->accept_again_ms = CLOCK_NEVER;
    acceptor->accept_told_ms = -ACCEPT_TOLD_MS;
    atomic_init(&acceptor->drain_deadline_ms, CLOCK_NEVER);
    int error = mailbox_init(&acceptor->mailbox);
    if (error < 0) {
        free(acceptor);
        return error;
    }
    error = set_up(acceptor);
    if (error < 0) {
        acceptor_free(acceptor);
        return error;
    }
    *ret = acceptor;
    return 0;
}

int acceptor_start(struct acceptor *acceptor, struct worker_pool *pool)
{
    acceptor->flow.pool = pool;
    int error = pthread_create(&acceptor->thread, NULL, run, acceptor);
    if (error != 0) {
        return -error;
    }
    (void)pthread_setname_np(acceptor->thread, "acceptor"); /* for people only */
    acceptor->running = true;
    return 0;
}

void acceptor_stop(struct acceptor *acceptor, int64_t limit_ms)
{
    if (!acceptor->running) {
        return;
    }
    atomic_store_explicit(&acceptor->drain_deadline_ms, clock_deadline(limit_ms),
                          memory_order_release);
    acceptor_notify(acceptor);
    int error = pthread_join(acceptor->thread, NULL);
    assert(error == 0);
    (void)error; /* NDEBUG */
    acceptor->running = false;
}

struct acceptor *acceptor_free(struct acceptor *acceptor)
{
    if (acceptor != NULL) {
        assert(!acceptor->running);
        acceptor->flow.table = connection_table_free(acceptor->flow.table);
        if (acceptor->flow.epoll_fd >= 0) {
            close(acceptor->flow.epoll_fd);
        }
        mailbox_done(&acceptor->mailbox);
        free(acceptor);
    }
    return NULL;
}

void acceptor_back(struct acceptor *acceptor, struct connection *connection)
{
    mailbox_post(&acceptor->mailbox, connection);
}

void acceptor_notify(void *context)
{
    struct acceptor *acceptor = context;
    atomic_store_explicit(&acceptor->work_changed, true, memory_order_release);
    mailbox_notify(&acceptor->mailbox);
}

void acceptor_configure(struct acceptor *acceptor, const struct conf *conf)
{
    atomic_store_explicit(&acceptor->conf, conf, memory_order_release);
    mailbox_notify(&acceptor->mailbox);
}
