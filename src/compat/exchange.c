/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/exchange.h"

#include "wire/escape.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { SHOWN_BYTES = 48, SHOWN_TEXT = 4 * SHOWN_BYTES + 1 };

void exchange_trace(const struct client *client, const char *format, ...)
{
    char line[CLIENT_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    client->setup.trace(client->setup.context, line);
}

static enum exchange ended(int error, struct exchange_end *end)
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

enum exchange exchange_send(struct client *client, const struct reply *out, int64_t deadline_ms,
                            bool *sent, struct exchange_end *end)
{
    size_t taken = 0;
    int error = stream_send(&client->stream, out->bytes, out->length, deadline_ms, &taken);
    *sent = taken > 0;
    return error < 0 ? ended(error, end) : EXCHANGE_DONE;
}

/* The reason, and the first bytes that came: often a program of another kind introduces itself. */
static enum exchange nonsense(const struct stream *stream, const char *why,
                              struct exchange_end *end)
{
    char shown[SHOWN_TEXT];
    size_t length = stream->length < SHOWN_BYTES ? stream->length : SHOWN_BYTES;
    struct text received = {(const char *)stream->bytes, length};
    escape_text(received, ESCAPE_LINE, shown, sizeof(shown));
    snprintf(end->text, sizeof(end->text), "%s; received \"%s\"%s", why, shown,
             stream->length > length ? "..." : "");
    return EXCHANGE_NONSENSE;
}

/* What the dialect makes of the bytes that are there. */
static enum framing frame(struct client *client, bool eof, size_t *length, struct refusal *refusal)
{
    const struct stream *stream = &client->stream;
    return stream->length == 0
               ? FRAMING_MORE
               : client->session.dialect->frame_answer(&client->session, stream->bytes,
                                                       stream->length, eof, length, refusal);
}

/* No more comes: the end makes a whole answer of what is there, or cuts it. */
static enum exchange frame_at_end(struct client *client, size_t *length, struct exchange_end *end)
{
    struct refusal refusal;
    enum framing framing = frame(client, true, length, &refusal);
    if (framing == FRAMING_WHOLE) {
        return EXCHANGE_DONE;
    }
    (void)ended(0, end);
    if (framing == FRAMING_REFUSED) {
        (void)nonsense(&client->stream, refusal.text, end);
    }
    return EXCHANGE_ENDED;
}

/* Reads until the dialect sees a whole frame. */
static enum exchange receive_frame(struct client *client, int64_t deadline_ms, size_t *length,
                                   struct exchange_end *end)
{
    struct stream *stream = &client->stream;
    struct refusal refusal;
    stream_drop(stream);
    memset(&client->session.scan, 0, sizeof(client->session.scan));
    for (;;) {
        enum framing framing = frame(client, false, length, &refusal);
        if (framing == FRAMING_WHOLE) {
            return EXCHANGE_DONE;
        }
        if (framing == FRAMING_REFUSED) {
            return nonsense(stream, refusal.text, end);
        }
        if (stream->eof) {
            return frame_at_end(client, length, end);
        }
        int error = stream_fill(stream, deadline_ms);
        if (error == -ENOBUFS) {
            return nonsense(stream, "the answer is longer than any may be", end);
        }
        if (error < 0) {
            return ended(error, end);
        }
    }
}

enum exchange exchange_receive(struct client *client, bool greeting, int64_t deadline_ms,
                               struct answer *answer, struct exchange_end *end)
{
    size_t length = 0;
    enum exchange result = receive_frame(client, deadline_ms, &length, end);
    if (result != EXCHANGE_DONE) {
        return result;
    }
    struct refusal refusal;
    uint8_t *frame = client->stream.bytes;
    *answer = (struct answer){.type = ANSWER_RESPONSE};
    if (client->session.dialect->decode_answer(&client->session, greeting, frame, length, answer,
                                               &refusal) < 0) {
        return nonsense(&client->stream, refusal.text, end);
    }
    stream_take(&client->stream, length);
    return EXCHANGE_DONE;
}
