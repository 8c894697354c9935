/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/client.h"

#include "compat/dialects.h"
#include "compat/exchange.h"
#include "compat/negotiate.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

void client_init(struct client *client, const struct client_setup *setup)
{
    client->setup = *setup;
    client->link.session = (struct client_session){.dialect = setup->dialect};
    client->knows_version = false;
    retry_init(&client->retry, setup->connect_ms);
    stream_init(&client->link.stream, setup->stop_fd);
    stream_init(&client->probe.stream, setup->stop_fd);
}

void client_done(struct client *client)
{
    stream_close(&client->link.stream);
    stream_close(&client->probe.stream);
}

static bool carries(const struct dialect *dialect, enum command command)
{
    return (dialect->carries >> command & 1U) != 0;
}

static void outcome_set(struct client_outcome *outcome, enum client_result result, const char *text)
{
    outcome->result = result;
    snprintf(outcome->text, sizeof outcome->text, "%s", text);
}

/* A failure to encode is the request's own, or this machine's: nothing was sent. */
static void not_encoded(const struct client *client, int error, struct client_outcome *outcome)
{
    if (error == -EOPNOTSUPP) {
        outcome_set(outcome, CLIENT_NOT_CARRIED, "the request cannot be asked in this dialect");
        return;
    }
    if (error == -ENOMEM) {
        outcome->error = ENOMEM;
        outcome_set(outcome, CLIENT_NO_CONNECTION, strerror(ENOMEM));
        return;
    }
    /* The texts of a request were judged before: what is left is its length. */
    outcome->result = CLIENT_TOO_LONG;
    snprintf(outcome->text, sizeof outcome->text, "the request is too long for %s",
             client->link.session.dialect->name);
    if (client->link.session.request_limit > 0) {
        snprintf(outcome->text, sizeof outcome->text,
                 "the request is too long: this host takes at most %u bytes",
                 client->link.session.request_limit);
    }
}

/* How the waiting for an answer ended. What was not sent at all is as good as never connected. */
static void not_answered(enum exchange result, const struct exchange_end *end,
                         struct client_outcome *outcome)
{
    outcome->error = result == EXCHANGE_ENDED ? end->error : 0;
    switch (result) {
    case EXCHANGE_STOPPED:
        outcome_set(outcome, CLIENT_STOPPED, "");
        return;
    case EXCHANGE_TIME_OVER:
        outcome_set(outcome, CLIENT_TIME_OVER, "the host did not answer in time");
        return;
    case EXCHANGE_NONSENSE:
        outcome_set(outcome, CLIENT_BROKEN, end->text);
        return;
    case EXCHANGE_ENDED:
    case EXCHANGE_DONE:
    case EXCHANGE_MORE:
        break;
    }
    if (!outcome->sent) {
        outcome->error = ECONNRESET;
        outcome_set(outcome, CLIENT_NO_CONNECTION,
                    "the host closed the connection before the command was sent");
        return;
    }
    outcome->ended = true;
    const char *why =
        end->error == 0 ? "the host closed the connection without an answer" : strerror(end->error);
    outcome_set(outcome, CLIENT_BROKEN, end->text[0] != '\0' ? end->text : why);
}

static void await_answer(struct client *client, struct client_outcome *outcome)
{
    for (;;) {
        struct exchange_end end;
        struct answer answer;
        enum exchange result =
            exchange_receive(&client->link, false, client->setup.deadline_ms, &answer, &end);
        if (result != EXCHANGE_DONE) {
            not_answered(result, &end, outcome);
            return;
        }
        if (answer.type != ANSWER_PROGRESS) {
            outcome->answer = answer;
            outcome_set(outcome, CLIENT_ANSWERED, "");
            return;
        }
        if (!client->setup.progress(client->setup.context, &answer.status)) {
            outcome_set(outcome, CLIENT_SATISFIED, "");
            return;
        }
    }
}

/* Sends and waits. After a failed write, what the host left to read is read and shown. */
static void converse(struct client *client, const struct request *request,
                     struct client_outcome *outcome)
{
    uint8_t bytes[GUEST_REQUEST_MAX];
    struct reply out = {.bytes = bytes, .size = sizeof bytes};
    int error = client->link.session.dialect->encode_request(&client->link.session, request, &out);
    if (error < 0) {
        not_encoded(client, error, outcome);
        return;
    }
    struct exchange_end end;
    enum exchange result =
        exchange_send(&client->link, &out, client->setup.deadline_ms, &outcome->sent, &end);
    exchange_trace(client, "%s %s", outcome->sent ? "sent" : "could not send",
                   command_name(request->command));
    if (result != EXCHANGE_DONE && result != EXCHANGE_ENDED) {
        not_answered(result, &end, outcome);
        return;
    }
    if (client->link.session.dialect->half_closes) {
        (void)shutdown(client->link.stream.fd, SHUT_WR); /* reading shows if the host has gone */
    }
    await_answer(client, outcome);
}

/* One connection's worth of asking. */
static void ask_once(struct client *client, const struct request *request,
                     struct client_outcome *outcome)
{
    *outcome = (struct client_outcome){.has_status = true};
    if (client->link.stream.fd < 0 && !negotiate_run(client, request->command, outcome)) {
        return;
    }
    const struct dialect *dialect = client->link.session.dialect;
    outcome->has_status = carries(dialect, COMMAND_GET_UPGRADE_STATUS);
    if (!carries(dialect, request->command)) {
        outcome->result = CLIENT_NOT_CARRIED;
        snprintf(outcome->text, sizeof outcome->text, "%s cannot be asked in %s (%s)",
                 command_name(request->command), dialect->name, dialect->title);
        return;
    }
    if (negotiate_has_answer(client, request->command)) {
        outcome->answer = (struct answer){.type = ANSWER_RESPONSE,
                                          .kind = PAYLOAD_HOSTOS_VSOCK_VERSION,
                                          .vsock_version = client->version};
        outcome_set(outcome, CLIENT_ANSWERED, "");
        return;
    }
    converse(client, request, outcome);
    outcome->only_accepted =
        request->command == COMMAND_UPGRADE && dialect->upgrade_answered_on_accept &&
        outcome->result == CLIENT_ANSWERED && outcome->answer.type == ANSWER_RESPONSE;
}

/* What may be sent on another connection: whatever was not sent on this one; and a query, whose
 * connection broke or whose host said that it is the wrong moment. */
static bool may_ask_again(const struct request *request, const struct client_outcome *outcome)
{
    if (!outcome->sent) {
        return outcome->result == CLIENT_NO_CONNECTION && outcome->error == ECONNRESET;
    }
    if (!command_is_query(request->command)) {
        return false;
    }
    if (outcome->result == CLIENT_ANSWERED && outcome->answer.type == ANSWER_ERROR) {
        return negotiate_wrong_time(&outcome->answer);
    }
    return outcome->result == CLIENT_BROKEN && outcome->ended;
}

void client_ask(struct client *client, const struct request *request,
                struct client_outcome *outcome)
{
    retry_init(&client->retry, client->setup.connect_ms);
    ask_once(client, request, outcome);
    while (may_ask_again(request, outcome) && negotiate_pause(client, outcome)) {
        stream_close(&client->link.stream);
        struct client_outcome next;
        ask_once(client, request, &next);
        if (outcome->result == CLIENT_BROKEN && next.result == CLIENT_NO_CONNECTION) {
            break; /* that the host cannot be reached any more is the lesser news */
        }
        *outcome = next;
    }
    /* A stream is kept only when another request can follow on it. */
    if (outcome->result != CLIENT_ANSWERED || client->link.session.dialect->closes_after_answer) {
        stream_close(&client->link.stream);
    }
}

int client_find_protocol(const char *name, const struct dialect **ret)
{
    const struct dialect *dialect = dialect_find(name);
    if (dialect == NULL && strcmp(name, "auto") != 0) {
        return -ENOENT;
    }
    *ret = dialect;
    return 0;
}

void client_protocol_names(const char *separator, char out[CLIENT_NAMES_MAX])
{
    int length = snprintf(out, CLIENT_NAMES_MAX, "auto");
    for (size_t i = dialects_count; i-- > 0 && length < CLIENT_NAMES_MAX;) {
        length += snprintf(out + length, CLIENT_NAMES_MAX - (size_t)length, "%s%s", separator,
                           dialects[i]->name);
    }
}
