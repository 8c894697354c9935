/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/server.h"

#include "compat/dialects.h"
#include "wire/frame.h"
#include "wire/layout.h"
#include "wire/text.h"

void server_init(struct server_session *session, uint32_t request_limit, uint32_t peer_cid)
{
    *session = (struct server_session){
        .dialects = dialects, .request_limit = request_limit, .peer_cid = peer_cid};
}

size_t server_input_size(uint32_t request_limit)
{
    size_t payload = request_limit > HELLO_PAYLOAD_MAX ? request_limit : HELLO_PAYLOAD_MAX;
    return FRAME_HEADER_SIZE + payload;
}

/* Looks at the first bytes again as long as more of them may tell another dialect. */
static void sniff(struct server_session *session, const uint8_t *bytes, size_t length)
{
    if (session->dialect_known) {
        return;
    }
    const struct dialect *dialect = dialect_sniff(bytes, length);
    if (dialect != session->dialect) {
        session->dialect = dialect;
        memset(&session->scan, 0, sizeof session->scan);
    }
    session->dialect_known = length >= DIALECT_SNIFFED;
}

enum framing server_frame(struct server_session *session, const uint8_t *bytes, size_t length,
                          bool eof, size_t *frame_length, struct protocol_error *protocol_error)
{
    session->id = 0;
    if (length == 0) {
        return FRAMING_MORE;
    }
    sniff(session, bytes, length);
    if (session->dialect == NULL) {
        (void)protocol_error_set(
            protocol_error, ERROR_MALFORMED, /* its result is for decoders */
            "the first byte is 0x%02x; expected V, which begins a TLV frame, or a "
            "JSON object",
            bytes[0]);
        return FRAMING_REFUSED;
    }
    enum framing framing =
        session->dialect->frame(session, bytes, length, eof, frame_length, protocol_error);
    if (framing == FRAMING_WHOLE) {
        session->dialect_known = true;
        memset(&session->scan, 0, sizeof session->scan);
    }
    return framing;
}

void server_sniff(struct server_session *session, const uint8_t *bytes, size_t length)
{
    size_t ignored = 0;
    struct protocol_error protocol_error;
    if (!session->dialect_known) {
        (void)server_frame(session, bytes, length, false, &ignored, &protocol_error);
    }
}

enum decoding server_decode(struct server_session *session, uint8_t *frame, size_t length,
                            struct request *request, struct protocol_error *protocol_error,
                            struct reply *reply)
{
    return session->dialect->decode(session, frame, length, request, protocol_error, reply);
}

static const struct dialect *speaks(const struct server_session *session)
{
    return session->dialect != NULL ? session->dialect : dialect_default;
}

static struct text cut(struct text text)
{
    text.length = utf8_cut(text.bytes, text.length, ANSWER_TEXT_MAX);
    return text;
}

int server_answer(const struct server_session *session, const struct answer *answer,
                  struct reply *reply)
{
    struct answer shorter = *answer;
    shorter.hostos_version = cut(answer->hostos_version);
    shorter.status.detail = cut(answer->status.detail);
    shorter.message = cut(answer->message);
    return speaks(session)->encode_answer(session, &shorter, reply);
}

bool server_closes_after_answer(const struct server_session *session)
{
    return session->dialect == NULL || session->dialect->closes_after_answer;
}

bool server_answers_on_accept(const struct server_session *session)
{
    return speaks(session)->upgrade_answered_on_accept;
}

bool server_has_progress(const struct server_session *session)
{
    return speaks(session)->has_progress;
}

const char *server_dialect_name(const struct server_session *session)
{
    return session->dialect != NULL ? session->dialect->name : "none";
}
