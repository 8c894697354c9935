/* SPDX-License-Identifier: Apache-2.0 */
#include "host/net/worker.h"

#include "host/lock.h"
#include "host/metrics.h"
#include "host/net/request_log.h"
#include "host/watchdog.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct worker {
    struct worker_pool *pool;
    uint32_t number; /* from 0 on */
    pthread_t thread;
};

struct worker_pool {
    worker_pool_work *work;
    void *context;
    struct worker *all;
    uint32_t workers; /* that run */

    struct lock lock;
    pthread_cond_t filled;        /* under lock, all that follows */
    struct connection **queue;    /* a ring */
    uint32_t size, first, length; /* of the ring */
    uint32_t sleeping;            /* workers that are not woken yet */
    bool stopping;
};

/* NULL: stopping, and nothing is left. */
static struct connection *take_next_locked(struct worker_pool *pool) REQUIRES_LOCK(pool->lock)
{
    while (pool->length == 0 && !pool->stopping) {
        pool->sleeping++;
        signal_wait(&pool->filled, &pool->lock);
    }
    if (pool->length == 0) {
        return NULL;
    }
    struct connection *connection = pool->queue[pool->first];
    pool->first = (pool->first + 1) % pool->size;
    pool->length--;
    return connection;
}

/* True if the caller shall wake a worker for what is queued; counts it as awake. */
static bool wake_one_locked(struct worker_pool *pool) REQUIRES_LOCK(pool->lock)
{
    bool wake = pool->length > 0 && pool->sleeping > 0;
    pool->sleeping -= wake;
    return wake;
}

static void *run_worker(void *argument)
{
    const struct worker *worker = argument;
    struct worker_pool *pool = worker->pool;
    watchdog_enter("worker", worker->number + 1);
    for (;;) {
        watchdog_idle();
        lock_take(&pool->lock);
        struct connection *connection = take_next_locked(pool);
        bool more = wake_one_locked(pool); /* each one woken wakes the next while there is work */
        lock_give(&pool->lock);
        if (more) {
            pthread_cond_signal(&pool->filled);
        }
        if (connection == NULL) {
            watchdog_leave();
            return NULL;
        }
        watchdog_expect("a request", WATCHDOG_QUICK);
        pool->work(pool->context, connection);
    }
}

static int start_worker(struct worker_pool *pool)
{
    struct worker *worker = &pool->all[pool->workers];
    char name[16];
    *worker = (struct worker){.pool = pool, .number = pool->workers};
    int error = pthread_create(&worker->thread, NULL, run_worker, worker);
    if (error == 0) {
        (void)snprintf(name, sizeof name, "worker-%u", ++pool->workers);
        (void)pthread_setname_np(worker->thread, name); /* for people only */
    }
    return error;
}

int worker_pool_new(uint32_t workers, uint32_t queue, worker_pool_work *work, void *context,
                    struct worker_pool **ret)
{
    struct worker_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL) {
        return -ENOMEM;
    }
    pool->work = work;
    pool->context = context;
    pool->size = queue;
    pool->queue = calloc(queue, sizeof(struct connection *));
    pool->all = calloc(workers, sizeof *pool->all);
    lock_init(&pool->lock);
    signal_init(&pool->filled);
    int error = pool->queue == NULL || pool->all == NULL ? ENOMEM : 0;
    while (error == 0 && pool->workers < workers) {
        error = start_worker(pool);
    }
    if (error != 0) {
        worker_pool_stop(pool);
        worker_pool_free(pool);
        return -error;
    }
    *ret = pool;
    return 0;
}

int worker_pool_submit(struct worker_pool *pool, struct connection *connection)
{
    lock_take(&pool->lock);
    bool full = pool->length == pool->size;
    if (!full) {
        pool->queue[(pool->first + pool->length) % pool->size] = connection;
        pool->length++;
    }
    bool wake = pool->length * 2 > pool->size && wake_one_locked(pool);
    lock_give(&pool->lock);
    if (wake) {
        pthread_cond_signal(&pool->filled);
    }
    return full ? -EBUSY : 0;
}

void worker_pool_wake(struct worker_pool *pool)
{
    lock_take(&pool->lock);
    bool wake = wake_one_locked(pool);
    lock_give(&pool->lock);
    if (wake) {
        pthread_cond_signal(&pool->filled);
    }
}

void worker_pool_stop(struct worker_pool *pool)
{
    lock_take(&pool->lock);
    pool->stopping = true;
    lock_give(&pool->lock);
    pthread_cond_broadcast(&pool->filled);
    while (pool->workers > 0) {
        int error = pthread_join(pool->all[--pool->workers].thread, NULL);
        assert(error == 0);
        (void)error; /* NDEBUG */
    }
}

struct worker_pool *worker_pool_free(struct worker_pool *pool)
{
    if (pool != NULL) {
        assert(pool->workers == 0);
        lock_done(&pool->lock);
        (void)pthread_cond_destroy(&pool->filled); /* nobody waits: the workers are joined */
        free(pool->queue);
        free(pool->all);
        free(pool);
    }
    return NULL;
}

/* A peer that is not served: its frame is decoded only to learn its dialect. */
static void refuse_peer(struct connection *connection)
{
    char text[PROTOCOL_ERROR_TEXT_MAX];
    (void)snprintf(
        text, sizeof text,
        "CID %u is not served here: expected one of [listen] allowed_cids, and on a Unix "
        "socket a uid of unix_uids",
        connection->cid);
    request_log_refuse(connection, PRIORITY_WARNING, ERROR_FORBIDDEN, text, true);
}

/* An upgrade counts when it is accepted; the operation thread counts an operation, with its result. */
static void count_request(const struct connection *connection, const struct request *request,
                          const struct answer *answer)
{
    if (connection->pending == NULL || request->command == COMMAND_UPGRADE) {
        metrics_count_request(request->command,
                              answer->type == ANSWER_ERROR ? answer->code : ERROR_NONE);
    }
}

static void run_request(struct command_parts *parts, struct connection *connection,
                        const struct request *request)
{
    struct command_scratch scratch;
    struct answer answer;
    command_run(parts, request, connection->cid, &scratch, &answer, &connection->pending);
    request_log_request(connection, request, &answer, connection->pending != NULL);
    count_request(connection, request, &answer);
    if (connection->pending != NULL && request->command == COMMAND_UPGRADE &&
        server_answers_on_accept(&connection->session)) {
        connection->pending = pending_unref(connection->pending);
    }
    if (connection->pending == NULL) {
        connection_answer_command(connection, &answer);
    } else {
        connection->progress_wanted =
            request->progress && server_has_progress(&connection->session);
        connection->progress_sent = false;
    }
}

static void serve_frame(struct command_parts *parts, struct connection *connection)
{
    struct request request;
    struct protocol_error protocol_error;
    struct reply reply = {
        .bytes = connection->out,
        .size = CONNECTION_OUTPUT_MAX,
        .length = connection->out_length,
    };
    enum decoding decoding =
        server_decode(&connection->session, connection->in, connection->frame_length, &request,
                      &protocol_error, &reply);
    connection->greeted = true;
    if (!connection->allowed) {
        refuse_peer(connection);
    } else if (decoding == DECODING_REQUEST) {
        run_request(parts, connection, &request);
    } else if (decoding == DECODING_REPLY) {
        connection->out_length = reply.length;
    } else {
        request_log_refuse(connection, PRIORITY_WARNING, protocol_error.code, protocol_error.text,
                           protocol_error.closes);
    }
}

/* True if there is another frame, and space for its answer. */
static bool find_next_frame(struct connection *connection)
{
    struct protocol_error protocol_error;
    if (connection->closing || connection->pending != NULL ||
        CONNECTION_OUTPUT_MAX - connection->out_length < ANSWER_BYTES_MAX) {
        return false;
    }
    enum framing framing = connection_frame(connection, &protocol_error);
    if (framing == FRAMING_REFUSED) {
        request_log_refuse(connection, PRIORITY_WARNING, protocol_error.code, protocol_error.text,
                           protocol_error.closes);
    }
    return framing == FRAMING_WHOLE;
}

void worker_serve(struct command_parts *parts, struct connection *connection)
{
    do {
        serve_frame(parts, connection);
        connection_consume(connection);
    } while (find_next_frame(connection));
    (void)!connection_send(
        connection); /* the acceptor sends what is left, and sees the error again */
}
