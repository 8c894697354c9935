/* SPDX-License-Identifier: Apache-2.0 */
#include "support/message.h"

#include "support/equal.h"
#include "wire/frame.h"

int message_encode(const struct golden_message *message, struct writer *writer)
{
    switch ((int)message->type) {
    case FRAME_HELLO:
        return codec_encode_hello(&message->hello, writer);
    case FRAME_WELCOME:
        return codec_encode_welcome(&message->welcome, writer);
    case FRAME_REQUEST:
        return codec_encode_request(message->version, message->id, &message->request, writer);
    default:
        return codec_encode_answer(message->version, message->id, &message->answer, writer);
    }
}

int message_decode(const uint8_t *frame, size_t length, struct golden_message *ret,
                   struct protocol_error *protocol_error)
{
    const uint8_t *payload = frame + FRAME_HEADER_SIZE;
    struct frame_header header;
    frame_header_decode(frame, &header);
    length -= FRAME_HEADER_SIZE;
    *ret = (struct golden_message){
        .type = (enum frame_type)header.type, .version = header.version, .id = header.id};
    switch (header.type) {
    case FRAME_HELLO:
        return codec_decode_hello(payload, length, &ret->hello, protocol_error);
    case FRAME_WELCOME:
        return codec_decode_welcome(payload, length, &ret->welcome, protocol_error);
    case FRAME_REQUEST:
        return codec_decode_request(payload, length, &ret->request, protocol_error);
    default:
        return codec_decode_answer(header.type, payload, length, &ret->answer, protocol_error);
    }
}

bool message_equal(const struct golden_message *a, const struct golden_message *b)
{
    return a->type == b->type && version_equal(a->version, b->version) && a->id == b->id &&
           hello_equal(&a->hello, &b->hello) && welcome_equal(&a->welcome, &b->welcome) &&
           request_equal(&a->request, &b->request) && answer_equal(&a->answer, &b->answer);
}

static struct answer full_answer(enum answer_type type, unsigned kind)
{
    struct answer answer = {.type = type, .kind = (uint16_t)kind};
    if (type == ANSWER_ERROR) {
        answer.code = ERROR_UNSUPPORTED_VERSION;
        answer.message = text_of("no common major");
        answer.versions = (struct wire_versions){2, {{2, 0}, {1, 3}}};
    } else if (type == ANSWER_PROGRESS || kind == PAYLOAD_UPGRADE_STATUS) {
        answer.status = (struct upgrade_status){.phase = PHASE_FAILED,
                                                .result = ERROR_HASH_MISMATCH,
                                                .done = 7,
                                                .total = 9,
                                                .has_sha256 = true,
                                                .sha256 = {1, 2, 3},
                                                .has_changed = true,
                                                .changed = 1763800000,
                                                .detail = text_of("another image")};
    } else if (kind == PAYLOAD_HOSTOS_VERSION) {
        answer.hostos_version = text_of("1.2.3");
    } else if (kind == PAYLOAD_HOSTOS_VSOCK_VERSION) {
        answer.vsock_version = (struct release_version){1, 2, 3};
    }
    return answer;
}

static struct request full_request(enum command command)
{
    struct request request = {.command = command};
    if (command == COMMAND_UPGRADE) {
        request.url = text_of("https://updates.example/image");
        request.sha256[31] = 0xff;
        request.progress = true;
    } else if (command == COMMAND_NOTIFY) {
        request.message = text_of("gr\xc3\xbc\xc3\x9f");
        request.count = 10;
    }
    return request;
}

bool message_full(size_t index, struct golden_message *ret)
{
    struct golden_message message = {.version = {1, 0}};
    if (index == 0) {
        message.type = FRAME_HELLO;
        message.hello = (struct hello){.versions = {1, {{1, 0}}}, .agent = text_of("guest")};
    } else if (index == 1) {
        message.type = FRAME_WELCOME;
        message.welcome = (struct welcome){
            .version = {1, 0}, .agent = text_of("host"), .has_request_limit = true};
    } else if (index <= 1 + COMMAND_LAST) {
        message.type = FRAME_REQUEST;
        message.request = full_request((enum command)(index - 1));
    } else if (index <= 1 + COMMAND_LAST + 2) {
        bool progress = index == 1 + COMMAND_LAST + 1;
        message.type = progress ? FRAME_PROGRESS : FRAME_ERROR;
        message.answer = full_answer(progress ? ANSWER_PROGRESS : ANSWER_ERROR, 0);
    } else if (index <= 1 + COMMAND_LAST + 3 + PAYLOAD_LAST) {
        message.type = FRAME_RESPONSE;
        message.answer = full_answer(ANSWER_RESPONSE, (unsigned)(index - COMMAND_LAST - 4));
    } else {
        return false;
    }
    message.id = message.type == FRAME_HELLO || message.type == FRAME_WELCOME ? 0 : GOLDEN_ID;
    *ret = message;
    return true;
}
