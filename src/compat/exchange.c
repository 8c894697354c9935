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

/* The first bytes received, escaped, in quotes. */
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

/* The result of a stream function that failed. */
static enum exchange end_failed(int error, struct exchange_end *end)
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
    return error < 0 ? end_failed(error, end) : EXCHANGE_DONE;
}

static enum framing frame_answer(struct link *link, bool eof, size_t *length,
                                 struct protocol_error *protocol_error)
{
    const struct stream *stream = &link->stream;
    return stream->length == 0
               ? FRAMING_MORE
               : link->session.dialect->frame_answer(&link->session, stream->bytes, stream->length,
                                                     eof, length, protocol_error);
}

enum exchange exchange_look(struct link *link, size_t *length, struct exchange_end *end)
{
    struct protocol_error protocol_error;
    enum framing framing = frame_answer(link, false, length, &protocol_error);
    bool at_end = framing == FRAMING_MORE && link->stream.eof;
    if (at_end) { /* the end completes the answer, or cuts it */
        framing = frame_answer(link, true, length, &protocol_error);
        (void)end_failed(0, end);
    }
    if (framing == FRAMING_WHOLE) {
        return EXCHANGE_DONE;
    }
    if (framing == FRAMING_REFUSED) {
        (void)exchange_nonsense(&link->stream, protocol_error.text, end);
        return at_end ? EXCHANGE_ENDED : EXCHANGE_NONSENSE;
    }
    return at_end ? EXCHANGE_ENDED : EXCHANGE_MORE;
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
        result = error < 0 ? end_failed(error, end) : exchange_look(link, &length, end);
    }
    return result == EXCHANGE_DONE ? exchange_take(link, greeting, length, answer, end) : result;
}
