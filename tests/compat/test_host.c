/* SPDX-License-Identifier: Apache-2.0 */
/* The host's side of a session. */
#include "compat/dialects.h"
#include "support/drive.h"
#include "support/golden.h"
#include "support/message.h"
#include "support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { STREAM_MAX = 1 << 16 };

/* What a guest writes, frame by frame. */
static uint8_t stream[STREAM_MAX];
static size_t stream_length;

static void stream_add(const struct golden_set *set, const char *name)
{
    const struct golden *file = golden_get(set, name);
    REQUIRE_COMPARE(file->length, <=, sizeof stream - stream_length);
    memcpy(stream + stream_length, file->bytes, file->length);
    stream_length += file->length;
}

static struct server_session fresh(void)
{
    struct server_session session;
    server_init(&session, 16384, 3);
    return session;
}

/* Frames and decodes the first frame of a session; returns what it answered or refused. */
static enum decoding first_frame(struct server_session *session, const struct golden *file,
                                 struct protocol_error *protocol_error, struct reply *reply)
{
    uint8_t *frame = exact_copy(file->bytes, file->length);
    size_t length = 0;
    struct request request;
    REQUIRE_EQUAL(server_frame(session, frame, file->length, false, &length, protocol_error),
                  FRAMING_WHOLE);
    CHECK_EQUAL(length, file->length);
    enum decoding decoding = server_decode(session, frame, length, &request, protocol_error, reply);
    free(frame);
    return decoding;
}

UNIT_TEST(test_negotiation, "HELLO of 1.0, 1.7, 2.0 and 1.3: WELCOME 1.0")
{
    static const char *const names[] = {"hello-1.0", "hello-1.7", "hello-2.0-1.3",
                                        "hello-no-agent"};
    struct golden_set set = golden_load("tlv-1");
    const struct golden *welcome = golden_get(&set, "welcome-1.0");
    CHECK_EACH(i, names, "%s", names[i]) {
        struct server_session session = fresh();
        uint8_t bytes[ANSWER_BYTES_MAX];
        struct reply reply = {bytes, sizeof bytes, 0};
        struct protocol_error protocol_error = {0};
        const struct golden *hello = golden_get(&set, names[i]);
        CHECK_EQUAL(first_frame(&session, hello, &protocol_error, &reply), DECODING_REPLY);
        REQUIRE_EQUAL(reply.length, welcome->length);
        CHECK_BYTES(bytes, welcome->bytes, welcome->length);
        CHECK_EQUAL(session.agreed.major, 1);
        CHECK_EQUAL(session.agreed.minor, 0);
        CHECK_STRING(server_dialect_name(&session), "tlv-1");
    }
    golden_free(&set);
}

/* No common major: the refusal, and the ERROR with our list that is made of it. */
UNIT_TEST(test_no_common_major, "HELLO of 2.0 only: our list")
{
    struct golden_set set = golden_load("tlv-1");
    struct server_session session = fresh();
    uint8_t bytes[ANSWER_BYTES_MAX];
    struct reply reply = {bytes, sizeof bytes, 0};
    struct protocol_error protocol_error = {0};
    struct golden_message decoded;
    const struct golden *hello = golden_get(&set, "hello-2.0-only");
    CHECK_EQUAL(first_frame(&session, hello, &protocol_error, &reply), DECODING_REFUSED);
    CHECK_EQUAL(protocol_error.code, ERROR_UNSUPPORTED_VERSION);
    CHECK_TRUE(protocol_error.closes);
    CHECK_CONTAINS(protocol_error.text, "2.0");
    CHECK_CONTAINS(protocol_error.text, "1.0");
    CHECK_EQUAL(reply.length, 0);

    struct answer answer = answer_error(protocol_error.code, protocol_error.text);
    CHECK_EQUAL(server_answer(&session, &answer, &reply), 0);
    CHECK_EQUAL(message_decode(bytes, reply.length, &decoded, &protocol_error), 0);
    CHECK_EQUAL(decoded.version.major, 1); /* the host's highest */
    CHECK_EQUAL(decoded.id, 0);
    CHECK_EQUAL(decoded.answer.code, ERROR_UNSUPPORTED_VERSION);
    REQUIRE_EQUAL(decoded.answer.versions.count, 1);
    CHECK_EQUAL(decoded.answer.versions.pair[0].major, 1);
    CHECK_EQUAL(decoded.answer.versions.pair[0].minor, 0);
    golden_free(&set);
}

UNIT_TEST(test_pipeline, "HELLO and requests in one write")
{
    struct golden_set set = golden_load("tlv-1");
    struct server_session session = fresh();
    struct drive drive;
    stream_length = 0;
    stream_add(&set, "hello-1.0");
    stream_add(&set, "request-get-hostos-version");
    stream_add(&set, "request-notify-utf-8");
    stream_add(&set, "request-upgrade-progress");
    for (size_t chunk = 1; chunk < 40; chunk++) {
        CHECK_ROW("chunk = %zu", chunk);
        session = fresh();
        drive_host(&session, stream, stream_length, chunk, &drive);
        REQUIRE_EQUAL(drive.count, 4);
        CHECK_EQUAL(drive.event[0].kind, DRIVE_REPLY);
        CHECK_EQUAL(drive.event[1].command, COMMAND_GET_HOSTOS_VERSION);
        CHECK_EQUAL(drive.event[2].command, COMMAND_NOTIFY);
        CHECK_EQUAL(drive.event[3].command, COMMAND_UPGRADE);
        CHECK_EQUAL(drive.event[3].id, GOLDEN_ID);
        CHECK_TRUE(drive.asked.progress);
        CHECK_EQUAL(drive.left, 0);
    }
    golden_free(&set);
}

/* A refusal that leaves the stream in step: the next request is served. */
UNIT_TEST(test_goes_on, "a refusal that leaves the connection open")
{
    struct golden_set broken = golden_load("broken");
    struct golden_set set = golden_load("tlv-1");
    static const char *const names[] = {"command-42", "tag-even-unknown", "progress-2", "url-2049"};
    CHECK_EACH(i, names, "%s", names[i]) {
        struct server_session session = fresh();
        struct drive drive;
        stream_length = 0;
        stream_add(&set, "hello-1.0");
        stream_add(&broken, names[i]);
        stream_add(&set, "request-attach-hsm");
        drive_host(&session, stream, stream_length, DRIVE_WHOLE, &drive);
        REQUIRE_EQUAL(drive.count, 3);
        CHECK_EQUAL(drive.event[1].kind, DRIVE_REFUSED);
        CHECK_FALSE(drive.event[1].closes);
        CHECK_EQUAL(drive.event[1].id, GOLDEN_ID);
        CHECK_EQUAL(drive.event[2].kind, DRIVE_REQUEST);
    }
    golden_free(&set);
    golden_free(&broken);
}

static enum framing frame_length_of(uint32_t request_limit, bool agreed, uint32_t length,
                                    struct protocol_error *protocol_error)
{
    struct server_session session = host_agreed();
    struct frame_header header = {.version = {1, 0},
                                  .type = agreed ? FRAME_REQUEST : FRAME_HELLO,
                                  .id = agreed ? 7 : 0,
                                  .length = length};
    uint8_t bytes[FRAME_HEADER_SIZE];
    size_t taken = 0;
    if (!agreed) {
        session = fresh();
    }
    session.request_limit = request_limit;
    frame_header_encode(&header, bytes);
    enum framing framing =
        server_frame(&session, bytes, sizeof bytes, false, &taken, protocol_error);
    CHECK_EQUAL(session.id, header.id);
    return framing;
}

/* A payload over the limit is refused by its header alone; one at the limit is waited for. */
UNIT_TEST(test_payload_limit, "payloads at and over the limit")
{
    struct protocol_error protocol_error = {0};
    CHECK_EQUAL(frame_length_of(16384, true, 16384, &protocol_error), FRAMING_MORE);
    CHECK_EQUAL(frame_length_of(16384, true, 16385, &protocol_error), FRAMING_REFUSED);
    CHECK_EQUAL(protocol_error.code, ERROR_TOO_LARGE);
    CHECK_TRUE(protocol_error.closes);
    CHECK_CONTAINS(protocol_error.text, "16385");
    CHECK_CONTAINS(protocol_error.text, "at most 16384");
    CHECK_EQUAL(frame_length_of(16384, true, UINT32_MAX, &protocol_error), FRAMING_REFUSED);
    CHECK_EQUAL(frame_length_of(UINT32_MAX, true, 65536, &protocol_error), FRAMING_MORE);
    CHECK_EQUAL(frame_length_of(UINT32_MAX, true, 65537, &protocol_error), FRAMING_REFUSED);
    CHECK_EQUAL(frame_length_of(1, true, 2, &protocol_error), FRAMING_REFUSED);
    /* A HELLO fits whatever limit requests have. */
    CHECK_EQUAL(frame_length_of(1, false, 127, &protocol_error), FRAMING_MORE);
    CHECK_EQUAL(frame_length_of(1, false, 128, &protocol_error), FRAMING_REFUSED);
    CHECK_EQUAL(server_input_size(1), 16 + 127);
    CHECK_EQUAL(server_input_size(16384), 16 + 16384);
}

UNIT_TEST(test_end_of_stream, "the end of the stream")
{
    struct golden_set set = golden_load("tlv-1");
    const struct golden *hello = golden_get(&set, "hello-1.0");
    for (size_t length = 0; length <= hello->length; length++) {
        CHECK_ROW("length = %zu", length);
        struct server_session session = fresh();
        struct protocol_error protocol_error = {0};
        uint8_t *bytes = exact_copy(hello->bytes, length);
        size_t taken = 0;
        enum framing expected = length == 0              ? FRAMING_MORE
                                : length < hello->length ? FRAMING_REFUSED
                                                         : FRAMING_WHOLE;
        CHECK_EQUAL(server_frame(&session, bytes, length, true, &taken, &protocol_error), expected);
        CHECK_EQUAL(protocol_error.code,
                    expected == FRAMING_REFUSED ? ERROR_MALFORMED : ERROR_NONE);
        free(bytes);
    }
    golden_free(&set);
}

static const char *dialect_of_first_byte(unsigned byte)
{
    bool json = byte == '{' || byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
    return byte == 'V' ? "tlv-1" : json ? "json-1" : "none";
}

/* Every first byte; what begins nothing is answered in TLV. */
UNIT_TEST(test_sniffing, "the first byte")
{
    for (unsigned byte = 0; byte < 256; byte++) {
        CHECK_ROW("byte = %u", byte);
        struct server_session session = fresh();
        struct protocol_error protocol_error = {0};
        uint8_t first = (uint8_t)byte;
        size_t taken = 0;
        const char *expected = dialect_of_first_byte(byte);
        bool none = strcmp(expected, "none") == 0;
        enum framing framing = server_frame(&session, &first, 1, false, &taken, &protocol_error);
        CHECK_EQUAL(framing, none ? FRAMING_REFUSED : FRAMING_MORE);
        if (none) {
            CHECK_EQUAL(protocol_error.code, ERROR_MALFORMED);
            CHECK_TRUE(protocol_error.closes);
        }
        CHECK_STRING(server_dialect_name(&session), expected);
        CHECK_EQUAL(server_closes_after_answer(&session), byte != 'V');
    }
}

UNIT_TEST(test_last_word, "the last word to a peer that said nothing")
{
    static const uint8_t expected_header[] = {'V', 'S', 'C', 'K', 1, 0, 0, 3, 0, 0, 0, 0};
    struct server_session session = fresh();
    uint8_t bytes[ANSWER_BYTES_MAX];
    struct reply reply = {bytes, sizeof bytes, 0};
    struct answer busy = answer_error(ERROR_BUSY, "too many connections");
    server_sniff(&session, NULL, 0);
    CHECK_STRING(server_dialect_name(&session), "none");
    CHECK_EQUAL(server_answer(&session, &busy, &reply), 0);
    CHECK_BYTES(bytes, expected_header, sizeof expected_header);
    server_sniff(&session, (const uint8_t *)"VS", 2);
    CHECK_STRING(server_dialect_name(&session), "tlv-1");
    CHECK_TRUE(server_has_progress(&session));
    CHECK_FALSE(server_answers_on_accept(&session));
    CHECK_FALSE(server_closes_after_answer(&session));
    session.dialect_known = true;
    server_sniff(&session, (const uint8_t *)"xx", 2);
    CHECK_STRING(server_dialect_name(&session), "tlv-1");
}

/* The id of a frame is forgotten when the next one is looked for. */
UNIT_TEST(test_id_forgotten, "a frame's id is forgotten")
{
    struct golden_set set = golden_load("tlv-1");
    struct server_session session = fresh();
    struct drive drive;
    stream_length = 0;
    stream_add(&set, "hello-1.0");
    stream_add(&set, "request-attach-hsm");
    drive_host(&session, stream, stream_length, DRIVE_WHOLE, &drive);
    CHECK_EQUAL(drive.event[1].id, GOLDEN_ID);
    CHECK_EQUAL(session.id, 0);

    /* Nor is the dialect looked for again. */
    drive_host(&session, (const uint8_t *)"{}", 2, DRIVE_WHOLE, &drive);
    CHECK_EQUAL(drive.event[0].code, ERROR_MALFORMED);
    CHECK_STRING(server_dialect_name(&session), "tlv-1");
    golden_free(&set);
}

UNIT_TEST(test_answers, "answers")
{
    struct server_session session = host_agreed();
    uint8_t bytes[ANSWER_BYTES_MAX];
    struct golden_message decoded;
    struct protocol_error protocol_error;
    session.id = GOLDEN_ID;
    for (size_t i = 0; i < golden_messages_count; i++) {
        CHECK_ROW("%s", golden_messages[i].name);
        const struct golden_message *message = &golden_messages[i];
        struct reply reply = {bytes, sizeof bytes, 0};
        if (message->type != FRAME_RESPONSE && message->type != FRAME_PROGRESS) {
            continue;
        }
        CHECK_EQUAL(server_answer(&session, &message->answer, &reply), 0);
        CHECK_EQUAL(message_decode(bytes, reply.length, &decoded, &protocol_error), 0);
        CHECK_TRUE(message_equal(&decoded, message));
    }
}

/* Any text, cut at a whole character, fits the buffers of a connection. */
UNIT_TEST(test_long_texts, "texts that are too long are cut")
{
    static char text[ANSWER_TEXT_MAX + 3];
    struct server_session session = host_agreed();
    uint8_t bytes[ANSWER_BYTES_MAX];
    struct golden_message decoded;
    struct protocol_error protocol_error;
    memset(text, 'x', ANSWER_TEXT_MAX - 1);
    memcpy(text + ANSWER_TEXT_MAX - 1, "\xe2\x82\xac", sizeof "\xe2\x82\xac");
    for (size_t length = ANSWER_TEXT_MAX - 1; length <= ANSWER_TEXT_MAX + 2; length += 3) {
        CHECK_ROW("length = %zu", length);
        struct text given = {text, length};
        struct reply reply = {bytes, sizeof bytes, 0};
        struct answer error = {.type = ANSWER_ERROR, .code = ERROR_INTERNAL, .message = given};
        CHECK_EQUAL(server_answer(&session, &error, &reply), 0);
        CHECK_EQUAL(message_decode(bytes, reply.length, &decoded, &protocol_error), 0);
        CHECK_EQUAL(decoded.answer.message.length, ANSWER_TEXT_MAX - 1);
    }
    struct text longest = {text, ANSWER_TEXT_MAX + 2};
    struct reply reply = {bytes, sizeof bytes, 0};
    struct answer status = {.kind = PAYLOAD_UPGRADE_STATUS, .status.detail = longest};
    session.id = 1;
    CHECK_EQUAL(server_answer(&session, &status, &reply), 0);
    CHECK_EQUAL(message_decode(bytes, reply.length, &decoded, &protocol_error), 0);
    CHECK_EQUAL(decoded.answer.status.detail.length, ANSWER_TEXT_MAX - 1);
    reply.length = 0;
    struct answer version = {.kind = PAYLOAD_HOSTOS_VERSION, .hostos_version = longest};
    CHECK_EQUAL(server_answer(&session, &version, &reply), 0);
    CHECK_EQUAL(message_decode(bytes, reply.length, &decoded, &protocol_error), 0);
    CHECK_EQUAL(decoded.answer.hostos_version.length, ANSWER_TEXT_MAX - 1);
}

UNIT_TEST(test_refused_answers, "answers that cannot be made")
{
    struct server_session session = host_agreed();
    uint8_t bytes[24];
    struct reply reply = {bytes, sizeof bytes, 3};
    struct answer error = answer_error(ERROR_INTERNAL, "longer than the buffer is");
    CHECK_EQUAL(server_answer(&session, &error, &reply), -ENOBUFS);
    error = answer_error(ERROR_INTERNAL, "\xff");
    CHECK_EQUAL(server_answer(&session, &error, &reply), -EINVAL);
    struct answer response = {.kind = PAYLOAD_NONE};
    CHECK_EQUAL(server_answer(&session, &response, &reply), -EINVAL); /* about no request */
    CHECK_EQUAL(reply.length, 3);
}

/* No room for WELCOME is a fault of the host's own, and is said as one. */
UNIT_TEST(test_no_room, "no room for WELCOME")
{
    struct golden_set set = golden_load("tlv-1");
    struct server_session session = fresh();
    uint8_t bytes[8];
    struct reply reply = {bytes, sizeof bytes, 0};
    struct protocol_error protocol_error = {0};
    const struct golden *hello = golden_get(&set, "hello-1.0");
    CHECK_EQUAL(first_frame(&session, hello, &protocol_error, &reply), DECODING_REFUSED);
    CHECK_EQUAL(protocol_error.code, ERROR_INTERNAL);
    CHECK_TRUE(protocol_error.closes);
    CHECK_EQUAL(reply.length, 0);
    golden_free(&set);
}

UNIT_TEST(test_table, "the table of dialects")
{
    for (size_t i = 0; i < dialects_count; i++) {
        CHECK_ROW("%s", dialects[i]->name);
        CHECK_EQUAL(dialect_find(dialects[i]->name), dialects[i]);
        CHECK_EQUAL(dialects[i]->carries & 1U, 0);
    }
    CHECK_NULL(dialect_find("tlv-9"));
    CHECK_EQUAL(dialect_default, dialect_find("tlv-1"));
    for (unsigned command = 1; command <= COMMAND_LAST; command++) {
        CHECK_ROW("command = %u", command);
        CHECK_EQUAL((dialect_default->carries >> command & 1U), 1);
    }
    CHECK_EQUAL(dialect_default->carries >> (COMMAND_LAST + 1), 0);
}

UNIT_MAIN("compat host")
