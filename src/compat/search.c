/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/search.h"

#include "compat/exchange.h"
#include "wire/clock.h"

#include <errno.h>
#include <stdio.h>

enum {
    SILENCE_MS = 10000, /* a host that says nothing to a greeting of the search is given up */
    LAST_TRY_MS = 100,  /* a connection tried when the limit is reached still gets this long */
    GREETING_MAX = 256, /* bytes */
};

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static bool no_connection(struct client_outcome *outcome, int error, const char *text)
{
    outcome->result = CLIENT_NO_CONNECTION;
    outcome->error = error;
    snprintf(outcome->text, sizeof(outcome->text), "%s", text);
    return false;
}

static bool stopped(struct client_outcome *outcome)
{
    outcome->result = CLIENT_STOPPED;
    outcome->text[0] = '\0';
    return false;
}

/* Without a limit for trying again there is one try, and only the deadline of everything ends it.
 */
static int64_t try_deadline(const struct client *client)
{
    if (client->setup.connect_ms == 0) {
        return client->setup.deadline_ms;
    }
    int64_t left_ms = client->retry.left_ms > LAST_TRY_MS ? client->retry.left_ms : LAST_TRY_MS;
    return earlier(clock_deadline(left_ms), client->setup.deadline_ms);
}

static bool open_stream(struct client *client, struct client_outcome *outcome)
{
    int fd = -1;
    int64_t began_ms = clock_ms();
    int error = client->setup.connect(client->setup.context, try_deadline(client), &fd);
    retry_spend(&client->retry, clock_ms() - began_ms);
    if (error == -ECANCELED) {
        return stopped(outcome);
    }
    if (error < 0) {
        int shown = error == -ETIME ? ETIMEDOUT : -error;
        exchange_trace(client, "connecting failed: %s", strerror(shown));
        return no_connection(outcome, shown, strerror(shown));
    }
    stream_open(&client->stream, &fd);
    exchange_trace(client, "connected");
    return true;
}

/* A first word that is an ERROR: either no common version, or the result. */
static bool refused(struct client *client, const struct answer *answer,
                    struct client_outcome *outcome)
{
    bool version = answer->code == ERROR_UNSUPPORTED_VERSION;
    outcome->result = version ? CLIENT_NO_PROTOCOL : CLIENT_ANSWERED;
    outcome->answer = *answer;
    outcome->text[0] = '\0';
    exchange_trace(client, "the host answered the greeting with error %u (%s)", answer->code,
                   error_name(answer->code) != NULL ? error_name(answer->code) : "unknown");
    return false;
}

static bool no_protocol(struct client_outcome *outcome, const struct exchange_end *end)
{
    outcome->result = CLIENT_NO_PROTOCOL;
    memcpy(outcome->text, end->text, sizeof(outcome->text));
    return false;
}

/* An end in the middle of a frame is as good as nonsense; an end without a byte is as good as a
 * refused connection. */
static bool failed(enum exchange result, const struct exchange_end *end,
                   struct client_outcome *outcome)
{
    switch (result) {
    case EXCHANGE_STOPPED:
        return stopped(outcome);
    case EXCHANGE_TIME_OVER:
        outcome->result = CLIENT_TIME_OVER;
        snprintf(outcome->text, sizeof(outcome->text),
                 "the host took the connection but did not answer the greeting");
        return false;
    case EXCHANGE_NONSENSE:
        return no_protocol(outcome, end);
    case EXCHANGE_ENDED:
    case EXCHANGE_DONE:
        break;
    }
    if (end->text[0] != '\0') {
        return no_protocol(outcome, end);
    }
    return no_connection(outcome, ECONNRESET,
                         "the host closed the connection without answering the greeting");
}

/* Agrees on a version. A write that failed is no reason to overlook what the host has said. */
static bool greet(struct client *client, struct client_outcome *outcome)
{
    const struct dialect *dialect = client->session.dialect;
    if (dialect->encode_greeting == NULL) {
        return true;
    }
    uint8_t bytes[GREETING_MAX];
    struct reply out = {.bytes = bytes, .size = sizeof(bytes)};
    int error = dialect->encode_greeting(&client->session, &out);
    if (error < 0) {
        return no_connection(outcome, -error, strerror(-error));
    }
    int64_t deadline_ms = client->setup.deadline_ms;
    if (client->setup.dialect == NULL) {
        deadline_ms = earlier(clock_deadline(SILENCE_MS), deadline_ms);
    }
    bool sent = false;
    struct answer answer;
    struct exchange_end end;
    enum exchange result = exchange_send(client, &out, deadline_ms, &sent, &end);
    if (result == EXCHANGE_DONE || result == EXCHANGE_ENDED) {
        result = exchange_receive(client, true, deadline_ms, &answer, &end);
    }
    if (result != EXCHANGE_DONE) {
        return failed(result, &end, outcome);
    }
    return answer.type == ANSWER_ERROR ? refused(client, &answer, outcome) : true;
}

/* One connection. The newest dialect is the one that the search begins with. */
static bool try_once(struct client *client, struct client_outcome *outcome)
{
    const struct dialect *dialect =
        client->setup.dialect != NULL ? client->setup.dialect : dialect_find("tlv-1");
    client->session = (struct client_session){.dialect = dialect};
    if (!open_stream(client, outcome) || !greet(client, outcome)) {
        return false;
    }
    exchange_trace(client, "dialect %s (%s), host %s", dialect->name, dialect->title,
                   client->session.host[0] != '\0' ? client->session.host : "unnamed");
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
    int64_t until_ms = earlier(clock_deadline(pause_ms), client->setup.deadline_ms);
    if (stream_pause(&client->stream, until_ms) < 0) {
        return stopped(outcome);
    }
    return clock_ms() < client->setup.deadline_ms;
}

bool search_run(struct client *client, struct client_outcome *outcome)
{
    while (!try_once(client, outcome)) {
        stream_close(&client->stream); /* the outcome's texts stay */
        if (!may_pass(client, outcome) || !search_pause(client, outcome)) {
            return false;
        }
    }
    return true;
}
