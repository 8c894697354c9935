/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/codec.h"

#include <errno.h>

/* Writes a header and the payload behind it. */
static int encode_frame(struct frame_header header, const struct layout *layout,
                        const void *message, struct writer *writer)
{
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
    int error = encode_frame(header, layout_find(FRAME_HELLO, 0), hello, &trial);
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
    return encode_frame(header, layout_find(FRAME_WELCOME, 0), welcome, writer);
}

int codec_encode_request(struct wire_version version, uint32_t id, const struct request *request,
                         struct writer *writer)
{
    struct frame_header header = {.version = version, .type = FRAME_REQUEST, .id = id};
    const struct layout *layout = layout_find(FRAME_REQUEST, request->command);
    if (layout == NULL || id == 0) {
        return -EINVAL;
    }
    return encode_frame(header, layout, request, writer);
}

static uint16_t answer_frame_type(enum answer_type type)
{
    static const uint16_t types[] = {
        [ANSWER_RESPONSE] = FRAME_RESPONSE,
        [ANSWER_PROGRESS] = FRAME_PROGRESS,
        [ANSWER_ERROR] = FRAME_ERROR,
    };
    return types[type];
}

int codec_encode_answer(struct wire_version version, uint32_t id, const struct answer *answer,
                        struct writer *writer)
{
    struct frame_header header = {
        .version = version, .type = answer_frame_type(answer->type), .id = id};
    const struct layout *layout = layout_find(header.type, answer->kind);
    if (layout == NULL || (id == 0 && answer->type != ANSWER_ERROR)) {
        return -EINVAL;
    }
    return encode_frame(header, layout, answer, writer);
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
    int error = layout_decode(layout_find(FRAME_HELLO, 0), payload, length, &hello, protocol_error);
    if (error == 0) {
        *ret = hello;
    }
    return error;
}

int codec_decode_welcome(const uint8_t *payload, size_t length, struct welcome *ret,
                         struct protocol_error *protocol_error)
{
    struct welcome welcome = {0};
    int error =
        layout_decode(layout_find(FRAME_WELCOME, 0), payload, length, &welcome, protocol_error);
    if (error == 0) {
        *ret = welcome;
    }
    return error;
}

/* The layout that field 2 selects. Where it is unknown, a broken stream comes first. */
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

int codec_decode_request(const uint8_t *payload, size_t length, struct request *ret,
                         struct protocol_error *protocol_error)
{
    struct request request = {0};
    const struct layout *layout = NULL;
    int error = find_layout(FRAME_REQUEST, payload, length, &layout, protocol_error);
    if (error == 0) {
        error = layout_decode(layout, payload, length, &request, protocol_error);
    }
    if (error == 0) {
        *ret = request;
    }
    return error;
}

static enum answer_type answer_type_of(unsigned frame_type)
{
    if (frame_type == FRAME_ERROR) {
        return ANSWER_ERROR;
    }
    return frame_type == FRAME_PROGRESS ? ANSWER_PROGRESS : ANSWER_RESPONSE;
}

int codec_decode_answer(unsigned frame_type, const uint8_t *payload, size_t length,
                        struct answer *ret, struct protocol_error *protocol_error)
{
    struct answer answer = {.type = answer_type_of(frame_type)};
    const struct layout *layout = NULL;
    int error = find_layout(frame_type, payload, length, &layout, protocol_error);
    if (error == 0) {
        error = layout_decode(layout, payload, length, &answer, protocol_error);
    }
    if (error == 0) {
        *ret = answer;
    }
    return error;
}
