/* SPDX-License-Identifier: Apache-2.0 */
/* TLV wire 1.x at the host. */
#include "compat/tlv_1_frame.h"
#include "compat/tlv_1_sides.h"
#include "wire/codec.h"
#include "wire/version.h"

#include <errno.h>

bool tlv_1_host_claims(const uint8_t *bytes, size_t length)
{
    return length > 0 && bytes[0] == FRAME_MAGIC[0];
}

static uint32_t payload_limit(const struct server_session *session)
{
    bool first = session->agreed.major == 0;
    uint32_t least = first ? HELLO_PAYLOAD_MAX : 0; /* a HELLO is never too large for a host */
    uint32_t most =
        session->request_limit < FRAME_PAYLOAD_MAX ? session->request_limit : FRAME_PAYLOAD_MAX;
    return most > least ? most : least;
}

static int judge_hello_header(const struct frame_header *header, struct refusal *refusal)
{
    if (header->type != FRAME_HELLO) {
        return tlv_1_refuse_type(header->type, "HELLO first", refusal);
    }
    if (header->id != 0) {
        return refusal_set(refusal, ERROR_MALFORMED, "HELLO has request id %u; expected 0",
                           header->id);
    }
    return 0;
}

static int judge_request_header(const struct server_session *session,
                                const struct frame_header *header, struct refusal *refusal)
{
    if (!version_equal(header->version, session->agreed)) {
        return tlv_1_refuse_version(header->version, session->agreed, refusal);
    }
    if (header->type != FRAME_REQUEST) {
        return tlv_1_refuse_type(header->type, "REQUEST", refusal);
    }
    if (header->id == 0) {
        return refusal_set(refusal, ERROR_MALFORMED,
                           "REQUEST has request id 0; expected one from 1 on");
    }
    return 0;
}

/* Everything that a header alone tells is said before the payload is read. */
static int judge_request(const struct server_session *session, const struct frame_header *header,
                         struct refusal *refusal)
{
    uint32_t limit = payload_limit(session);
    if (header->length > limit) {
        return tlv_1_refuse_large(ERROR_TOO_LARGE, header->length, limit, refusal);
    }
    return session->agreed.major == 0 ? judge_hello_header(header, refusal)
                                      : judge_request_header(session, header, refusal);
}

enum framing tlv_1_host_frame(struct server_session *session, const uint8_t *bytes, size_t length,
                              bool eof, size_t *frame_length, struct refusal *refusal)
{
    struct frame_header header;
    enum framing framing =
        tlv_1_take_header(bytes, length, eof, session->agreed.major == 0, &header, refusal);
    if (framing != FRAMING_WHOLE) {
        return framing;
    }
    session->id = header.id;
    if (judge_request(session, &header, refusal) < 0) {
        return FRAMING_REFUSED;
    }
    return tlv_1_take_payload(&header, length, eof, frame_length, refusal);
}

static int welcome(struct server_session *session, struct reply *reply, struct refusal *refusal)
{
    struct welcome welcome = {
        .version = session->agreed,
        .agent = text_of("vsock_host/" VSOCK_VERSION),
        .has_request_limit = true,
        .request_limit = payload_limit(session),
    };
    struct writer writer = tlv_1_writer_of(reply);
    if (codec_encode_welcome(&welcome, &writer) < 0) {
        return refusal_set(refusal, ERROR_INTERNAL, "no room for WELCOME");
    }
    reply->length = writer.length;
    return 0;
}

static int greet(struct server_session *session, const uint8_t *payload, size_t length,
                 struct reply *reply, struct refusal *refusal)
{
    struct hello hello;
    int error = codec_decode_hello(payload, length, &hello, refusal);
    if (error < 0) {
        return error;
    }
    struct wire_version agreed = {0};
    if (version_agree(&wire_versions_spoken, &hello.versions, &agreed) < 0) {
        char ours[VERSIONS_TEXT_MAX];
        char theirs[VERSIONS_TEXT_MAX];
        versions_format(&wire_versions_spoken, ours);
        versions_format(&hello.versions, theirs);
        return refusal_set(refusal, ERROR_UNSUPPORTED_VERSION,
                           "HELLO offers %s; expected a major of %s", theirs, ours);
    }
    session->agreed = agreed;
    return welcome(session, reply, refusal);
}

enum decoding tlv_1_host_decode(struct server_session *session, uint8_t *frame, size_t length,
                                struct request *request, struct refusal *refusal,
                                struct reply *reply)
{
    const uint8_t *payload = frame + FRAME_HEADER_SIZE;
    length -= FRAME_HEADER_SIZE;
    if (session->agreed.major == 0) {
        if (greet(session, payload, length, reply, refusal) == 0) {
            return DECODING_REPLY;
        }
        refusal->closes = true; /* any error in the first frame */
        return DECODING_REFUSED;
    }
    return codec_decode_request(payload, length, request, refusal) == 0 ? DECODING_REQUEST
                                                                        : DECODING_REFUSED;
}

int tlv_1_host_encode_answer(const struct server_session *session, const struct answer *answer,
                             struct reply *reply)
{
    struct wire_version version = tlv_1_header_version(session->agreed);
    struct writer writer = tlv_1_writer_of(reply);
    int error = 0;
    if (answer->type == ANSWER_ERROR && answer->code == ERROR_UNSUPPORTED_VERSION) {
        struct answer listed = *answer;
        listed.versions = wire_versions_spoken;
        error = codec_encode_answer(version, session->id, &listed, &writer);
    } else {
        error = codec_encode_answer(version, session->id, answer, &writer);
    }
    if (error == 0) {
        reply->length = writer.length;
    }
    return error == -EMSGSIZE ? -ENOBUFS : error;
}
