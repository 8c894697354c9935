/* SPDX-License-Identifier: Apache-2.0 */
/* Every limit of a message, from both sides, at the encoder and at the decoder. */
#include "support/pieces.h"
#include "support/unit.h"

#include <errno.h>

static struct pieces whole;
static char long_text[UINT16_MAX + 2];

static int encode_request(const struct request *request)
{
    static uint8_t room[PIECES_ROOM];
    struct writer writer = {.bytes = room, .size = sizeof room};
    int error = codec_encode_request((struct wire_version){1, 0}, 1, request, &writer);
    CHECK_EQUAL(writer.length > 0, error == 0);
    return error;
}

UNIT_TEST(test_request_limits, "requests: limits of the encoder")
{
    struct request upgrade = {.command = COMMAND_UPGRADE, .url = {long_text, URL_MAX}};
    struct request notify = {.command = COMMAND_NOTIFY, .message = {long_text, NOTIFY_MAX}};
    CHECK_EQUAL(encode_request(&upgrade), 0);
    CHECK_EQUAL(encode_request(&notify), 0);
    upgrade.url.length++;
    notify.message.length++;
    CHECK_EQUAL(encode_request(&upgrade), -EMSGSIZE);
    CHECK_EQUAL(encode_request(&notify), -EMSGSIZE);
    notify.message = text_of("\xff");
    CHECK_EQUAL(encode_request(&notify), -EINVAL);
    notify.message = (struct text){"a\0", 2};
    CHECK_EQUAL(encode_request(&notify), -EINVAL);
    notify.message = (struct text){NULL, 0};
    CHECK_EQUAL(encode_request(&notify), 0);
    CHECK_EQUAL(encode_request(&(struct request){.command = COMMAND_NONE}), -EINVAL);
    CHECK_EQUAL(encode_request(&(struct request){.command = (enum command)9}), -EINVAL);
    uint8_t room[64];
    struct writer writer = {.bytes = room, .size = sizeof room};
    struct request query = {.command = COMMAND_GET_HOSTOS_VERSION};
    CHECK_EQUAL(codec_encode_request((struct wire_version){1, 0}, 0, &query, &writer), -EINVAL);
}

static enum error_code judge_text(size_t index, size_t piece, size_t length)
{
    REQUIRE_TRUE(pieces_take(index, &whole));
    whole.piece[piece].value = (const uint8_t *)long_text;
    whole.piece[piece].length = (uint16_t)length;
    return pieces_code(&whole);
}

UNIT_TEST(test_text_limits, "texts: limits of the decoder")
{
    CHECK_EQUAL(judge_text(1 + COMMAND_UPGRADE, 1, URL_MAX), ERROR_NONE);
    CHECK_EQUAL(judge_text(1 + COMMAND_UPGRADE, 1, URL_MAX + 1), ERROR_INVALID_ARGUMENT);
    CHECK_EQUAL(judge_text(1 + COMMAND_UPGRADE, 1, 0), ERROR_NONE);
    CHECK_EQUAL(judge_text(1 + COMMAND_NOTIFY, 1, NOTIFY_MAX), ERROR_NONE);
    CHECK_EQUAL(judge_text(1 + COMMAND_NOTIFY, 1, NOTIFY_MAX + 1), ERROR_INVALID_ARGUMENT);
    CHECK_EQUAL(judge_text(0, 1, HELLO_AGENT_MAX), ERROR_NONE);
    CHECK_EQUAL(judge_text(0, 1, HELLO_AGENT_MAX + 1), ERROR_MALFORMED);
    CHECK_EQUAL(judge_text(1, 1, UINT16_MAX), ERROR_NONE); /* a WELCOME's agent has no limit */
}

static int encode_hello(const struct hello *hello)
{
    uint8_t room[256];
    struct writer writer = {.bytes = room, .size = sizeof room};
    int error = codec_encode_hello(hello, &writer);
    CHECK_EQUAL(writer.length > 0, error == 0);
    return error;
}

UNIT_TEST(test_hello_limits, "HELLO: limits of the encoder")
{
    struct hello hello = {.versions = {1, {{127, 127}}}, .agent = {long_text, HELLO_AGENT_MAX}};
    CHECK_EQUAL(encode_hello(&hello), 0);
    hello.agent.length++;
    CHECK_EQUAL(encode_hello(&hello), -EMSGSIZE);
    hello.agent = text_of("tab\there");
    CHECK_EQUAL(encode_hello(&hello), -EINVAL);
    hello.agent = (struct text){NULL, 0};
    CHECK_EQUAL(encode_hello(&hello), 0);
    hello.versions.pair[0] = (struct wire_version){1, 128};
    CHECK_EQUAL(encode_hello(&hello), -EINVAL);
    hello.versions.pair[0] = (struct wire_version){128, 0};
    CHECK_EQUAL(encode_hello(&hello), -EINVAL);
    hello.versions.pair[0] = (struct wire_version){0, 9};
    CHECK_EQUAL(encode_hello(&hello), -EINVAL);
    hello.versions = (struct wire_versions){2, {{1, 0}, {1, 1}}};
    CHECK_EQUAL(encode_hello(&hello), -EINVAL);
    hello.versions = (struct wire_versions){2, {{1, 0}, {2, 0}}};
    CHECK_EQUAL(encode_hello(&hello), -EINVAL);
    hello.versions.count = 0;
    CHECK_EQUAL(encode_hello(&hello), -EINVAL);
    hello.versions.count = WIRE_VERSIONS_MAX + 1;
    CHECK_EQUAL(encode_hello(&hello), -EINVAL);
}

static enum error_code judge_versions(size_t index, size_t piece, const void *bytes, size_t length)
{
    REQUIRE_TRUE(pieces_take(index, &whole));
    whole.piece[piece].value = bytes;
    whole.piece[piece].length = (uint16_t)length;
    return pieces_code(&whole);
}

UNIT_TEST(test_version_lists, "version lists")
{
    static const size_t where[][2] = {{0, 0}, {COMMAND_LAST + 3, 2}}; /* HELLO, ERROR */
    uint8_t list[2 * (WIRE_VERSIONS_MAX + 1)] = {0};
    for (size_t i = 0; i <= WIRE_VERSIONS_MAX; i++) {
        list[2 * i] = (uint8_t)(WIRE_VERSIONS_MAX + 1 - i);
    }
    for (size_t i = 0; i < 2; i++) {
        CHECK_ROW("i = %zu", i);
        size_t message = where[i][0];
        size_t piece = where[i][1];
        CHECK_EQUAL(judge_versions(message, piece, list, 2), ERROR_NONE);
        CHECK_EQUAL(judge_versions(message, piece, list, sizeof list - 2), ERROR_NONE);
        CHECK_EQUAL(judge_versions(message, piece, list, sizeof list), ERROR_MALFORMED);
        CHECK_EQUAL(judge_versions(message, piece, list, 0), ERROR_MALFORMED);
        CHECK_EQUAL(judge_versions(message, piece, list, 1), ERROR_MALFORMED);
        CHECK_EQUAL(judge_versions(message, piece, list, 3), ERROR_MALFORMED);
        CHECK_EQUAL(judge_versions(message, piece, "\x02\0\x02\0", 4), ERROR_MALFORMED);
        CHECK_EQUAL(judge_versions(message, piece, "\x01\0\x02\0", 4), ERROR_MALFORMED);
        CHECK_EQUAL(judge_versions(message, piece, "\x01\0\0\0", 4), ERROR_MALFORMED);
        CHECK_EQUAL(judge_versions(message, piece, "\0\x09", 2), ERROR_MALFORMED);
        /* Only a HELLO has to be 7-bit clean. */
        CHECK_EQUAL(judge_versions(message, piece, "\x01\x80", 2),
                    i == 0 ? ERROR_MALFORMED : ERROR_NONE);
    }
}

/* A HELLO's payload: 127 bytes, filled with a field that is skipped. */
UNIT_TEST(test_hello_payload, "HELLO: limits of the payload")
{
    static const uint8_t filling[HELLO_PAYLOAD_MAX];
    REQUIRE_TRUE(pieces_take(0, &whole));
    size_t used = 2 * TLV_HEADER_SIZE + 2 + strlen("guest") + TLV_HEADER_SIZE;
    pieces_insert(&whole, 2, (struct tlv){5, (uint16_t)(HELLO_PAYLOAD_MAX - used), filling});
    CHECK_EQUAL(pieces_code(&whole), ERROR_NONE);
    whole.piece[2].length++;
    CHECK_EQUAL(pieces_code(&whole), ERROR_MALFORMED);
    whole.piece[2] = (struct tlv){5, 1, (const uint8_t *)"\x7f"};
    CHECK_EQUAL(pieces_code(&whole), ERROR_NONE);
    whole.piece[2] = (struct tlv){5, 1, (const uint8_t *)"\x80"};
    CHECK_EQUAL(pieces_code(&whole), ERROR_MALFORMED);
}

static int encode_answer(uint32_t id, const struct answer *answer)
{
    static uint8_t room[2 * PIECES_ROOM];
    struct writer writer = {.bytes = room, .size = sizeof room};
    int error = codec_encode_answer((struct wire_version){1, 0}, id, answer, &writer);
    CHECK_EQUAL(writer.length > 0, error == 0);
    return error;
}

UNIT_TEST(test_answer_limits, "answers: limits of the encoder")
{
    struct answer response = {.kind = PAYLOAD_NONE};
    CHECK_EQUAL(encode_answer(0, &response), -EINVAL);
    CHECK_EQUAL(encode_answer(1, &response), 0);
    response.kind = PAYLOAD_LAST + 1;
    CHECK_EQUAL(encode_answer(1, &response), -EINVAL);
    /* The kind takes 6 bytes of the largest payload, and this field's header 4. */
    response = (struct answer){.kind = PAYLOAD_HOSTOS_VERSION,
                               .hostos_version = {long_text, FRAME_PAYLOAD_MAX - 6 - 4}};
    CHECK_EQUAL(encode_answer(1, &response), 0);
    response.hostos_version.length++;
    CHECK_EQUAL(encode_answer(1, &response), -EMSGSIZE);
    response.hostos_version.length = UINT16_MAX + 1;
    CHECK_EQUAL(encode_answer(1, &response), -EMSGSIZE);
    response.hostos_version = text_of("\x80");
    CHECK_EQUAL(encode_answer(1, &response), -EINVAL);

    struct answer error = answer_error(ERROR_NONE, "none");
    CHECK_EQUAL(encode_answer(0, &error), -EINVAL);
    error.code = 4711;
    CHECK_EQUAL(encode_answer(0, &error), 0);
}

UNIT_TEST(test_values, "values at their limits")
{
    REQUIRE_TRUE(pieces_take(1 + COMMAND_UPGRADE, &whole));
    whole.piece[3].value = (const uint8_t *)"\0";
    CHECK_EQUAL(pieces_code(&whole), ERROR_NONE);
    whole.piece[3].value = (const uint8_t *)"\xff";
    CHECK_EQUAL(pieces_code(&whole), ERROR_INVALID_ARGUMENT);

    REQUIRE_TRUE(pieces_take(COMMAND_LAST + 3, &whole));
    REQUIRE_EQUAL(whole.message.type, FRAME_ERROR);
    whole.piece[0].value = (const uint8_t *)"\xff\xff";
    CHECK_EQUAL(pieces_code(&whole), ERROR_NONE); /* a code that is not known */
    whole.piece[0].value = (const uint8_t *)"\0\0";
    CHECK_EQUAL(pieces_code(&whole), ERROR_MALFORMED);

    REQUIRE_TRUE(pieces_take(COMMAND_LAST + 4 + PAYLOAD_UPGRADE_STATUS, &whole));
    whole.piece[0].value = (const uint8_t *)"\0\x04"; /* kind 4 */
    CHECK_EQUAL(pieces_code(&whole), ERROR_MALFORMED);
}

int main(void)
{
    memset(long_text, 'x', sizeof long_text);
    return unit_main("wire limits");
}
