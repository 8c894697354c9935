/* SPDX-License-Identifier: Apache-2.0 */
#include "host/net/acceptor.h"

#include "host/keyfile.h"
#include "host/log.h"
#include "host/message_id.h"
#include "host/metrics.h"
#include "host/net/connection_io.h"
#include "host/watchdog.h"
#include "wire/clock.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    EVENTS_AT_ONCE = 64,
    ACCEPTS_AT_ONCE = 64,  /* from one listener, before the connections get their turn */
    ACCEPT_PAUSE_MS = 100, /* after an accept that failed */
    ACCEPT_LOG_MS = 1000,  /* between two lines about that */
    ROUND_MS = 5000,       /* that it waits at most while it is watched */
};

#define KEY_WAKEUP UINT64_MAX
#define KEY_LISTENER \
    (UINT64_C(1) << 63) /* and the listener's index; a connection has its highest bit 0 */

struct acceptor {
    struct connection_io io;
    _Atomic(const struct conf *) conf; /* replaced by a reload; io.conf follows */
    const struct listener_set *listeners;
    int wakeup_fd; /* eventfd: readable after a notify or a first connection in `returned` */
    _Atomic(struct connection *) returned; /* by workers, newest first, linked by `next` */
    pthread_t thread;
    bool running;
    bool draining;
    atomic_bool work_changed; /* since the last look */
    _Atomic int64_t drain_deadline_ms;
    int64_t accept_again_ms; /* CLOCK_NEVER: not paused */
    int64_t accept_logged_ms;
};

static int set_listeners(struct acceptor *acceptor, int operation, uint32_t events)
{
    int error = 0;
    for (size_t i = 0; i < acceptor->listeners->count; i++) {
        struct epoll_event event = {.events = events, .data.u64 = KEY_LISTENER | i};
        int fd = acceptor->listeners->listeners[i].fd;
        if (epoll_ctl(acceptor->io.epoll_fd, operation, fd, &event) < 0) {
            error = -errno;
        }
    }
    return error;
}

/* Nothing is accepted for a moment: a level-triggered listener would spin. */
static void pause_accepting(struct acceptor *acceptor, int error)
{
    int64_t now = clock_ms();
    metrics_count(METRIC_ACCEPT_FAILED);
    if (now >= acceptor->accept_logged_ms + ACCEPT_LOG_MS) {
        log_event(PRIORITY_ERROR, MESSAGE_ID_ACCEPT_THROTTLED, NULL, 0,
                  "cannot accept a connection: %s; trying again every %d ms", strerror(-error),
                  ACCEPT_PAUSE_MS);
        acceptor->accept_logged_ms = now;
    }
    if (set_listeners(acceptor, EPOLL_CTL_MOD, 0) == 0) {
        acceptor->accept_again_ms = now + ACCEPT_PAUSE_MS;
    }
}

static void resume_accepting(struct acceptor *acceptor)
{
    if (clock_ms() >= acceptor->accept_again_ms &&
        set_listeners(acceptor, EPOLL_CTL_MOD, EPOLLIN) == 0) {
        acceptor->accept_again_ms = CLOCK_NEVER;
    }
}

static void take_connection(struct acceptor *acceptor, int fd, const struct peer *peer)
{
    struct connection *connection;
    enum connection_table_place place =
        connection_table_take(acceptor->io.table, &fd, peer->cid, &connection);
    metrics_count(METRIC_ACCEPTED);
    if (place == CONNECTION_TABLE_NO_PLACE_LEFT) {
        close(fd);
        metrics_count(METRIC_TURNED_AWAY);
        return;
    }
    connection->allowed = peer->allowed;
    connection_io_begin(&acceptor->io, connection, place == CONNECTION_TABLE_TURNED_AWAY);
}

static void accept_from(struct acceptor *acceptor, const struct listener *listener)
{
    for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
        struct peer peer;
        int fd = listener_accept(listener, acceptor->io.conf, &peer);
        if (fd >= 0) {
            take_connection(acceptor, fd, &peer);
        } else if (fd == -EAGAIN) {
            return;
        } else if (fd != -ECONNABORTED && fd != -EINTR) {
            pause_accepting(acceptor, fd);
            return;
        }
    }
}

static void wake_acceptor(struct acceptor *acceptor)
{
    /* Fails only when the counter is full; then the descriptor is readable anyway. */
    (void)eventfd_write(acceptor->wakeup_fd, 1);
}

/* Everything that was given back, oldest first. */
static struct connection *take_returned(struct acceptor *acceptor)
{
    struct connection *newest =
        atomic_exchange_explicit(&acceptor->returned, NULL, memory_order_acquire);
    struct connection *oldest = NULL;
    while (newest != NULL) {
        struct connection *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

static void handle_wakeup(struct acceptor *acceptor)
{
    eventfd_t count;
    (void)eventfd_read(acceptor->wakeup_fd, &count); /* -EAGAIN: nobody notified; harmless */
    struct connection *connection = take_returned(acceptor);
    while (connection != NULL) {
        struct connection *next = connection->next;
        connection_io_give_back(&acceptor->io, connection);
        connection = next;
    }
    if (atomic_exchange_explicit(&acceptor->work_changed, false, memory_order_acquire)) {
        connection_io_advance_all(&acceptor->io, true);
    }
}

static void dispatch_event(struct acceptor *acceptor, const struct epoll_event *event)
{
    uint64_t key = event->data.u64;
    if (key == KEY_WAKEUP) {
        handle_wakeup(acceptor);
    } else if ((key & KEY_LISTENER) != 0) {
        accept_from(acceptor, &acceptor->listeners->listeners[key & ~KEY_LISTENER]);
    } else {
        connection_io_event(&acceptor->io, key, event->events);
    }
}

/* True when the thread shall end. */
static bool is_drained(struct acceptor *acceptor)
{
    if (!atomic_load_explicit(&acceptor->io.parts->stopping, memory_order_acquire)) {
        return false;
    }
    int64_t deadline = atomic_load_explicit(&acceptor->drain_deadline_ms, memory_order_acquire);
    if (!acceptor->draining && deadline != CLOCK_NEVER) {
        acceptor->draining = true;
        acceptor->accept_again_ms = CLOCK_NEVER;
        (void)set_listeners(acceptor, EPOLL_CTL_DEL, 0); /* main closes them in a moment */
        connection_io_advance_all(&acceptor->io, false);
    }
    return acceptor->draining &&
           (connection_table_in_use(acceptor->io.table) == 0 || clock_ms() >= deadline);
}

static int64_t earliest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void *run_acceptor(void *argument)
{
    struct acceptor *acceptor = argument;
    struct connection_io *io = &acceptor->io;
    watchdog_enter("acceptor", 0);
    while (!is_drained(acceptor)) {
        struct epoll_event events[EVENTS_AT_ONCE];
        int64_t wake = earliest(io->next_deadline_ms, acceptor->accept_again_ms);
        wake = earliest(wake,
                        atomic_load_explicit(&acceptor->drain_deadline_ms, memory_order_acquire));
        if (watchdog_is_on()) { /* never idle, so that the watchdog notices when it hangs */
            wake = earliest(wake, clock_deadline(ROUND_MS));
            watchdog_expect("waiting for events", ROUND_MS);
        }
        int count = epoll_wait(io->epoll_fd, events, EVENTS_AT_ONCE, clock_poll_timeout(wake));
        io->conf = atomic_load_explicit(&acceptor->conf, memory_order_acquire);
        connection_table_limit_cid(io->table, io->conf->limits.connections_per_cid);
        watchdog_expect("handling events", WATCHDOG_QUICK);
        for (int i = 0; i < count; i++) {
            dispatch_event(acceptor, &events[i]);
        }
        connection_io_expire(io);
        worker_pool_wake(io->pool);
        resume_accepting(acceptor);
        metrics_set_connections(connection_table_in_use(io->table));
    }
    watchdog_leave();
    return NULL;
}

static int set_up_epoll(struct acceptor *acceptor)
{
    struct connection_io *io = &acceptor->io;
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = KEY_WAKEUP};
    io->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    acceptor->wakeup_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (io->epoll_fd < 0 || acceptor->wakeup_fd < 0 ||
        epoll_ctl(io->epoll_fd, EPOLL_CTL_ADD, acceptor->wakeup_fd, &event) < 0) {
        return -errno;
    }
    int error = set_listeners(acceptor, EPOLL_CTL_ADD, EPOLLIN);
    return error < 0 ? error : connection_table_new(io->conf, &io->table);
}

int acceptor_new(const struct conf *conf, struct command_parts *parts,
                 const struct listener_set *listeners, struct acceptor **ret)
{
    struct acceptor *acceptor = calloc(1, sizeof *acceptor);
    if (acceptor == NULL) {
        return -ENOMEM;
    }
    acceptor->io =
        (struct connection_io){.conf = conf, .parts = parts, .next_deadline_ms = CLOCK_NEVER};
    atomic_init(&acceptor->conf, conf);
    acceptor->listeners = listeners;
    acceptor->accept_again_ms = CLOCK_NEVER;
    acceptor->accept_logged_ms = -ACCEPT_LOG_MS;
    atomic_init(&acceptor->drain_deadline_ms, CLOCK_NEVER);
    int error = set_up_epoll(acceptor);
    if (error < 0) {
        acceptor_free(acceptor);
        return error;
    }
    *ret = acceptor;
    return 0;
}

int acceptor_start(struct acceptor *acceptor, struct worker_pool *pool)
{
    acceptor->io.pool = pool;
    int error = pthread_create(&acceptor->thread, NULL, run_acceptor, acceptor);
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
        acceptor->io.table = connection_table_free(acceptor->io.table);
        file_close(acceptor->io.epoll_fd);
        file_close(acceptor->wakeup_fd);
        free(acceptor);
    }
    return NULL;
}

void acceptor_give_back(struct acceptor *acceptor, struct connection *connection)
{
    struct connection *head = atomic_load_explicit(&acceptor->returned, memory_order_relaxed);
    do {
        connection->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&acceptor->returned, &head, connection,
                                                    memory_order_release, memory_order_relaxed));
    if (head == NULL) { /* else the one before it has woken the acceptor already */
        wake_acceptor(acceptor);
    }
}

void acceptor_notify(void *context)
{
    struct acceptor *acceptor = context;
    atomic_store_explicit(&acceptor->work_changed, true, memory_order_release);
    wake_acceptor(acceptor);
}

void acceptor_configure(struct acceptor *acceptor, const struct conf *conf)
{
    atomic_store_explicit(&acceptor->conf, conf, memory_order_release);
    wake_acceptor(acceptor);
}
