/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the network side that need no peer: places, the queue of the pool, and the list of
 * connections that are given back. */
#include "host/net/acceptor.h"
#include "host/net/connection.h"
#include "host/net/worker.h"
#include "support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct conf small = {
    .limits = {.connections = 3, .connections_per_cid = 2, .request_bytes = 16384}};

static int any_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    REQUIRE_COMPARE(fd, >=, 0);
    return fd;
}

static enum connection_table_place take(struct connection_table *table, uint32_t cid,
                                        struct connection **ret)
{
    int fd = any_descriptor();
    enum connection_table_place place = connection_table_take(table, &fd, cid, ret);
    CHECK_EQUAL(fd == -1, place != CONNECTION_TABLE_NO_PLACE_LEFT);
    if (fd >= 0) {
        close(fd);
    }
    return place;
}

UNIT_TEST(test_limit_per_cid, "limit per CID, both sides")
{
    struct connection_table *table;
    struct connection *connection;
    struct connection *first;
    REQUIRE_EQUAL(connection_table_new(&small, &table), 0);
    CHECK_EQUAL(take(table, 3, &first), CONNECTION_TABLE_COUNTED);
    CHECK_EQUAL(take(table, 3, &connection), CONNECTION_TABLE_COUNTED);
    CHECK_EQUAL(take(table, 3, &connection), CONNECTION_TABLE_TURNED_AWAY);
    CHECK_EQUAL(take(table, 4, &connection),
                CONNECTION_TABLE_COUNTED); /* another CID has its own */
    connection_table_release(table, first);
    CHECK_EQUAL(take(table, 3, &first), CONNECTION_TABLE_COUNTED);
    connection_table_free(table);
}

UNIT_TEST(test_limit_in_all, "limit in all, both sides")
{
    struct connection_table *table;
    struct connection *connection;
    struct connection *first;
    REQUIRE_EQUAL(connection_table_new(&small, &table), 0);
    CHECK_EQUAL(take(table, 3, &first), CONNECTION_TABLE_COUNTED);
    CHECK_EQUAL(take(table, 4, &connection), CONNECTION_TABLE_COUNTED);
    CHECK_EQUAL(take(table, 5, &connection), CONNECTION_TABLE_COUNTED);
    CHECK_EQUAL(take(table, 6, &connection), CONNECTION_TABLE_TURNED_AWAY);
    CHECK_EQUAL(connection_table_in_use(table), 4);
    connection_table_release(table, connection); /* was not counted: frees no place */
    CHECK_EQUAL(take(table, 6, &connection), CONNECTION_TABLE_TURNED_AWAY);
    connection_table_release(table, first);
    CHECK_EQUAL(take(table, 6, &connection), CONNECTION_TABLE_COUNTED);
    connection_table_free(table);
}

/* However many a CID brings, those who are turned away take no place from another CID. */
UNIT_TEST(test_no_place_left, "no place left")
{
    struct connection_table *table;
    struct connection *connection;
    REQUIRE_EQUAL(connection_table_new(&small, &table), 0);
    for (uint32_t i = 0; i < small.limits.connections_per_cid; i++) {
        CHECK_ROW("i = %u", i);
        CHECK_EQUAL(take(table, 3, &connection), CONNECTION_TABLE_COUNTED);
    }
    for (uint32_t i = 0; i < CONNECTION_TABLE_SPARE; i++) {
        CHECK_ROW("i = %u", i);
        CHECK_EQUAL(take(table, 3, &connection), CONNECTION_TABLE_TURNED_AWAY);
    }
    CHECK_EQUAL(take(table, 3, &connection), CONNECTION_TABLE_NO_PLACE_LEFT);
    CHECK_EQUAL(take(table, 4, &connection), CONNECTION_TABLE_COUNTED);
    CHECK_EQUAL(connection_table_in_use(table), connection_table_size(table));
    CHECK_EQUAL(take(table, 4, &connection), CONNECTION_TABLE_NO_PLACE_LEFT);
    connection_table_free(table);
}

UNIT_TEST(test_generation_tells_a_slot_used_again, "a slot used again has another generation")
{
    struct connection_table *table;
    struct connection *connection;
    REQUIRE_EQUAL(connection_table_new(&small, &table), 0);
    (void)take(table, 3, &connection);
    uint32_t slot = connection->slot;
    uint32_t generation = connection->generation;
    connection_table_release(table, connection);
    (void)take(table, 3, &connection);
    CHECK_EQUAL(connection->slot, slot);
    CHECK_COMPARE(connection->generation, !=, generation);
    CHECK_COMPARE(connection->in, !=, connection->out);
    connection_table_free(table);
}

/* A gate that holds a worker until the test opens it, and counts what passed. */
struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool open;
    int entered;
    int passed;
};

static void pass(void *context, struct connection *connection)
{
    struct gate *gate = context;
    (void)connection;
    pthread_mutex_lock(&gate->mutex);
    gate->entered++;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->open) {
        pthread_cond_wait(&gate->changed, &gate->mutex);
    }
    gate->passed++;
    pthread_mutex_unlock(&gate->mutex);
}

UNIT_TEST(test_pool_refuses_when_full_and_finishes_at_stop,
          "pool refuses when full, finishes at stop")
{
    struct gate gate = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct connection connections[4] = {0};
    struct worker_pool *pool;
    REQUIRE_EQUAL(worker_pool_new(1, 2, pass, &gate, &pool), 0);
    CHECK_EQUAL(worker_pool_submit(pool, &connections[0]), 0);
    worker_pool_wake(pool);
    pthread_mutex_lock(&gate.mutex);
    while (gate.entered == 0) { /* the one worker is inside: now two wait, and no more */
        pthread_cond_wait(&gate.changed, &gate.mutex);
    }
    pthread_mutex_unlock(&gate.mutex);
    CHECK_EQUAL(worker_pool_submit(pool, &connections[1]), 0);
    CHECK_EQUAL(worker_pool_submit(pool, &connections[2]), 0);
    CHECK_EQUAL(worker_pool_submit(pool, &connections[3]), -EBUSY);
    pthread_mutex_lock(&gate.mutex);
    gate.open = true;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.mutex);
    worker_pool_stop(pool);
    CHECK_EQUAL(gate.passed, 3);
    worker_pool_free(pool);
}

static void count(void *context, struct connection *connection)
{
    (void)connection;
    atomic_fetch_add((atomic_int *)context, 1);
}

UNIT_TEST(test_pool_loses_nothing, "pool loses nothing")
{
    enum { ROUNDS = 2000 };
    atomic_int done = 0;
    struct connection connection = {0};
    struct worker_pool *pool;
    REQUIRE_EQUAL(worker_pool_new(4, 8, count, &done, &pool), 0);
    int taken = 0;
    for (int i = 0; i < ROUNDS; i++) {
        taken += worker_pool_submit(pool, &connection) == 0;
    }
    worker_pool_stop(pool);
    CHECK_EQUAL(atomic_load(&done), taken);
    CHECK_COMPARE(taken, >, 0);
    worker_pool_free(pool);
}

/* Each connection that is given back has one byte to send, on one socket: the bytes have the order in
 * which the acceptor handles the connections. */
UNIT_TEST(test_given_back_in_order, "connections given back are handled in order")
{
    enum { COUNT = 3 };
    struct command_parts parts = {.stopping = false};
    struct listener_set listeners = {0};
    struct connection connections[COUNT] = {0};
    uint8_t input[COUNT][64];
    uint8_t output[COUNT] = "abc";
    char sent[COUNT] = "";
    int sockets[2];
    atomic_int done = 0;
    struct worker_pool *pool;
    struct acceptor *acceptor;
    REQUIRE_EQUAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets), 0);
    REQUIRE_EQUAL(worker_pool_new(1, COUNT, count, &done, &pool), 0);
    REQUIRE_EQUAL(acceptor_new(&small, &parts, &listeners, &acceptor), 0);
    for (int i = 0; i < COUNT; i++) {
        connections[i] = (struct connection){.fd = dup(sockets[0]),
                                             .state = CONNECTION_WORKING,
                                             .greeted = true,
                                             .in = input[i],
                                             .in_size = sizeof input[i],
                                             .out = &output[i],
                                             .out_length = 1};
        server_init(&connections[i].session, small.limits.request_bytes, 3);
        acceptor_give_back(acceptor, &connections[i]);
    }
    REQUIRE_EQUAL(acceptor_start(acceptor, pool), 0);
    for (size_t length = 0, tries = 0; length < COUNT && tries < 5000; tries++) {
        ssize_t got = recv(sockets[1], sent + length, COUNT - length, 0);
        length += got > 0 ? (size_t)got : 0;
        usleep(1000);
    }
    CHECK_EQUAL(memcmp(sent, "abc", COUNT), 0);
    atomic_store(&parts.stopping, true);
    acceptor_stop(acceptor, 0);
    acceptor_free(acceptor);
    worker_pool_stop(pool);
    worker_pool_free(pool);
    for (int i = 0; i < COUNT; i++) {
        close(connections[i].fd);
    }
    close(sockets[0]);
    close(sockets[1]);
}

UNIT_MAIN("host net")
