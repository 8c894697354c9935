/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/search.h"

#include "compat/dial.h"
#include "compat/discover.h"
#include "wire/clock.h"

#include <errno.h>

/* An end in the middle of a frame is as good as nonsense; an end without a byte is as good as a
 * refused connection. */
static bool not_greeted(enum exchange result, const struct exchange_end *end,
                        struct client_outcome *outcome)
{
    switch (result) {
    case EXCHANGE_STOPPED:
        return dial_stopped(outcome);
    case EXCHANGE_TIME_OVER:
        return dial_silent(outcome);
    case EXCHANGE_NONSENSE:
    case EXCHANGE_ENDED:
    case EXCHANGE_DONE:
    case EXCHANGE_MORE:
        break;
    }
    return end->text[0] != '\0' ? dial_no_protocol(outcome, end->text) : dial_closed(outcome);
}

/* Agrees on a version where the dialect is given. A write that failed is no reason to overlook what
 * the host has said. */
static bool greet(struct client *client, struct client_outcome *outcome)
{
    struct link *link = &client->link;
    const struct dialect *dialect = link->session.dialect;
    if (dialect->encode_greeting == NULL) {
        return true;
    }
    uint8_t bytes[DIAL_GREETING_MAX];
    struct reply out = {.bytes = bytes, .size = sizeof(bytes)};
    int error = dialect->encode_greeting(&link->session, &out);
    if (error < 0) {
        return dial_no_connection(outcome, -error, strerror(-error));
    }
    bool sent = false;
    struct answer answer;
    struct exchange_end end;
    int64_t deadline_ms = client->setup.deadline_ms;
    enum exchange result = exchange_send(link, &out, deadline_ms, &sent, &end);
    if (result == EXCHANGE_DONE || result == EXCHANGE_ENDED) {
        result = exchange_receive(link, true, deadline_ms, &answer, &end);
    }
    if (result != EXCHANGE_DONE) {
        return not_greeted(result, &end, outcome);
    }
    return answer.type == ANSWER_ERROR ? dial_refused(client, &answer, outcome) : true;
}

bool search_has_answer(const struct client *client, enum command command)
{
    return client->knows_version && command == COMMAND_GET_VSOCK_VERSION;
}

/* A connection that what is asked can go to. */
static bool reach(struct client *client, enum command command, struct client_outcome *outcome)
{
    struct link *link = &client->link;
    bool carried = (link->session.dialect->carries >> command & 1U) != 0;
    if (link->stream.fd >= 0 || !carried || search_has_answer(client, command)) {
        return true;
    }
    return dial_learn_cid(client, &link->session, outcome) && dial_open(client, link, outcome) &&
           greet(client, outcome);
}

static bool try_once(struct client *client, enum command command, struct client_outcome *outcome)
{
    client->knows_version = false;
    client->link.session = (struct client_session){.dialect = client->setup.dialect};
    if (client->setup.dialect == NULL && !discover_run(client, outcome)) {
        return false;
    }
    const struct dialect *dialect = client->link.session.dialect;
    if (!reach(client, command, outcome)) {
        return false;
    }
    exchange_trace(client, "dialect %s (%s), host %s", dialect->name, dialect->title,
                   client->link.session.host[0] != '\0' ? client->link.session.host : "unnamed");
    return true;
}

bool search_wrong_moment(const struct answer *error)
{
    return error->code == ERROR_BUSY || error->code == ERROR_SHUTTING_DOWN;
}

static bool may_pass(const struct client *client, const struct client_outcome *outcome)
{
    if (outcome->result == CLIENT_ANSWERED) {
        return search_wrong_moment(&outcome->answer);
    }
    return outcome->result == CLIENT_NO_CONNECTION &&
           retry_errno(outcome->error, client->setup.unix_path);
}

bool search_pause(struct client *client, struct client_outcome *outcome)
{
    int64_t pause_ms = 0;
    if (!retry_next(&client->retry, &pause_ms)) {
        return false;
    }
    client->setup.again(client->setup.context, outcome);
    exchange_trace(client, "next try in %.1f s", (double)pause_ms / 1000);
    int64_t until_ms = clock_deadline(pause_ms);
    if (until_ms > client->setup.deadline_ms) {
        until_ms = client->setup.deadline_ms;
    }
    if (stream_pause(&client->link.stream, until_ms) < 0) {
        return dial_stopped(outcome);
    }
    return clock_ms() < client->setup.deadline_ms;
}

bool search_run(struct client *client, enum command command, struct client_outcome *outcome)
{
    while (!try_once(client, command, outcome)) {
        stream_close(&client->link.stream); /* the outcome's texts stay */
        if (!may_pass(client, outcome) || !search_pause(client, outcome)) {
            return false;
        }
    }
    return true;
}
