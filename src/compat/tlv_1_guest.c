/* SPDX-License-Identifier: Apache-2.0 */
/* TLV wire 1.x at the guest. */
#include "compat/answer.h"
#include "compat/tlv_1_frame.h"
#include "compat/tlv_1_sides.h"
#include "wire/codec.h"
#include "wire/escape.h"
#include "wire/version.h"

#include <errno.h>

int tlv_1_guest_encode_greeting(struct client_session *session, struct reply *out)
{
    struct hello hello = {.versions = wire_versions_spoken,
                          .agent = text_of("vsock_guest/" VSOCK_VERSION)};
    struct writer writer = tlv_1_writer_of(out);
    int error = codec_encode_hello(&hello, &writer);
    if (error == 0) {
        session->agreed = (struct wire_version){0};
        out->length = writer.length;
    }
    return error;
}

static uint32_t next_id(uint32_t id)
{
    return id == UINT32_MAX ? 1 : id + 1;
}

int tlv_1_guest_encode_request(struct client_session *session, const struct request *request,
                               struct reply *out)
{
    uint32_t limit = session->request_limit != 0 ? session->request_limit : FRAME_REQUEST_MAX;
    uint32_t id = next_id(session->id);
    struct writer writer = tlv_1_writer_of(out);
    int error = codec_encode_request(tlv_1_header_version(session->agreed), id, request, &writer);
    if (error < 0) {
        return error;
    }
    if (writer.length - out->length - FRAME_HEADER_SIZE > limit) {
        return -EMSGSIZE;
    }
    session->id = id;
    session->command = request->command;
    session->progress = request->progress;
    out->length = writer.length;
    return 0;
}

static int judge_greeting_header(const struct frame_header *header, struct refusal *refusal)
{
    if (header->type != FRAME_WELCOME && header->type != FRAME_ERROR) {
        return tlv_1_refuse_type(header->type, "WELCOME or ERROR first", refusal);
    }
    if (header->id != 0) {
        return refusal_set(refusal, ERROR_MALFORMED,
                           "the answer to HELLO has request id %u; expected 0", header->id);
    }
    return 0;
}

static bool is_expected_type(const struct client_session *session, unsigned type)
{
    return type == FRAME_RESPONSE || type == FRAME_ERROR ||
           (type == FRAME_PROGRESS && session->progress);
}

static int judge_answer_header(const struct client_session *session,
                               const struct frame_header *header, struct refusal *refusal)
{
    if (!version_equal(header->version, session->agreed)) {
        return tlv_1_refuse_version(header->version, session->agreed, refusal);
    }
    if (!is_expected_type(session, header->type)) {
        return tlv_1_refuse_type(
            header->type, session->progress ? "PROGRESS, RESPONSE or ERROR" : "RESPONSE or ERROR",
            refusal);
    }
    /* An error about the connection has no request's id. */
    if (header->id != session->id && !(header->type == FRAME_ERROR && header->id == 0)) {
        return refusal_set(refusal, ERROR_MALFORMED, "an answer has request id %u; expected %u",
                           header->id, session->id);
    }
    return 0;
}

static int judge_answer(const struct client_session *session, const struct frame_header *header,
                        struct refusal *refusal)
{
    if (header->length > FRAME_PAYLOAD_MAX) {
        return tlv_1_refuse_large(ERROR_MALFORMED, header->length, FRAME_PAYLOAD_MAX, refusal);
    }
    return session->agreed.major == 0 ? judge_greeting_header(header, refusal)
                                      : judge_answer_header(session, header, refusal);
}

enum framing tlv_1_guest_frame(struct client_session *session, const uint8_t *bytes, size_t length,
                               bool eof, size_t *frame_length, struct refusal *refusal)
{
    struct frame_header header;
    if (length == 0) {
        return FRAMING_MORE;
    }
    enum framing framing =
        tlv_1_take_header(bytes, length, eof, session->agreed.major == 0, &header, refusal);
    if (framing != FRAMING_WHOLE) {
        return framing;
    }
    if (judge_answer(session, &header, refusal) < 0) {
        return FRAMING_REFUSED;
    }
    return tlv_1_take_payload(&header, length, eof, frame_length, refusal);
}

static int judge_welcome(const struct frame_header *header, const struct welcome *welcome,
                         struct refusal *refusal)
{
    if (!version_equal(header->version, welcome->version)) {
        return tlv_1_refuse_version(header->version, welcome->version, refusal);
    }
    if (!version_was_offered(&wire_versions_spoken, welcome->version)) {
        char ours[VERSIONS_TEXT_MAX];
        versions_format(&wire_versions_spoken, ours);
        return refusal_set(refusal, ERROR_MALFORMED,
                           "WELCOME says %u.%u, which was not offered; expected one of %s",
                           welcome->version.major, welcome->version.minor, ours);
    }
    return 0;
}

static int take_welcome(struct client_session *session, const struct frame_header *header,
                        const uint8_t *payload, struct answer *answer, struct refusal *refusal)
{
    struct welcome welcome;
    int error = codec_decode_welcome(payload, header->length, &welcome, refusal);
    if (error == 0) {
        error = judge_welcome(header, &welcome, refusal);
    }
    if (error < 0) {
        return error;
    }
    session->agreed = welcome.version;
    session->request_limit = welcome.has_request_limit ? welcome.request_limit : 0;
    (void)escape_text(welcome.agent, ESCAPE_LINE, session->host, sizeof(session->host)); /* cut */
    answer->type = ANSWER_RESPONSE;
    return 0;
}

int tlv_1_guest_decode(struct client_session *session, bool greeting, uint8_t *frame, size_t length,
                       struct answer *answer, struct refusal *refusal)
{
    const uint8_t *payload = frame + FRAME_HEADER_SIZE;
    struct frame_header header;
    struct answer decoded;
    frame_header_decode(frame, &header);
    header.length = (uint32_t)(length - FRAME_HEADER_SIZE); /* as framing found it */
    if (header.type == FRAME_WELCOME) {
        return take_welcome(session, &header, payload, answer, refusal);
    }
    int error = codec_decode_answer(header.type, payload, header.length, &decoded, refusal);
    if (error == 0 && !greeting) {
        error = answer_judge_kind(session->command, &decoded, refusal);
    }
    if (error == 0) {
        *answer = decoded;
    }
    return error;
}
