/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/negotiate.h"

#include "compat/exchange.h"
#include "compat/json_envelope.h"
#include "wire/clock.h"
#include "wire/frame.h"

#include <errno.h>
#include <stdio.h>

enum {
    SILENCE_MS = 1000, /* after HELLO: then the JSON generations are asked */
    ANSWER_MS = 10000, /* after that question */
};

enum heard {
    HEARD_NOTHING, /* so far */
    HEARD_DIALECT, /* of the link: settled */
    HEARD_OUTCOME, /* the search is over, and *outcome says how */
    HEARD_OTHER,   /* what these connections were not made for, or their end */
};

static int64_t soon(const struct client *client, int64_t ms)
{
    int64_t deadline_ms = clock_deadline(ms);
    return deadline_ms < client->setup.deadline_ms ? deadline_ms : client->setup.deadline_ms;
}

static enum heard no_protocol(struct client_outcome *outcome, const struct exchange_end *end)
{
    (void)dial_no_protocol(outcome, end->text);
    return HEARD_OUTCOME;
}

/* It is kept for the case that the host says nothing else. */
static enum heard not_understood(const struct stream *stream, struct client_outcome *outcome)
{
    struct exchange_end end;
    (void)exchange_nonsense(stream, "the host has not understood HELLO, and says no more", &end);
    memcpy(outcome->text, end.text, sizeof outcome->text);
    return HEARD_OTHER;
}

/* The words of a host that knows HELLO, or at least its magic. */
static enum heard hear_greeting(struct client *client, struct client_outcome *outcome)
{
    struct link *link = &client->link;
    struct stream *stream = &link->stream;
    struct exchange_end end;
    struct answer answer;
    size_t length = 0;
    if (stream->length > 0 && stream->bytes[0] != FRAME_MAGIC[0]) {
        return not_understood(stream, outcome);
    }
    if (stream->length == 0 && stream->eof) {
        return HEARD_OTHER;
    }
    if (stream->length > 0) {
        link->session.dialect = dialect_sniff(stream->bytes, stream->length);
    }
    enum exchange result = exchange_look(link, &length, &end);
    if (result == EXCHANGE_MORE) {
        return HEARD_NOTHING;
    }
    if (result != EXCHANGE_DONE) {
        return no_protocol(outcome, &end);
    }
    if (link->session.dialect->encode_greeting == NULL) {
        return HEARD_DIALECT; /* of a frame that answers what its host does not know */
    }
    if (exchange_take(link, true, length, &answer, &end) != EXCHANGE_DONE) {
        return no_protocol(outcome, &end);
    }
    if (answer.type == ANSWER_ERROR) {
        (void)dial_refused(client, &answer, outcome);
        return HEARD_OUTCOME;
    }
    return HEARD_DIALECT;
}

static enum heard take_probe(struct client *client, size_t length, struct client_outcome *outcome)
{
    struct stream *stream = &client->probe.stream;
    struct exchange_end end;
    struct protocol_error protocol_error;
    struct json_probe probe;
    /* Reading may overwrite what was received. */
    (void)exchange_nonsense(stream, "the host refuses to tell its version", &end);
    if (json_guest_read_probe(stream->bytes, length, &probe, &protocol_error) < 0) {
        (void)exchange_nonsense(stream, protocol_error.text, &end);
        return no_protocol(outcome, &end);
    }
    if (probe.dialect == NULL && !negotiate_wrong_time(&probe.error)) {
        return no_protocol(outcome, &end);
    }
    if (probe.dialect == NULL) {
        (void)dial_refused(client, &probe.error, outcome);
        return HEARD_OUTCOME;
    }
    stream_close(&client->link.stream);
    client->link.session = (struct client_session){.dialect = probe.dialect};
    client->knows_version = (probe.dialect->carries >> COMMAND_GET_VSOCK_VERSION & 1U) != 0;
    client->version = probe.version;
    return HEARD_DIALECT;
}

/* A host that answers in TLV has not understood: it is one that HELLO is for. */
static enum heard hear_probe(struct client *client, struct client_outcome *outcome)
{
    struct stream *stream = &client->probe.stream;
    struct exchange_end end;
    size_t length = 0;
    if (stream->length > 0 && stream->bytes[0] == FRAME_MAGIC[0]) {
        return HEARD_OTHER;
    }
    switch (exchange_look(&client->probe, &length, &end)) {
    case EXCHANGE_MORE:
        return HEARD_NOTHING;
    case EXCHANGE_DONE:
        return take_probe(client, length, outcome);
    case EXCHANGE_NONSENSE:
        return no_protocol(outcome, &end);
    case EXCHANGE_ENDED:
    case EXCHANGE_TIME_OVER:
    case EXCHANGE_STOPPED:
        break;
    }
    return HEARD_OTHER;
}

/* One of the two; it is closed when it is of no more use. */
static enum heard hear_one(struct client *client, struct link *link,
                           enum heard (*hear)(struct client *, struct client_outcome *),
                           struct client_outcome *outcome)
{
    if (link->stream.fd < 0) {
        return HEARD_OTHER;
    }
    enum heard heard = hear(client, outcome);
    if (heard == HEARD_OTHER) {
        stream_close(&link->stream);
    }
    return heard;
}

static enum heard hear_both(struct client *client, struct client_outcome *outcome)
{
    enum heard first = hear_one(client, &client->link, hear_greeting, outcome);
    if (first == HEARD_DIALECT || first == HEARD_OUTCOME) {
        return first;
    }
    enum heard second = hear_one(client, &client->probe, hear_probe, outcome);
    if (second == HEARD_DIALECT || second == HEARD_OUTCOME) {
        return second;
    }
    return first == HEARD_OTHER && second == HEARD_OTHER ? HEARD_OTHER : HEARD_NOTHING;
}

/* A failure is as good as an end. The first bytes and the end are told. */
static void read_some(const struct client *client, struct link *link, const char *name)
{
    struct stream *stream = &link->stream;
    size_t before = stream->length;
    int error = stream->fd < 0 ? -EAGAIN : stream_read(stream);
    if (error == -EAGAIN) {
        return;
    }
    stream->eof = stream->eof || error < 0;
    if (before == 0 || stream->eof) {
        exchange_trace_received(client, name, stream);
    }
}

static enum heard listen_until(struct client *client, int64_t until_ms,
                               struct client_outcome *outcome)
{
    enum heard heard = hear_both(client, outcome);
    while (heard == HEARD_NOTHING) {
        int error = stream_wait_either(&client->link.stream, &client->probe.stream, until_ms);
        if (error == -ECANCELED) {
            (void)dial_stopped(outcome);
            return HEARD_OUTCOME;
        }
        if (error < 0) {
            return HEARD_NOTHING;
        }
        read_some(client, &client->link, "answer to HELLO");
        read_some(client, &client->probe, "answer to GetVsockProtocol");
        heard = hear_both(client, outcome);
    }
    return heard;
}

/* Sends a first word. After a write that failed, what the host has said is read. */
static bool say(struct client *client, struct link *link, const struct reply *out,
                struct client_outcome *outcome)
{
    bool sent = false;
    struct exchange_end end;
    switch (exchange_send(link, out, client->setup.deadline_ms, &sent, &end)) {
    case EXCHANGE_STOPPED:
        return dial_stopped(outcome);
    case EXCHANGE_TIME_OVER:
        return dial_silent(outcome);
    case EXCHANGE_DONE:
    case EXCHANGE_MORE:
    case EXCHANGE_ENDED:
    case EXCHANGE_NONSENSE:
        break;
    }
    exchange_begin(link);
    return true;
}

static bool say_hello(struct client *client, struct client_outcome *outcome)
{
    uint8_t bytes[DIAL_GREETING_MAX];
    struct reply out = {.bytes = bytes, .size = sizeof bytes};
    struct link *link = &client->link;
    link->session = (struct client_session){.dialect = dialect_find("tlv-1")};
    if (!dial_open(client, link, outcome)) {
        return false;
    }
    int error = link->session.dialect->encode_greeting(&link->session, &out);
    return error < 0 ? dial_no_connection(outcome, -error, strerror(-error))
                     : say(client, link, &out, outcome);
}

static bool ask_in_json(struct client *client, struct client_outcome *outcome)
{
    static const struct request question = {.command = COMMAND_GET_VSOCK_VERSION};
    uint8_t bytes[DIAL_GREETING_MAX];
    struct reply out = {.bytes = bytes, .size = sizeof bytes};
    struct link *link = &client->probe;
    exchange_trace(client, "asking GetVsockProtocol in JSON, on a second connection");
    link->session = (struct client_session){.dialect = dialect_find("json-1")};
    if (!dial_learn_cid(client, &link->session, outcome) || !dial_open(client, link, outcome)) {
        return false;
    }
    int error = link->session.dialect->encode_request(&link->session, &question, &out);
    if (error < 0) {
        return dial_no_connection(outcome, -error, strerror(-error));
    }
    if (!say(client, link, &out, outcome)) {
        return false;
    }
    stream_half_close(&link->stream);
    return true;
}

/* HELLO was not understood, or not answered so far. A slow host may still answer it, also when the
 * question cannot be asked. */
static enum heard ask_older(struct client *client, struct client_outcome *outcome)
{
    struct client_outcome failure = *outcome;
    bool asked = ask_in_json(client, &failure);
    enum heard heard = HEARD_OTHER;
    if (asked || (client->link.stream.fd >= 0 && failure.result != CLIENT_STOPPED)) {
        heard = listen_until(client, soon(client, ANSWER_MS), outcome);
    }
    if (!asked && (heard == HEARD_NOTHING || heard == HEARD_OTHER)) {
        *outcome = failure;
        return HEARD_OUTCOME;
    }
    return heard;
}

static enum heard listen_all(struct client *client, struct client_outcome *outcome)
{
    enum heard heard = listen_until(client, soon(client, SILENCE_MS), outcome);
    bool over = clock_ms() >= client->setup.deadline_ms;
    if (heard == HEARD_NOTHING && !over && client->link.stream.length > 0) {
        return listen_until(client, soon(client, ANSWER_MS), outcome); /* the frame has begun */
    }
    bool unknown = heard == HEARD_OTHER || (heard == HEARD_NOTHING && !over);
    return unknown ? ask_older(client, outcome) : heard;
}

/* True: the dialect of the client's link is settled. Its stream is open where a version was agreed
 * on; an older host wants a new connection. False: *outcome says why not. */
static bool negotiate_discover(struct client *client, struct client_outcome *outcome)
{
    outcome->text[0] = '\0';
    if (!say_hello(client, outcome)) {
        return false;
    }
    enum heard heard = listen_all(client, outcome);
    stream_close(&client->probe.stream);
    switch (heard) {
    case HEARD_DIALECT:
        if (client->link.session.dialect->encode_greeting == NULL) {
            stream_close(&client->link.stream); /* its host takes one request on a new one */
        }
        return true;
    case HEARD_OUTCOME:
        return false;
    case HEARD_NOTHING:
        return dial_silent(outcome);
    case HEARD_OTHER:
        break;
    }
    /* Each connection has ended, or has been of no use. */
    return outcome->text[0] != '\0' ? dial_not_understood(outcome) : dial_closed(outcome);
}

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
    struct reply out = {.bytes = bytes, .size = sizeof bytes};
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

bool negotiate_has_answer(const struct client *client, enum command command)
{
    return client->knows_version && command == COMMAND_GET_VSOCK_VERSION;
}

/* A connection that what is asked can go to. */
static bool reach(struct client *client, enum command command, struct client_outcome *outcome)
{
    struct link *link = &client->link;
    bool carried = (link->session.dialect->carries >> command & 1U) != 0;
    if (link->stream.fd >= 0 || !carried || negotiate_has_answer(client, command)) {
        return true;
    }
    return dial_learn_cid(client, &link->session, outcome) && dial_open(client, link, outcome) &&
           greet(client, outcome);
}

static bool try_once(struct client *client, enum command command, struct client_outcome *outcome)
{
    client->knows_version = false;
    client->link.session = (struct client_session){.dialect = client->setup.dialect};
    if (client->setup.dialect == NULL && !negotiate_discover(client, outcome)) {
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

bool negotiate_wrong_time(const struct answer *error)
{
    return error->code == ERROR_BUSY || error->code == ERROR_SHUTTING_DOWN;
}

static bool may_pass(const struct client *client, const struct client_outcome *outcome)
{
    if (outcome->result == CLIENT_ANSWERED) {
        return negotiate_wrong_time(&outcome->answer);
    }
    return outcome->result == CLIENT_NO_CONNECTION &&
           retry_errno(outcome->error, client->setup.unix_path);
}

bool negotiate_pause(struct client *client, struct client_outcome *outcome)
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

bool negotiate_run(struct client *client, enum command command, struct client_outcome *outcome)
{
    while (!try_once(client, command, outcome)) {
        stream_close(&client->link.stream); /* the outcome's texts stay */
        if (!may_pass(client, outcome) || !negotiate_pause(client, outcome)) {
            return false;
        }
    }
    return true;
}
