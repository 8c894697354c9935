/* SPDX-License-Identifier: Apache-2.0 */
#include "host/net/connection.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

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

enum framing connection_frame(struct connection *connection, struct refusal *refusal)
{
    return server_frame(&connection->session, connection->in, connection->in_length,
                        connection->ended, &connection->frame_length, refusal);
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
