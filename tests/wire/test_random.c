/* SPDX-License-Identifier: Apache-2.0 */
/* Pseudo-random messages, the same in every run: encoded, decoded, and encoded again. */
#include "support/golden.h"
#include "support/message.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 20000, TEXT_ROOM = 4096 };

/* xorshift64*, from a fixed seed. */
static uint64_t state = 0x9e3779b97f4a7c15;
static char texts[3][TEXT_ROOM];

static uint64_t random_bits(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1d;
}

static uint32_t random_below(uint32_t limit)
{
    return (uint32_t)(random_bits() >> 32) % limit;
}

/* Numbers of every magnitude, and their ends. */
static uint64_t random_number(unsigned bits)
{
    uint64_t all = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
    switch (random_below(4)) {
    case 0:
        return 0;
    case 1:
        return all;
    default:
        return (random_bits() & all) >> random_below(bits);
    }
}

static size_t put_character(char *at)
{
    static const struct text characters[] = {
        {"a", 1},        {"\x7f", 1},         {"\n", 1},           {"/", 1},
        {"\xc2\x80", 2}, {"\xe2\x82\xac", 3}, {"\xef\xbf\xbf", 3}, {"\xf0\x9f\x9a\x80", 4},
    };
    struct text character = characters[random_below(8)];
    memcpy(at, character.bytes, character.length);
    return character.length;
}

static struct text random_text(size_t slot, size_t max)
{
    size_t length = 0;
    size_t wanted = random_below(8) == 0 ? max : random_below((uint32_t)(max < 40 ? max : 40) + 1);
    while (length + 4 <= wanted) {
        length += put_character(texts[slot] + length);
    }
    return (struct text){texts[slot], length};
}

static struct text random_agent(void)
{
    size_t length = random_below(HELLO_AGENT_MAX + 1);
    for (size_t i = 0; i < length; i++) {
        texts[0][i] = (char)(' ' + random_below('~' - ' ' + 1));
    }
    return (struct text){texts[0], length};
}

static struct wire_versions random_versions(unsigned highest)
{
    struct wire_versions versions = {0};
    unsigned major = highest;
    while (versions.count < WIRE_VERSIONS_MAX && major > 0) {
        major -= random_below(major < 9 ? major : 9);
        versions.pair[versions.count++] =
            (struct wire_version){(uint8_t)major, (uint8_t)random_below(128)};
        if (random_below(4) == 0) {
            break;
        }
        major--;
    }
    return versions;
}

static void random_sha256(uint8_t *out)
{
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        out[i] = (uint8_t)random_bits();
    }
}

static struct request random_request(void)
{
    struct request request = {.command = (enum command)(1 + random_below(COMMAND_LAST))};
    if (request.command == COMMAND_UPGRADE) {
        request.url = random_text(0, URL_MAX);
        random_sha256(request.sha256);
        request.progress = random_below(2) == 1;
    } else if (request.command == COMMAND_NOTIFY) {
        request.message = random_text(0, NOTIFY_MAX);
        request.count = (uint32_t)random_number(32);
    }
    return request;
}

static struct upgrade_status random_status(void)
{
    struct upgrade_status status = {
        .phase = (uint16_t)random_number(16),
        .result = (uint16_t)random_number(16),
        .done = random_number(64),
        .total = random_number(64),
        .has_sha256 = random_below(2) == 1,
        .has_changed = random_below(2) == 1,
        .detail = random_text(1, TEXT_ROOM),
    };
    if (status.has_sha256) {
        random_sha256(status.sha256);
    }
    if (status.has_changed) {
        status.changed = random_number(64);
    }
    return status;
}

static struct answer random_answer(enum answer_type type)
{
    struct answer answer = {.type = type};
    if (type == ANSWER_ERROR) {
        answer.code = (uint16_t)(1 + random_below(UINT16_MAX));
        answer.message = random_text(0, TEXT_ROOM);
        answer.versions = random_below(2) == 1 ? random_versions(255) : answer.versions;
        return answer;
    }
    answer.kind = type == ANSWER_PROGRESS ? 0 : (uint16_t)random_below(PAYLOAD_LAST + 1);
    if (type == ANSWER_PROGRESS || answer.kind == PAYLOAD_UPGRADE_STATUS) {
        answer.status = random_status();
    } else if (answer.kind == PAYLOAD_HOSTOS_VERSION) {
        answer.hostos_version = random_text(0, TEXT_ROOM);
    } else if (answer.kind == PAYLOAD_HOSTOS_VSOCK_VERSION) {
        answer.vsock_version = (struct release_version){
            (uint32_t)random_number(32), (uint32_t)random_number(32), (uint32_t)random_number(32)};
    }
    return answer;
}

static struct golden_message random_message(void)
{
    static const enum frame_type types[] = {FRAME_HELLO,   FRAME_WELCOME,  FRAME_ERROR,
                                            FRAME_REQUEST, FRAME_PROGRESS, FRAME_RESPONSE};
    struct golden_message message = {
        .type = types[random_below(6)],
        .version = {(uint8_t)(1 + random_below(255)), (uint8_t)random_bits()},
        .id = 1 + random_below(UINT32_MAX),
    };
    switch ((int)message.type) {
    case FRAME_HELLO:
        message.hello = (struct hello){random_versions(127), random_agent()};
        message.version = message.hello.versions.pair[0];
        message.id = 0;
        break;
    case FRAME_WELCOME:
        message.welcome.version = message.version;
        message.welcome.agent = random_text(0, TEXT_ROOM);
        message.welcome.has_request_limit = random_below(2) == 1;
        if (message.welcome.has_request_limit) {
            message.welcome.request_limit = (uint32_t)random_number(32);
        }
        message.id = 0;
        break;
    case FRAME_REQUEST:
        message.request = random_request();
        break;
    case FRAME_ERROR:
        message.answer = random_answer(ANSWER_ERROR);
        break;
    case FRAME_PROGRESS:
        message.answer = random_answer(ANSWER_PROGRESS);
        break;
    default:
        message.answer = random_answer(ANSWER_RESPONSE);
        break;
    }
    return message;
}

static bool goes_round(const struct golden_message *message)
{
    static uint8_t room[3 * TEXT_ROOM];
    static uint8_t again[3 * TEXT_ROOM];
    struct writer first = {.bytes = room, .size = sizeof room};
    struct writer second = {.bytes = again, .size = sizeof again};
    struct golden_message decoded;
    struct protocol_error protocol_error;
    if (message_encode(message, &first) < 0) {
        return false;
    }
    uint8_t *frame = exact_copy(room, first.length);
    bool same = message_decode(frame, first.length, &decoded, &protocol_error) == 0 &&
                message_equal(message, &decoded) && message_encode(&decoded, &second) == 0 &&
                first.length == second.length && memcmp(room, again, first.length) == 0;
    free(frame);
    return same;
}

UNIT_TEST(test_round_trips, "random messages come back as they were")
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        CHECK_ROW("i = %u", i);
        struct golden_message message = random_message();
        CHECK_ROW("type 0x%04x", (unsigned)message.type);
        REQUIRE_TRUE(goes_round(&message));
    }
}

/* Bytes that are no message: whatever comes of them, it is one of the two results. */
UNIT_TEST(test_noise, "random bytes are refused or decoded")
{
    static const uint16_t types[] = {FRAME_HELLO,   FRAME_WELCOME,  FRAME_ERROR,
                                     FRAME_REQUEST, FRAME_PROGRESS, FRAME_RESPONSE};
    uint8_t bytes[FRAME_HEADER_SIZE + 64];
    unsigned refused = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        CHECK_ROW("i = %u", i);
        size_t length = FRAME_HEADER_SIZE + random_below(64);
        struct golden_message decoded;
        struct protocol_error protocol_error = {0};
        for (size_t j = 0; j < length; j++) {
            bytes[j] = (uint8_t)(random_below(2) == 0 ? random_below(16) : random_bits());
        }
        integer_write(bytes + 6, 2, types[random_below(6)]);
        uint8_t *frame = exact_copy(bytes, length);
        int error = message_decode(frame, length, &decoded, &protocol_error);
        CHECK_TRUE(error == 0 || protocol_error.code != ERROR_NONE);
        refused += error < 0;
        free(frame);
    }
    CHECK_COMPARE(refused, >, ROUNDS / 2);
}

UNIT_MAIN("wire random")
