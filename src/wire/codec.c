/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/codec.h"

#include <errno.h>

/* Writes a header and the payload that follows it. */
static int encode_frame(struct frame_header header, unsigned selector, const void *message,
                        struct writer *writer)
{
    const struct layout *layout = layout_find(header.type, selector);
    if (layout == NULL) {
        return -EINVAL;
    }
    struct writer trial = *writer;
    uint8_t *room = writer_take(&trial, FRAME_HEADER_SIZE);
    int error = layout_encode(layout, message, &trial);
    if (error < 0) {
        return error;
    }
    if (room == NULL || trial.full) {
        return -ENOBUFS;
    }
    header.length = (uint32_t)(trial.length - writer->length - FRAME_HEADER_SIZE);
    if (header.length > FRAME_PAYLOAD_MAX) {
        return -EMSGSIZE;
    }
    frame_header_encode(&header, room);
    *writer = trial;
    return 0;
}

static bool is_seven_bit(const uint8_t *bytes, size_t length)
{
    uint8_t seen = 0;
    for (size_t i = 0; i < length; i++) {
        seen |= bytes[i];
    }
    return (seen & 0x80) == 0;
}

int codec_encode_hello(const struct hello *hello, struct writer *writer)
{
    struct frame_header header = {.version = hello->versions.pair[0], .type = FRAME_HELLO};
    struct writer trial = *writer;
    int error = encode_frame(header, 0, hello, &trial);
    if (error < 0) {
        return error;
    }
    size_t length = trial.length - writer->length;
    if (length > FRAME_HEADER_SIZE + HELLO_PAYLOAD_MAX ||
        !is_seven_bit(writer->bytes + writer->length, length)) {
        return -EINVAL;
    }
    *writer = trial;
    return 0;
}

int codec_encode_welcome(const struct welcome *welcome, struct writer *writer)
{
    struct frame_header header = {.version = welcome->version, .type = FRAME_WELCOME};
    return encode_frame(header, 0, welcome, writer);
}

int codec_encode_request(struct wire_version version, uint32_t id, const struct request *request,
                         struct writer *writer)
{
    struct frame_header header = {.version = version, .type = FRAME_REQUEST, .id = id};
    return id == 0 ? -EINVAL : encode_frame(header, request->command, request, writer);
}

static const uint16_t answer_frames[] = {
    [ANSWER_RESPONSE] = FRAME_RESPONSE,
    [ANSWER_PROGRESS] = FRAME_PROGRESS,
    [ANSWER_ERROR] = FRAME_ERROR,
};

int codec_encode_answer(struct wire_version version, uint32_t id, const struct answer *answer,
                        struct writer *writer)
{
    struct frame_header header = {
        .version = version, .type = answer_frames[answer->type], .id = id};
    bool needs_id = answer->type != ANSWER_ERROR;
    return id == 0 && needs_id ? -EINVAL : encode_frame(header, answer->kind, answer, writer);
}

/* The layout of a payload. A malformed stream is reported before an unknown selector. */
static int find_layout(unsigned frame_type, const uint8_t *payload, size_t length,
                       const struct layout **ret, struct protocol_error *protocol_error)
{
    uint16_t selector = 0;
    if (layout_needs_selector(frame_type)) {
        int error = layout_selector(frame_type, payload, length, &selector, protocol_error);
        if (error < 0) {
            return error;
        }
    }
    const struct layout *layout = layout_find(frame_type, selector);
    if (layout != NULL) {
        *ret = layout;
        return 0;
    }
    int error = layout_check_stream(payload, length, protocol_error);
    if (error < 0) {
        return error;
    }
    if (frame_type == FRAME_REQUEST) {
        return protocol_error_set(protocol_error, ERROR_UNKNOWN_COMMAND,
                                  "command %u is not known; expected 1 to %d", selector,
                                  COMMAND_LAST);
    }
    return protocol_error_set(protocol_error, ERROR_MALFORMED,
                              "payload kind %u is not known; expected 0 to %d", selector,
                              PAYLOAD_LAST);
}

static int decode_payload(unsigned frame_type, const uint8_t *payload, size_t length, void *message,
                          struct protocol_error *protocol_error)
{
    const struct layout *layout = NULL;
    int error = find_layout(frame_type, payload, length, &layout, protocol_error);
    return error < 0 ? error : layout_decode(layout, payload, length, message, protocol_error);
}

int codec_decode_hello(const uint8_t *payload, size_t length, struct hello *ret,
                       struct protocol_error *protocol_error)
{
    struct hello hello = {0};
    if (length > HELLO_PAYLOAD_MAX) {
        return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                  "HELLO has a payload of %zu bytes; expected at most %d", length,
                                  HELLO_PAYLOAD_MAX);
    }
    if (!is_seven_bit(payload, length)) {
        return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                  "HELLO has a byte above 0x7f; expected 7-bit clean bytes");
    }
    int error = decode_payload(FRAME_HELLO, payload, length, &hello, protocol_error);
    if (error == 0) {
        *ret = hello;
    }
    return error;
}

int codec_decode_welcome(const uint8_t *payload, size_t length, struct welcome *ret,
                         struct protocol_error *protocol_error)
{
    struct welcome welcome = {0};
    int error = decode_payload(FRAME_WELCOME, payload, length, &welcome, protocol_error);
    if (error == 0) {
        *ret = welcome;
    }
    return error;
}

int codec_decode_request(const uint8_t *payload, size_t length, struct request *ret,
                         struct protocol_error *protocol_error)
{
    struct request request = {0};
    int error = decode_payload(FRAME_REQUEST, payload, length, &request, protocol_error);
    if (error == 0) {
        *ret = request;
    }
    return error;
}

int codec_decode_answer(unsigned frame_type, const uint8_t *payload, size_t length,
                        struct answer *ret, struct protocol_error *protocol_error)
{
    struct answer answer = {.type = frame_type == FRAME_ERROR      ? ANSWER_ERROR
                                    : frame_type == FRAME_PROGRESS ? ANSWER_PROGRESS
                                                                   : ANSWER_RESPONSE};
    int error = decode_payload(frame_type, payload, length, &answer, protocol_error);
    if (error == 0) {
        *ret = answer;
    }
    return error;
}
