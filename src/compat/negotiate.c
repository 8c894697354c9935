/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/negotiate.h"

#include "compat/dialects.h"
#include "compat/exchange.h"
#include "compat/json_envelope.h"
#include "wire/clock.h"
#include "wire/frame.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

enum {
    SILENCE_MS = 1000,  /* from HELLO to the probe in JSON */
    ANSWER_MS = 10000,  /* from the probe to the end */
    LAST_TRY_MS = 100,  /* of a connection that is tried when connect_ms is over */
    GREETING_MAX = 256, /* bytes of any greeting or probe */
};

enum finding {
    FINDING_NONE,    /* so far */
    FINDING_DIALECT, /* that of the link */
    FINDING_OUTCOME, /* the negotiation ended with *outcome */
    FINDING_UNUSED,  /* the connection ended, or cannot show the dialect */
};

static bool set_outcome(struct client_outcome *outcome, enum client_result result, const char *text)
{
    outcome->result = result;
    snprintf(outcome->text, sizeof outcome->text, "%s", text);
    return false;
}

static bool set_no_connection(struct client_outcome *outcome, int error, const char *text)
{
    outcome->error = error;
    return set_outcome(outcome, CLIENT_NO_CONNECTION, text);
}

static bool set_stopped(struct client_outcome *outcome)
{
    return set_outcome(outcome, CLIENT_STOPPED, "");
}

static bool set_silent(struct client_outcome *outcome)
{
    return set_outcome(outcome, CLIENT_TIME_OVER,
                       "the host took the connection but did not answer the greeting");
}

static bool set_closed(struct client_outcome *outcome)
{
    return set_no_connection(outcome, ECONNRESET,
                             "the host closed the connection without answering the greeting");
}

static bool set_refused(const struct client *client, const struct answer *answer,
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

static int64_t deadline_in(const struct client *client, int64_t ms)
{
    int64_t deadline_ms = clock_deadline(ms);
    return deadline_ms < client->setup.deadline_ms ? deadline_ms : client->setup.deadline_ms;
}

/* With connect_ms 0 there is one try, which only the client's deadline ends. */
static int64_t try_deadline(const struct client *client)
{
    int64_t left_ms = client->retry.left_ms > LAST_TRY_MS ? client->retry.left_ms : LAST_TRY_MS;
    return client->setup.connect_ms == 0 ? client->setup.deadline_ms : deadline_in(client, left_ms);
}

static bool open_connection(struct client *client, struct link *link,
                            struct client_outcome *outcome)
{
    int fd = -1;
    int64_t began_ms = clock_ms();
    int error = client->setup.connect(client->setup.context, try_deadline(client), &fd);
    retry_spend(&client->retry, clock_ms() - began_ms);
    if (error == -ECANCELED) {
        return set_stopped(outcome);
    }
    if (error < 0) {
        int shown = error == -ETIME ? ETIMEDOUT : -error;
        exchange_trace(client, "connecting failed: %s", strerror(shown));
        return set_no_connection(outcome, shown, strerror(shown));
    }
    stream_open(&link->stream, &fd);
    exchange_trace(client, "connected");
    return true;
}

static bool learn_cid(const struct client *client, struct client_session *session,
                      struct client_outcome *outcome)
{
    if (!session->dialect->has_sender_cid) {
        return true;
    }
    int error = client->setup.local_cid(client->setup.context, &session->local_cid);
    if (error < 0) {
        char text[CLIENT_TEXT_MAX];
        snprintf(text, sizeof text, "%s needs the CID of this machine: %s", session->dialect->name,
                 strerror(-error));
        exchange_trace(client, "%s", text);
        return set_no_connection(outcome, -error, text);
    }
    return true;
}

static enum finding end_no_protocol(struct client_outcome *outcome, const struct exchange_end *end)
{
    (void)set_outcome(outcome, CLIENT_NO_PROTOCOL, end->text);
    return FINDING_OUTCOME;
}

/* The error if the host sends nothing that can be read. */
static enum finding keep_foreign_text(const struct stream *stream, struct client_outcome *outcome)
{
    struct exchange_end end;
    (void)exchange_nonsense(stream, "the host has not understood HELLO, and says no more", &end);
    memcpy(outcome->text, end.text, sizeof outcome->text);
    return FINDING_UNUSED;
}

/* The first frame of a host that knows TLV frames. */
static enum finding check_greeting(struct client *client, struct client_outcome *outcome)
{
    struct link *link = &client->link;
    struct stream *stream = &link->stream;
    struct exchange_end end;
    struct answer answer;
    size_t length = 0;
    if (stream->length > 0 && stream->bytes[0] != FRAME_MAGIC[0]) {
        return keep_foreign_text(stream, outcome);
    }
    if (stream->length == 0 && stream->eof) {
        return FINDING_UNUSED;
    }
    if (stream->length > 0) {
        link->session.dialect = dialect_sniff(stream->bytes, stream->length);
    }
    enum exchange result = exchange_look(link, &length, &end);
    if (result == EXCHANGE_MORE) {
        return FINDING_NONE;
    }
    if (result != EXCHANGE_DONE) {
        return end_no_protocol(outcome, &end);
    }
    if (link->session.dialect->encode_greeting == NULL) {
        return FINDING_DIALECT; /* it answered a version that it does not know */
    }
    if (exchange_take(link, true, length, &answer, &end) != EXCHANGE_DONE) {
        return end_no_protocol(outcome, &end);
    }
    if (answer.type == ANSWER_ERROR) {
        (void)set_refused(client, &answer, outcome);
        return FINDING_OUTCOME;
    }
    return FINDING_DIALECT;
}

static enum finding take_probe(struct client *client, size_t length, struct client_outcome *outcome)
{
    struct stream *stream = &client->probe.stream;
    struct exchange_end end;
    struct protocol_error protocol_error;
    struct json_probe probe;
    /* Reading may overwrite what was received. */
    (void)exchange_nonsense(stream, "the host refuses to tell its version", &end);
    if (json_read_probe(dialects, stream->bytes, length, &probe, &protocol_error) < 0) {
        (void)exchange_nonsense(stream, protocol_error.text, &end);
        return end_no_protocol(outcome, &end);
    }
    if (probe.dialect == NULL && !negotiate_wrong_time(&probe.error)) {
        return end_no_protocol(outcome, &end);
    }
    if (probe.dialect == NULL) {
        (void)set_refused(client, &probe.error, outcome);
        return FINDING_OUTCOME;
    }
    stream_close(&client->link.stream);
    client->link.session = (struct client_session){.dialect = probe.dialect};
    client->knows_version = (probe.dialect->carries >> COMMAND_GET_VSOCK_VERSION & 1U) != 0;
    client->version = probe.version;
    return FINDING_DIALECT;
}

/* A host that answers the probe in TLV does not know JSON: HELLO finds its dialect. */
static enum finding check_probe(struct client *client, struct client_outcome *outcome)
{
    struct stream *stream = &client->probe.stream;
    struct exchange_end end;
    size_t length = 0;
    if (stream->length > 0 && stream->bytes[0] == FRAME_MAGIC[0]) {
        return FINDING_UNUSED;
    }
    enum exchange result = exchange_look(&client->probe, &length, &end);
    if (result == EXCHANGE_MORE) {
        return FINDING_NONE;
    }
    if (result == EXCHANGE_DONE) {
        return take_probe(client, length, outcome);
    }
    return result == EXCHANGE_NONSENSE ? end_no_protocol(outcome, &end) : FINDING_UNUSED;
}

/* Closes a link that cannot show the dialect any more. */
static enum finding check_link(struct client *client, struct link *link,
                               enum finding (*check)(struct client *, struct client_outcome *),
                               struct client_outcome *outcome)
{
    if (link->stream.fd < 0) {
        return FINDING_UNUSED;
    }
    enum finding finding = check(client, outcome);
    if (finding == FINDING_UNUSED) {
        stream_close(&link->stream);
    }
    return finding;
}

static enum finding check_links(struct client *client, struct client_outcome *outcome)
{
    enum finding first = check_link(client, &client->link, check_greeting, outcome);
    if (first == FINDING_DIALECT || first == FINDING_OUTCOME) {
        return first;
    }
    enum finding second = check_link(client, &client->probe, check_probe, outcome);
    if (second == FINDING_DIALECT || second == FINDING_OUTCOME) {
        return second;
    }
    return first == FINDING_UNUSED && second == FINDING_UNUSED ? FINDING_UNUSED : FINDING_NONE;
}

/* A failure counts as the end of the stream. Traces the first bytes and the end. */
static void receive_some(const struct client *client, struct link *link, const char *name)
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

static enum finding await_finding(struct client *client, int64_t until_ms,
                                  struct client_outcome *outcome)
{
    enum finding finding = check_links(client, outcome);
    while (finding == FINDING_NONE) {
        int error = stream_wait_either(&client->link.stream, &client->probe.stream, until_ms);
        if (error == -ECANCELED) {
            (void)set_stopped(outcome);
            return FINDING_OUTCOME;
        }
        if (error < 0) {
            return FINDING_NONE;
        }
        receive_some(client, &client->link, "answer to HELLO");
        receive_some(client, &client->probe, "answer to GetVsockProtocol");
        finding = check_links(client, outcome);
    }
    return finding;
}

/* Sends the first frame of a connection. After a failed write, the host's bytes are still read. */
static bool send_first(struct client *client, struct link *link, const struct reply *out,
                       struct client_outcome *outcome)
{
    bool sent = false;
    struct exchange_end end;
    enum exchange result = exchange_send(link, out, client->setup.deadline_ms, &sent, &end);
    if (result == EXCHANGE_STOPPED) {
        return set_stopped(outcome);
    }
    if (result == EXCHANGE_TIME_OVER) {
        return set_silent(outcome);
    }
    exchange_begin(link);
    return true;
}

static bool send_hello(struct client *client, struct client_outcome *outcome)
{
    uint8_t bytes[GREETING_MAX];
    struct reply out = {.bytes = bytes, .size = sizeof bytes};
    struct link *link = &client->link;
    link->session = (struct client_session){.dialect = dialect_default};
    if (!open_connection(client, link, outcome)) {
        return false;
    }
    int error = link->session.dialect->encode_greeting(&link->session, &out);
    return error < 0 ? set_no_connection(outcome, -error, strerror(-error))
                     : send_first(client, link, &out, outcome);
}

static bool send_probe(struct client *client, struct client_outcome *outcome)
{
    static const struct request question = {.command = COMMAND_GET_VSOCK_VERSION};
    uint8_t bytes[GREETING_MAX];
    struct reply out = {.bytes = bytes, .size = sizeof bytes};
    struct link *link = &client->probe;
    exchange_trace(client, "asking GetVsockProtocol in JSON, on a second connection");
    link->session = (struct client_session){.dialect = json_find_generation(dialects, false)};
    if (!learn_cid(client, &link->session, outcome) || !open_connection(client, link, outcome)) {
        return false;
    }
    int error = link->session.dialect->encode_request(&link->session, &question, &out);
    if (error < 0) {
        return set_no_connection(outcome, -error, strerror(-error));
    }
    if (!send_first(client, link, &out, outcome)) {
        return false;
    }
    (void)shutdown(link->stream.fd, SHUT_WR); /* reading shows if the host has gone */
    return true;
}

/* A slow host may still answer HELLO, also when the probe cannot be sent. */
static enum finding await_probe(struct client *client, struct client_outcome *outcome)
{
    struct client_outcome failure = *outcome;
    bool asked = send_probe(client, &failure);
    enum finding finding = FINDING_UNUSED;
    if (asked || (client->link.stream.fd >= 0 && failure.result != CLIENT_STOPPED)) {
        finding = await_finding(client, deadline_in(client, ANSWER_MS), outcome);
    }
    if (!asked && (finding == FINDING_NONE || finding == FINDING_UNUSED)) {
        *outcome = failure;
        return FINDING_OUTCOME;
    }
    return finding;
}

static enum finding await_greeting(struct client *client, struct client_outcome *outcome)
{
    enum finding finding = await_finding(client, deadline_in(client, SILENCE_MS), outcome);
    bool over = clock_ms() >= client->setup.deadline_ms;
    if (finding == FINDING_NONE && !over && client->link.stream.length > 0) {
        return await_finding(client, deadline_in(client, ANSWER_MS),
                             outcome); /* the frame has begun */
    }
    bool unknown = finding == FINDING_UNUSED || (finding == FINDING_NONE && !over);
    return unknown ? await_probe(client, outcome) : finding;
}

/* True: the dialect of the client's link is known. Its stream is open if a version was agreed on;
 * an older host needs a new connection. False: *outcome is set. */
static bool find_dialect(struct client *client, struct client_outcome *outcome)
{
    outcome->text[0] = '\0';
    if (!send_hello(client, outcome)) {
        return false;
    }
    enum finding finding = await_greeting(client, outcome);
    stream_close(&client->probe.stream);
    switch (finding) {
    case FINDING_DIALECT:
        if (client->link.session.dialect->encode_greeting == NULL) {
            stream_close(&client->link.stream); /* its host takes one request a connection */
        }
        return true;
    case FINDING_OUTCOME:
        return false;
    case FINDING_NONE:
        return set_silent(outcome);
    case FINDING_UNUSED:
        break;
    }
    /* Both connections have ended, or cannot show the dialect. */
    if (outcome->text[0] == '\0') {
        return set_closed(outcome);
    }
    outcome->result = CLIENT_NO_CONNECTION; /* its text is there: keep_foreign_text */
    outcome->error = ECONNRESET;
    return false;
}

/* A cut frame counts as an invalid answer; an end without a byte as a refused connection. */
static bool set_not_greeted(enum exchange result, const struct exchange_end *end,
                            struct client_outcome *outcome)
{
    if (result == EXCHANGE_STOPPED) {
        return set_stopped(outcome);
    }
    if (result == EXCHANGE_TIME_OVER) {
        return set_silent(outcome);
    }
    return end->text[0] != '\0' ? set_outcome(outcome, CLIENT_NO_PROTOCOL, end->text)
                                : set_closed(outcome);
}

/* Agrees on a version in a given dialect. After a failed write, the host's bytes are still read. */
static bool greet(struct client *client, struct client_outcome *outcome)
{
    struct link *link = &client->link;
    const struct dialect *dialect = link->session.dialect;
    if (dialect->encode_greeting == NULL) {
        return true;
    }
    uint8_t bytes[GREETING_MAX];
    struct reply out = {.bytes = bytes, .size = sizeof bytes};
    int error = dialect->encode_greeting(&link->session, &out);
    if (error < 0) {
        return set_no_connection(outcome, -error, strerror(-error));
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
        return set_not_greeted(result, &end, outcome);
    }
    return answer.type == ANSWER_ERROR ? set_refused(client, &answer, outcome) : true;
}

bool negotiate_has_answer(const struct client *client, enum command command)
{
    return client->knows_version && command == COMMAND_GET_VSOCK_VERSION;
}

/* Opens a connection for the command, where one is needed. */
static bool open_link(struct client *client, enum command command, struct client_outcome *outcome)
{
    struct link *link = &client->link;
    bool carried = (link->session.dialect->carries >> command & 1U) != 0;
    if (link->stream.fd >= 0 || !carried || negotiate_has_answer(client, command)) {
        return true;
    }
    return learn_cid(client, &link->session, outcome) && open_connection(client, link, outcome) &&
           greet(client, outcome);
}

static bool try_once(struct client *client, enum command command, struct client_outcome *outcome)
{
    client->knows_version = false;
    client->link.session = (struct client_session){.dialect = client->setup.dialect};
    if (client->setup.dialect == NULL && !find_dialect(client, outcome)) {
        return false;
    }
    const struct dialect *dialect = client->link.session.dialect;
    if (!open_link(client, command, outcome)) {
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
    if (stream_pause(&client->link.stream, deadline_in(client, pause_ms)) < 0) {
        return set_stopped(outcome);
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
