/* SPDX-License-Identifier: Apache-2.0 */
/* TLV wire 1.x: HELLO and WELCOME agree on a version, then REQUEST, PROGRESS, RESPONSE and ERROR.
 * docs/protocol.md, "Frames", "Messages" and "Session". */
#include "compat/dialect.h"
#include "wire/codec.h"
#include "wire/frame.h"
#include "wire/text.h"

#include <errno.h>
#include <stdio.h>

/* Names the type, such as "REQUEST" or "type 0x0033". */
static int refuse_type(unsigned type, const char *expected, struct protocol_error *protocol_error)
{
    char number[24];
    const char *name = frame_type_name(type);
    snprintf(number, sizeof number, "type 0x%04x", type);
    return protocol_error_set(protocol_error, ERROR_MALFORMED, "a frame is %s; expected %s",
                              name != NULL ? name : number, expected);
}

static int refuse_id(const char *what, uint32_t id, uint32_t expected,
                     struct protocol_error *protocol_error)
{
    return protocol_error_set(protocol_error, ERROR_MALFORMED, "%s has request id %u; expected %u",
                              what, id, expected);
}

static int refuse_version(struct wire_version version, struct wire_version agreed,
                          struct protocol_error *protocol_error)
{
    return protocol_error_set(
        protocol_error, ERROR_MALFORMED,
        "a frame's header says version %u.%u; expected %u.%u, which was agreed", version.major,
        version.minor, agreed.major, agreed.minor);
}

/* too_large, as a host says it of a request; malformed, of an answer over the limit of any frame */
static int refuse_large(enum error_code code, uint32_t length, uint32_t limit,
                        struct protocol_error *protocol_error)
{
    return protocol_error_set(protocol_error, code,
                              "a frame's payload has %u bytes; expected at most %u", length, limit);
}

/* Takes the header when it is there: FRAMING_WHOLE. What fewer bytes tell is told at once: a wrong
 * magic, and in a `first` frame major 0 (unsupported_version: what follows is no header of 16
 * bytes). */
static enum framing take_header(const uint8_t *bytes, size_t length, bool eof, bool first,
                                struct frame_header *ret, struct protocol_error *protocol_error)
{
    int error = 0;
    if (!frame_begins(bytes, length)) {
        error = protocol_error_set(protocol_error, ERROR_MALFORMED,
                                   "a frame's magic is wrong; expected the bytes " FRAME_MAGIC);
    } else if (first && length > FRAME_MAJOR_AT && bytes[FRAME_MAJOR_AT] == 0) {
        error =
            protocol_error_set(protocol_error, ERROR_UNSUPPORTED_VERSION,
                               "the first frame's header says major 0; expected a major from 1 on");
    } else if (length >= FRAME_HEADER_SIZE) {
        frame_header_decode(bytes, ret);
        return FRAMING_WHOLE;
    } else {
        size_t ignored = 0;
        return framing_await(length, FRAME_HEADER_SIZE, eof, &ignored, protocol_error);
    }
    return error < 0 ? FRAMING_REFUSED : FRAMING_MORE;
}

static enum framing await_payload(const struct frame_header *header, size_t length, bool eof,
                                  size_t *frame_length, struct protocol_error *protocol_error)
{
    size_t whole = FRAME_HEADER_SIZE + (size_t)header->length; /* judged: far from overflow */
    return framing_await(length, whole, eof, frame_length, protocol_error);
}

/* What goes into a header: what was agreed, and before that the highest version of ours. */
static struct wire_version header_version(struct wire_version agreed)
{
    return agreed.major != 0 ? agreed : wire_versions_spoken.pair[0];
}

/* --- at the host --- */

static bool tlv_1_host_claims(const uint8_t *bytes, size_t length)
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

static int judge_hello_header(const struct frame_header *header,
                              struct protocol_error *protocol_error)
{
    if (header->type != FRAME_HELLO) {
        return refuse_type(header->type, "HELLO first", protocol_error);
    }
    return header->id != 0 ? refuse_id("HELLO", header->id, 0, protocol_error) : 0;
}

static int judge_request_header(const struct server_session *session,
                                const struct frame_header *header,
                                struct protocol_error *protocol_error)
{
    if (!version_equal(header->version, session->agreed)) {
        return refuse_version(header->version, session->agreed, protocol_error);
    }
    if (header->type != FRAME_REQUEST) {
        return refuse_type(header->type, "REQUEST", protocol_error);
    }
    if (header->id == 0) {
        return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                  "REQUEST has request id 0; expected one from 1 on");
    }
    return 0;
}

/* Everything that a header alone tells is said before the payload is read. */
static int judge_request(const struct server_session *session, const struct frame_header *header,
                         struct protocol_error *protocol_error)
{
    uint32_t limit = payload_limit(session);
    if (header->length > limit) {
        return refuse_large(ERROR_TOO_LARGE, header->length, limit, protocol_error);
    }
    return session->agreed.major == 0 ? judge_hello_header(header, protocol_error)
                                      : judge_request_header(session, header, protocol_error);
}

static enum framing tlv_1_host_frame(struct server_session *session, const uint8_t *bytes,
                                     size_t length, bool eof, size_t *frame_length,
                                     struct protocol_error *protocol_error)
{
    struct frame_header header = {0};
    enum framing framing =
        take_header(bytes, length, eof, session->agreed.major == 0, &header, protocol_error);
    if (framing != FRAMING_WHOLE) {
        return framing;
    }
    session->id = header.id;
    if (judge_request(session, &header, protocol_error) < 0) {
        return FRAMING_REFUSED;
    }
    return await_payload(&header, length, eof, frame_length, protocol_error);
}

static int welcome(struct server_session *session, struct reply *reply,
                   struct protocol_error *protocol_error)
{
    struct welcome welcome = {
        .version = session->agreed,
        .agent = text_of("vsock_host/" VSOCK_VERSION),
        .has_request_limit = true,
        .request_limit = payload_limit(session),
    };
    struct writer writer = reply_writer(reply);
    if (codec_encode_welcome(&welcome, &writer) < 0) {
        return protocol_error_set(protocol_error, ERROR_INTERNAL, "no room for WELCOME");
    }
    reply->length = writer.length;
    return 0;
}

static int greet(struct server_session *session, const uint8_t *payload, size_t length,
                 struct reply *reply, struct protocol_error *protocol_error)
{
    struct hello hello;
    int error = codec_decode_hello(payload, length, &hello, protocol_error);
    if (error < 0) {
        return error;
    }
    struct wire_version agreed = {0};
    if (version_agree(&wire_versions_spoken, &hello.versions, &agreed) < 0) {
        char ours[VERSIONS_TEXT_MAX];
        char theirs[VERSIONS_TEXT_MAX];
        versions_format(&wire_versions_spoken, ours);
        versions_format(&hello.versions, theirs);
        return protocol_error_set(protocol_error, ERROR_UNSUPPORTED_VERSION,
                                  "HELLO offers %s; expected a major of %s", theirs, ours);
    }
    session->agreed = agreed;
    return welcome(session, reply, protocol_error);
}

static enum decoding tlv_1_host_decode(struct server_session *session, uint8_t *frame,
                                       size_t length, struct request *request,
                                       struct protocol_error *protocol_error, struct reply *reply)
{
    const uint8_t *payload = frame + FRAME_HEADER_SIZE;
    length -= FRAME_HEADER_SIZE;
    if (session->agreed.major == 0) {
        if (greet(session, payload, length, reply, protocol_error) == 0) {
            return DECODING_REPLY;
        }
        protocol_error->closes = true; /* any error in the first frame */
        return DECODING_REFUSED;
    }
    return codec_decode_request(payload, length, request, protocol_error) == 0 ? DECODING_REQUEST
                                                                               : DECODING_REFUSED;
}

static int tlv_1_host_encode_answer(const struct server_session *session,
                                    const struct answer *answer, struct reply *reply)
{
    struct wire_version version = header_version(session->agreed);
    struct writer writer = reply_writer(reply);
    struct answer listed = *answer;
    if (answer->type == ANSWER_ERROR && answer->code == ERROR_UNSUPPORTED_VERSION) {
        listed.versions = wire_versions_spoken;
    }
    int error = codec_encode_answer(version, session->id, &listed, &writer);
    if (error == 0) {
        reply->length = writer.length;
    }
    return error == -EMSGSIZE ? -ENOBUFS : error;
}

/* --- at the guest --- */

static int tlv_1_guest_encode_greeting(struct client_session *session, struct reply *out)
{
    struct hello hello = {.versions = wire_versions_spoken,
                          .agent = text_of("vsock_guest/" VSOCK_VERSION)};
    struct writer writer = reply_writer(out);
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

static int tlv_1_guest_encode_request(struct client_session *session, const struct request *request,
                                      struct reply *out)
{
    uint32_t limit = session->request_limit != 0 ? session->request_limit : FRAME_REQUEST_MAX;
    uint32_t id = next_id(session->id);
    struct writer writer = reply_writer(out);
    int error = codec_encode_request(header_version(session->agreed), id, request, &writer);
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

static int judge_greeting_header(const struct frame_header *header,
                                 struct protocol_error *protocol_error)
{
    if (header->type != FRAME_WELCOME && header->type != FRAME_ERROR) {
        return refuse_type(header->type, "WELCOME or ERROR first", protocol_error);
    }
    return header->id != 0 ? refuse_id("the answer to HELLO", header->id, 0, protocol_error) : 0;
}

static bool is_expected_type(const struct client_session *session, unsigned type)
{
    return type == FRAME_RESPONSE || type == FRAME_ERROR ||
           (type == FRAME_PROGRESS && session->progress);
}

static int judge_answer_header(const struct client_session *session,
                               const struct frame_header *header,
                               struct protocol_error *protocol_error)
{
    if (!version_equal(header->version, session->agreed)) {
        return refuse_version(header->version, session->agreed, protocol_error);
    }
    if (!is_expected_type(session, header->type)) {
        return refuse_type(header->type,
                           session->progress ? "PROGRESS, RESPONSE or ERROR" : "RESPONSE or ERROR",
                           protocol_error);
    }
    /* An error about the connection has no request's id. */
    if (header->id != session->id && !(header->type == FRAME_ERROR && header->id == 0)) {
        return refuse_id("an answer", header->id, session->id, protocol_error);
    }
    return 0;
}

static int judge_answer(const struct client_session *session, const struct frame_header *header,
                        struct protocol_error *protocol_error)
{
    if (header->length > FRAME_PAYLOAD_MAX) {
        return refuse_large(ERROR_MALFORMED, header->length, FRAME_PAYLOAD_MAX, protocol_error);
    }
    return session->agreed.major == 0 ? judge_greeting_header(header, protocol_error)
                                      : judge_answer_header(session, header, protocol_error);
}

static enum framing tlv_1_guest_frame(struct client_session *session, const uint8_t *bytes,
                                      size_t length, bool eof, size_t *frame_length,
                                      struct protocol_error *protocol_error)
{
    struct frame_header header = {0};
    if (length == 0) {
        return FRAMING_MORE;
    }
    enum framing framing =
        take_header(bytes, length, eof, session->agreed.major == 0, &header, protocol_error);
    if (framing != FRAMING_WHOLE) {
        return framing;
    }
    if (judge_answer(session, &header, protocol_error) < 0) {
        return FRAMING_REFUSED;
    }
    return await_payload(&header, length, eof, frame_length, protocol_error);
}

static int judge_welcome(const struct frame_header *header, const struct welcome *welcome,
                         struct protocol_error *protocol_error)
{
    if (!version_equal(header->version, welcome->version)) {
        return refuse_version(header->version, welcome->version, protocol_error);
    }
    if (!version_was_offered(&wire_versions_spoken, welcome->version)) {
        char ours[VERSIONS_TEXT_MAX];
        versions_format(&wire_versions_spoken, ours);
        return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                  "WELCOME says %u.%u, which was not offered; expected one of %s",
                                  welcome->version.major, welcome->version.minor, ours);
    }
    return 0;
}

static int take_welcome(struct client_session *session, const struct frame_header *header,
                        const uint8_t *payload, struct answer *answer,
                        struct protocol_error *protocol_error)
{
    struct welcome welcome;
    int error = codec_decode_welcome(payload, header->length, &welcome, protocol_error);
    if (error == 0) {
        error = judge_welcome(header, &welcome, protocol_error);
    }
    if (error < 0) {
        return error;
    }
    session->agreed = welcome.version;
    session->request_limit = welcome.has_request_limit ? welcome.request_limit : 0;
    (void)escape_text(welcome.agent, ESCAPE_LINE, session->host, sizeof session->host); /* cut */
    answer->type = ANSWER_RESPONSE;
    return 0;
}

static int tlv_1_guest_decode(struct client_session *session, bool greeting, uint8_t *frame,
                              size_t length, struct answer *answer,
                              struct protocol_error *protocol_error)
{
    const uint8_t *payload = frame + FRAME_HEADER_SIZE;
    struct frame_header header = {0};
    struct answer decoded;
    frame_header_decode(frame, &header);
    header.length = (uint32_t)(length - FRAME_HEADER_SIZE); /* as framing found it */
    if (header.type == FRAME_WELCOME) {
        return take_welcome(session, &header, payload, answer, protocol_error);
    }
    int error = codec_decode_answer(header.type, payload, header.length, &decoded, protocol_error);
    if (error == 0 && !greeting) {
        error = answer_judge_kind(session->command, &decoded, protocol_error);
    }
    if (error == 0) {
        *answer = decoded;
    }
    return error;
}

const struct dialect dialect_tlv_1 = {
    .name = "tlv-1",
    .title = "TLV wire 1.0",
    .has_progress = true,
    .carries = (1U << (COMMAND_LAST + 1)) - (1U << COMMAND_ATTACH_HSM),
    .claims = tlv_1_host_claims,
    .frame = tlv_1_host_frame,
    .decode = tlv_1_host_decode,
    .encode_answer = tlv_1_host_encode_answer,
    .encode_greeting = tlv_1_guest_encode_greeting,
    .encode_request = tlv_1_guest_encode_request,
    .frame_answer = tlv_1_guest_frame,
    .decode_answer = tlv_1_guest_decode,
};
