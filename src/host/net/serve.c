/* SPDX-License-Identifier: Apache-2.0 */
#include "host/net/serve.h"

#include <stdio.h>

#include "host/metrics/metrics.h"
#include "host/net/session.h"

/* The first frame of a peer that is not served: what it asks is decoded only to learn its dialect. */
static void turn_away(struct connection *connection)
{
    char text[REFUSAL_TEXT_MAX];
    (void)snprintf(
        text, sizeof text,
        "CID %u is not served here: expected one of [listen] allowed_cids, and on a Unix "
        "socket a uid of unix_uids",
        connection->cid);
    session_refuse(connection, ERROR_FORBIDDEN, text, true);
}

/* An upgrade counts when it is taken on; an errand is counted by its thread, with its result. */
static void count(const struct connection *connection, const struct request *request,
                  const struct answer *answer)
{
    if (connection->ticket == NULL || request->command == COMMAND_UPGRADE) {
        metrics_count_request(request->command,
                              answer->type == ANSWER_ERROR ? answer->code : ERROR_NONE);
    }
}

static void run_request(struct command_parts *parts, struct connection *connection,
                        const struct request *request)
{
    struct command_scratch scratch;
    struct answer answer;
    command_run(parts, request, connection->cid, &scratch, &answer, &connection->ticket);
    session_log_request(connection, request, &answer, connection->ticket != NULL);
    count(connection, request, &answer);
    if (connection->ticket != NULL && request->command == COMMAND_UPGRADE &&
        server_answers_on_accept(&connection->session)) {
        connection->ticket = ticket_unref(connection->ticket);
    }
    if (connection->ticket == NULL) {
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
    struct refusal refusal;
    struct reply reply = {
        .bytes = connection->out,
        .size = CONNECTION_OUTPUT_MAX,
        .length = connection->out_length,
    };
    enum decoding decoding = server_decode(&connection->session, connection->in,
                                           connection->frame_length, &request, &refusal, &reply);
    connection->greeted = true;
    if (!connection->allowed) {
        turn_away(connection);
    } else if (decoding == DECODING_REQUEST) {
        run_request(parts, connection, &request);
    } else if (decoding == DECODING_REPLY) {
        connection->out_length = reply.length;
    } else {
        session_refuse(connection, refusal.code, refusal.text, refusal.closes);
    }
}

/* True if there is another frame, and room for its answer. */
static bool next_frame(struct connection *connection)
{
    struct refusal refusal;
    if (connection->closing || connection->ticket != NULL || !connection_has_room(connection)) {
        return false;
    }
    enum framing framing = connection_frame(connection, &refusal);
    if (framing == FRAMING_REFUSED) {
        session_refuse(connection, refusal.code, refusal.text, refusal.closes);
    }
    return framing == FRAMING_WHOLE;
}

void serve(struct command_parts *parts, struct connection *connection)
{
    do {
        serve_frame(parts, connection);
        connection_consume(connection);
    } while (next_frame(connection));
    /* An error, too, is the acceptor's to find: it sends what is left. */
    int error = connection_send(connection);
    (void)error;
}
