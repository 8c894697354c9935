/* SPDX-License-Identifier: Apache-2.0 */
#include "host/net/connection.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

ssize_t connection_receive(struct connection *connection)
{
    if (connection->in_length == connection->in_size) {
        return -ENOBUFS;
    }
    ssize_t got;
    do {
        got = recv(connection->fd, connection->in + connection->in_length,
                   connection->in_size - connection->in_length, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return -errno;
    }
    connection->in_length += (size_t)got;
    return got;
}

int connection_send(struct connection *connection)
{
    if (!connection_has_output(connection)) {
        return 0;
    }
    ssize_t sent;
    do {
        sent = send(connection->fd, connection->out + connection->out_sent,
                    connection->out_length - connection->out_sent, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        return -errno;
    }
    connection->out_sent += (size_t)sent;
    if (!connection_has_output(connection)) {
        connection->out_sent = 0;
        connection->out_length = 0;
    }
    return 0;
}

void connection_answer(struct connection *connection, const struct answer *answer)
{
    struct reply reply = {
        .bytes = connection->out,
        .size = CONNECTION_OUTPUT_MAX,
        .length = connection->out_length,
    };
    if (server_answer(&connection->session, answer, &reply) == 0) {
        connection->out_length = reply.length;
    } else {
        connection->closing = true;
    }
    if (answer->type != ANSWER_PROGRESS && server_closes_after_answer(&connection->session)) {
        connection->closing = true;
    }
}

void connection_answer_command(struct connection *connection, const struct answer *answer)
{
    bool ends = answer->type == ANSWER_ERROR &&
                (answer->code == ERROR_FORBIDDEN || answer->code == ERROR_SHUTTING_DOWN);
    connection_answer(connection, answer);
    connection->closing = connection->closing || ends;
}

void connection_refuse(struct connection *connection, enum error_code code, const char *text,
                       bool closes)
{
    struct answer answer = answer_error(code, text);
    connection_answer(connection, &answer);
    connection->closing = connection->closing || closes;
}

enum framing connection_frame(struct connection *connection, struct protocol_error *protocol_error)
{
    return server_frame(&connection->session, connection->in, connection->in_length,
                        connection->ended, &connection->frame_length, protocol_error);
}

void connection_consume(struct connection *connection)
{
    assert(connection->frame_length <= connection->in_length);
    connection->in_length -= connection->frame_length;
    if (connection->in_length > 0) {
        memmove(connection->in, connection->in + connection->frame_length, connection->in_length);
    }
    connection->frame_length = 0;
}

/* How many counted connections a CID has. */
struct share {
    uint32_t cid;
    uint32_t count;
};

struct connection_table {
    uint32_t size;    /* slots */
    uint32_t limit;   /* of those that are counted */
    uint32_t per_cid; /* likewise, for one CID */
    uint32_t counted;
    uint32_t in_use;
    uint32_t request_bytes;
    struct connection *free; /* the one used last is first: its memory is warm */
    struct connection *slots;
    uint8_t *buffers; /* of all slots */
    struct share *shares;
    uint32_t shares_count; /* CIDs that have connections; mostly one */
};

struct connection *connection_table_at(struct connection_table *table, uint32_t slot)
{
    assert(slot < table->size);
    return &table->slots[slot];
}

int connection_table_new(const struct conf *conf, struct connection_table **ret)
{
    struct connection_table *table = calloc(1, sizeof *table);
    if (table == NULL) {
        return -ENOMEM;
    }
    size_t input = server_input_size(conf->limits.request_bytes);
    size_t stride = input + CONNECTION_OUTPUT_MAX;
    table->size = conf->limits.connections + CONNECTION_TABLE_SPARE;
    table->limit = conf->limits.connections;
    table->per_cid = conf->limits.connections_per_cid;
    table->request_bytes = conf->limits.request_bytes;
    table->slots = calloc(table->size, sizeof *table->slots);
    table->shares = calloc(table->size, sizeof *table->shares);
    table->buffers = calloc(table->size, stride); /* pages come as they are touched */
    if (table->slots == NULL || table->shares == NULL || table->buffers == NULL) {
        connection_table_free(table);
        return -ENOMEM;
    }
    for (uint32_t slot = table->size; slot-- > 0;) {
        struct connection *connection = &table->slots[slot];
        connection->fd = -1;
        connection->slot = slot;
        connection->in_size = input;
        connection->in = table->buffers + slot * stride;
        connection->out = connection->in + input;
        connection->next = table->free;
        table->free = connection;
    }
    *ret = table;
    return 0;
}

struct connection_table *connection_table_free(struct connection_table *table)
{
    if (table != NULL) {
        for (uint32_t slot = 0; table->slots != NULL && slot < table->size; slot++) {
            if (table->slots[slot].state != CONNECTION_FREE) {
                connection_table_release(table, &table->slots[slot]);
            }
        }
        free(table->slots);
        free(table->shares);
        free(table->buffers);
        free(table);
    }
    return NULL;
}

/* The share of a CID, or where a new one goes. There are never more CIDs than connections. */
static struct share *share_of(struct connection_table *table, uint32_t cid)
{
    uint32_t at = 0;
    while (at < table->shares_count && table->shares[at].cid != cid) {
        at++;
    }
    return &table->shares[at];
}

static bool count_in(struct connection_table *table, uint32_t cid)
{
    struct share *share = share_of(table, cid);
    if (share == &table->shares[table->shares_count]) {
        *share = (struct share){.cid = cid};
    }
    if (table->counted >= table->limit || share->count >= table->per_cid) {
        return false;
    }
    if (share->count++ == 0) {
        table->shares_count++;
    }
    table->counted++;
    return true;
}

static void count_out(struct connection_table *table, uint32_t cid)
{
    struct share *share = share_of(table, cid);
    assert(share->count > 0);
    if (--share->count == 0) {
        *share = table->shares[--table->shares_count];
    }
    table->counted--;
}

enum connection_table_place connection_table_take(struct connection_table *table, int *fd,
                                                  uint32_t cid, struct connection **ret)
{
    /* Those that are turned away use the spare places only: they take none from the others. */
    bool counted = count_in(table, cid);
    if (!counted && table->in_use - table->counted >= CONNECTION_TABLE_SPARE) {
        return CONNECTION_TABLE_NO_PLACE_LEFT;
    }
    struct connection *connection = table->free;
    assert(connection != NULL);
    table->free = connection->next;
    table->in_use++;
    *connection = (struct connection){
        .fd = *fd,
        .state = CONNECTION_OPEN,
        .slot = connection->slot,
        .generation = connection->generation + 1,
        .cid = cid,
        .counted = counted,
        .in_size = connection->in_size,
        .in = connection->in,
        .out = connection->out,
    };
    server_init(&connection->session, table->request_bytes, cid);
    *fd = -1;
    *ret = connection;
    return counted ? CONNECTION_TABLE_COUNTED : CONNECTION_TABLE_TURNED_AWAY;
}

void connection_table_release(struct connection_table *table, struct connection *connection)
{
    assert(connection->state != CONNECTION_FREE);
    if (connection->counted) {
        count_out(table, connection->cid);
    }
    close(connection->fd);
    connection->fd = -1;
    connection->pending = pending_unref(connection->pending);
    connection->state = CONNECTION_FREE;
    connection->next = table->free;
    table->free = connection;
    table->in_use--;
}

uint32_t connection_table_size(const struct connection_table *table)
{
    return table->size;
}

uint32_t connection_table_in_use(const struct connection_table *table)
{
    return table->in_use;
}

void connection_table_limit_cid(struct connection_table *table, uint32_t per_cid)
{
    table->per_cid = per_cid;
}
