/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/exchange.h"

#include "wire/clock.h"
#include "wire/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { SHOWN_BYTES = 48, SHOWN_ESCAPED = 4 * SHOWN_BYTES + 1, SHOWN_TEXT = SHOWN_ESCAPED + 5 };

void exchange_trace(const struct client *client, const char *format, ...)
{
    char line[CLIENT_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    client->setup.trace(client->setup.context, line);
}

/* The first bytes that have come, escaped, in quotes. */
static void show_received(const struct stream *stream, char shown[SHOWN_TEXT])
{
    char escaped[SHOWN_ESCAPED];
    size_t length = stream->length < SHOWN_BYTES ? stream->length : SHOWN_BYTES;
    struct text received = {(const char *)stream->bytes, length};
    escape_text(received, ESCAPE_LINE, escaped, sizeof escaped);
    snprintf(shown, SHOWN_TEXT, "\"%s\"%s", escaped, stream->length > length ? "..." : "");
}

void exchange_trace_received(const struct client *client, const char *which,
                             const struct stream *stream)
{
    char shown[SHOWN_TEXT];
    show_received(stream, shown);
    exchange_trace(client, "%s: received %zu bytes, %s%s", which, stream->length, shown,
                   stream->eof ? ", and the end" : "");
}

enum exchange exchange_nonsense(const struct stream *stream, const char *why,
                                struct exchange_end *end)
{
    char shown[SHOWN_TEXT];
    show_received(stream, shown);
    snprintf(end->text, sizeof end->text, "%s; received %s", why, shown);
    return EXCHANGE_NONSENSE;
}

/* What an errno of the stream comes to. */
static enum exchange failed(int error, struct exchange_end *end)
{
    if (error == -ETIME) {
        return EXCHANGE_TIME_OVER;
    }
    if (error == -ECANCELED) {
        return EXCHANGE_STOPPED;
    }
    end->error = -error;
    end->text[0] = '\0';
    return EXCHANGE_ENDED;
}

enum exchange exchange_send(struct link *link, const struct reply *out, int64_t deadline_ms,
                            bool *sent, struct exchange_end *end)
{
    size_t taken = 0;
    int error = stream_send(&link->stream, out->bytes, out->length, deadline_ms, &taken);
    *sent = taken > 0;
    return error < 0 ? failed(error, end) : EXCHANGE_DONE;
}

/* What the dialect makes of the bytes that are there. */
static enum framing frame(struct link *link, bool eof, size_t *length,
                          struct protocol_error *protocol_error)
{
    const struct stream *stream = &link->stream;
    return stream->length == 0
               ? FRAMING_MORE
               : link->session.dialect->frame_answer(&link->session, stream->bytes, stream->length,
                                                     eof, length, protocol_error);
}

/* No more comes: the end makes a whole answer of what is there, or cuts it. */
static enum exchange look_at_end(struct link *link, size_t *length, struct exchange_end *end)
{
    struct protocol_error protocol_error;
    enum framing framing = frame(link, true, length, &protocol_error);
    if (framing == FRAMING_WHOLE) {
        return EXCHANGE_DONE;
    }
    (void)failed(0, end);
    if (framing == FRAMING_REFUSED) {
        (void)exchange_nonsense(&link->stream, protocol_error.text, end);
    }
    return EXCHANGE_ENDED;
}

enum exchange exchange_look(struct link *link, size_t *length, struct exchange_end *end)
{
    struct protocol_error protocol_error;
    enum framing framing = frame(link, false, length, &protocol_error);
    if (framing == FRAMING_WHOLE) {
        return EXCHANGE_DONE;
    }
    if (framing == FRAMING_REFUSED) {
        return exchange_nonsense(&link->stream, protocol_error.text, end);
    }
    return link->stream.eof ? look_at_end(link, length, end) : EXCHANGE_MORE;
}

void exchange_begin(struct link *link)
{
    stream_drop(&link->stream);
    memset(&link->session.scan, 0, sizeof link->session.scan);
}

enum exchange exchange_take(struct link *link, bool greeting, size_t length, struct answer *answer,
                            struct exchange_end *end)
{
    struct protocol_error protocol_error;
    *answer = (struct answer){.type = ANSWER_RESPONSE};
    if (link->session.dialect->decode_answer(&link->session, greeting, link->stream.bytes, length,
                                             answer, &protocol_error) < 0) {
        return exchange_nonsense(&link->stream, protocol_error.text, end);
    }
    stream_take(&link->stream, length);
    return EXCHANGE_DONE;
}

enum exchange exchange_receive(struct link *link, bool greeting, int64_t deadline_ms,
                               struct answer *answer, struct exchange_end *end)
{
    size_t length = 0;
    exchange_begin(link);
    enum exchange result = exchange_look(link, &length, end);
    while (result == EXCHANGE_MORE) {
        int error = stream_fill(&link->stream, deadline_ms);
        if (error == -ENOBUFS) {
            return exchange_nonsense(&link->stream, "the answer is longer than any may be", end);
        }
        result = error < 0 ? failed(error, end) : exchange_look(link, &length, end);
    }
    return result == EXCHANGE_DONE ? exchange_take(link, greeting, length, answer, end) : result;
}

enum { LAST_TRY_MS = 100 }; /* a connection tried when the limit is reached still gets this long */

bool dial_no_connection(struct client_outcome *outcome, int error, const char *text)
{
    outcome->result = CLIENT_NO_CONNECTION;
    outcome->error = error;
    snprintf(outcome->text, sizeof outcome->text, "%s", text);
    return false;
}

bool dial_stopped(struct client_outcome *outcome)
{
    outcome->result = CLIENT_STOPPED;
    outcome->text[0] = '\0';
    return false;
}

bool dial_silent(struct client_outcome *outcome)
{
    outcome->result = CLIENT_TIME_OVER;
    snprintf(outcome->text, sizeof outcome->text,
             "the host took the connection but did not answer the greeting");
    return false;
}

bool dial_closed(struct client_outcome *outcome)
{
    return dial_no_connection(outcome, ECONNRESET,
                              "the host closed the connection without answering the greeting");
}

bool dial_not_understood(struct client_outcome *outcome)
{
    outcome->result = CLIENT_NO_CONNECTION;
    outcome->error = ECONNRESET;
    return false;
}

bool dial_no_protocol(struct client_outcome *outcome, const char *text)
{
    outcome->result = CLIENT_NO_PROTOCOL;
    snprintf(outcome->text, sizeof outcome->text, "%s", text);
    return false;
}

bool dial_refused(const struct client *client, const struct answer *answer,
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

/* Without a limit for trying again there is one try, and only the deadline of everything ends it.
 */
static int64_t try_deadline(const struct client *client)
{
    if (client->setup.connect_ms == 0) {
        return client->setup.deadline_ms;
    }
    int64_t left_ms = client->retry.left_ms > LAST_TRY_MS ? client->retry.left_ms : LAST_TRY_MS;
    int64_t deadline_ms = clock_deadline(left_ms);
    return deadline_ms < client->setup.deadline_ms ? deadline_ms : client->setup.deadline_ms;
}

bool dial_open(struct client *client, struct link *link, struct client_outcome *outcome)
{
    int fd = -1;
    int64_t began_ms = clock_ms();
    int error = client->setup.connect(client->setup.context, try_deadline(client), &fd);
    retry_spend(&client->retry, clock_ms() - began_ms);
    if (error == -ECANCELED) {
        return dial_stopped(outcome);
    }
    if (error < 0) {
        int shown = error == -ETIME ? ETIMEDOUT : -error;
        exchange_trace(client, "connecting failed: %s", strerror(shown));
        return dial_no_connection(outcome, shown, strerror(shown));
    }
    stream_open(&link->stream, &fd);
    exchange_trace(client, "connected");
    return true;
}

bool dial_learn_cid(const struct client *client, struct client_session *session,
                    struct client_outcome *outcome)
{
    if (!session->dialect->tells_cid) {
        return true;
    }
    int error = client->setup.local_cid(client->setup.context, &session->local_cid);
    if (error < 0) {
        char text[CLIENT_TEXT_MAX];
        snprintf(text, sizeof text, "%s needs the CID of this machine: %s", session->dialect->name,
                 strerror(-error));
        exchange_trace(client, "%s", text);
        return dial_no_connection(outcome, -error, text);
    }
    return true;
}
