/* SPDX-License-Identifier: Apache-2.0 */
/* TLV wire 0.9 at both ends. */
#include "compat/tlv_0.h"
#include "support/equal.h"
#include "support/golden.h"
#include "support/received.h"
#include "support/unit.h"

#include <errno.h>
#include <stdlib.h>

#define HEADER(length) "VSCK\x00\x09\x01\x00" length

static const struct {
    const char *golden;
    enum command command;
} requests[] = {
    {"request-attach-hsm", COMMAND_ATTACH_HSM},
    {"request-detach-hsm", COMMAND_DETACH_HSM},
    {"request-get-hostos-version", COMMAND_GET_HOSTOS_VERSION},
    {"request-upgrade", COMMAND_UPGRADE},
    {"request-notify", COMMAND_NOTIFY},
};
enum { REQUESTS = COUNT(requests) };

UNIT_TEST(test_requests, "requests to the byte, however split")
{
    struct golden_set set = golden_load("tlv-0");
    for (size_t i = 0; i < REQUESTS; i++) {
        CHECK_ROW("i = %zu", i);
        const struct golden *golden = golden_get(&set, requests[i].golden);
        struct request expected = received_request(requests[i].command);
        for (size_t chunk = 1; chunk <= golden->length; chunk++) {
            CHECK_ROW("chunk = %zu", chunk);
            struct received received;
            received_split(golden->bytes, golden->length, chunk, &received);
            CHECK_STRING(received.dialect, "tlv-0");
            CHECK_TRUE(request_equal(&received.request, &expected));
            CHECK_TRUE(received.closes);
            received_free(&received);
        }
        uint8_t bytes[256] = "ab";
        struct reply out = {bytes, sizeof bytes, 2};
        struct client_session session = {.dialect = &dialect_tlv_0};
        CHECK_EQUAL(dialect_tlv_0.encode_request(&session, &expected, &out), 0);
        CHECK_EQUAL(session.command, requests[i].command);
        REQUIRE_EQUAL(out.length - 2, golden->length);
        CHECK_BYTES(bytes + 2, golden->bytes, golden->length);
    }
    golden_free(&set);
}

struct sample {
    const char *bytes;
    size_t length;
    enum error_code code;
};
#define SAMPLE(bytes, code)            \
    {                                  \
        bytes, sizeof(bytes) - 1, code \
    }
#define NOTIFY_MESSAGE "\x04\x00\x01m"
#define NOTIFY_COUNT   "\x05\x00\x04\x00\x00\x00\x01"

static const struct sample samples[] = {
    SAMPLE(HEADER("\x00\x04") "\x01\x00\x01\x01", ERROR_NONE),
    SAMPLE(HEADER("\x00\x04") "\x01\x00\x01\x01ignored", ERROR_NONE),
    SAMPLE(HEADER("\x00\x0f") "\x01\x00\x01\x05" NOTIFY_MESSAGE NOTIFY_COUNT, ERROR_NONE),
    SAMPLE("VSCK\x00\x08", ERROR_UNSUPPORTED_VERSION),
    SAMPLE("VSCK\x00\x00", ERROR_UNSUPPORTED_VERSION),
    SAMPLE("VSCK\x00\x0a\x01\x00\x00\x04\x01\x00\x01\x01", ERROR_UNSUPPORTED_VERSION),
    SAMPLE("VSCK\x00", ERROR_MALFORMED), /* cut */
    SAMPLE("VSCK\x00\x09\x01\x00\x00", ERROR_MALFORMED),
    SAMPLE(HEADER("\x00\x04") "\x01\x00\x01", ERROR_MALFORMED),
    SAMPLE("VSCK\x00\x09\x00\x00\x00\x04\x01\x00\x01\x01", ERROR_MALFORMED), /* type */
    SAMPLE("VSCK\x00\x09\x02\x00\x00\x00", ERROR_MALFORMED),
    SAMPLE("VSCK\x00\x09\x01\x01\x00\x04\x01\x00\x01\x01", ERROR_MALFORMED), /* reserved */
    SAMPLE(HEADER("\x40\x01"), ERROR_TOO_LARGE),
    SAMPLE(HEADER("\x00\x00"), ERROR_MALFORMED), /* no command */
    SAMPLE(HEADER("\x00\x04") "\x02\x00\x01u", ERROR_MALFORMED),
    SAMPLE(HEADER("\x00\x05") "\x01\x00\x02\x00\x01", ERROR_MALFORMED),
    SAMPLE(HEADER("\x00\x04") "\x01\x00\x01\x00", ERROR_UNKNOWN_COMMAND),
    SAMPLE(HEADER("\x00\x04") "\x01\x00\x01\x06", ERROR_UNKNOWN_COMMAND),
    SAMPLE(HEADER("\x00\x04") "\x01\x00\x01\xff", ERROR_UNKNOWN_COMMAND),
    SAMPLE(HEADER("\x00\x02") "\x01\x00", ERROR_MALFORMED), /* left over */
    SAMPLE(HEADER("\x00\x05") "\x01\x00\x01\x01\x02", ERROR_MALFORMED),
    SAMPLE(HEADER("\x00\x08") "\x01\x00\x01\x05\x04\x00\x02m", ERROR_MALFORMED), /* past the end */
    SAMPLE(HEADER("\x00\x08") "\x01\x00\x01\x01\x01\x00\x01\x01", ERROR_MALFORMED), /* repeated */
    SAMPLE(HEADER("\x00\x0f") "\x01\x00\x01\x05" NOTIFY_COUNT NOTIFY_MESSAGE, ERROR_MALFORMED),
    SAMPLE(HEADER("\x00\x08") "\x01\x00\x01\x01\x06\x00\x01m", ERROR_UNSUPPORTED_FIELD),
    SAMPLE(HEADER("\x00\x08") "\x01\x00\x01\x01\x04\x00\x01m", ERROR_UNSUPPORTED_FIELD),
    SAMPLE(HEADER("\x00\x08") "\x01\x00\x01\x05\xff\x00\x01m", ERROR_UNSUPPORTED_FIELD),
    SAMPLE(HEADER("\x00\x08") "\x01\x00\x01\x05" NOTIFY_MESSAGE, ERROR_MALFORMED), /* missing */
    SAMPLE(HEADER("\x00\x0b") "\x01\x00\x01\x05" NOTIFY_COUNT, ERROR_MALFORMED),
    SAMPLE(HEADER("\x00\x08") "\x01\x00\x01\x04\x02\x00\x01u", ERROR_MALFORMED),
    SAMPLE(HEADER("\x00\x0f") "\x01\x00\x01\x05\x04\x00\x01\xff" NOTIFY_COUNT, ERROR_MALFORMED),
    SAMPLE(HEADER("\x00\x0c") "\x01\x00\x01\x05" NOTIFY_MESSAGE "\x05\x00\x01\x01",
           ERROR_MALFORMED), /* width */
};

UNIT_TEST(test_refused, "what is refused")
{
    CHECK_EACH(i, samples, "%s", samples[i].bytes) {
        struct received received;
        received_whole(samples[i].bytes, samples[i].length, &received);
        CHECK_STRING(received.dialect, "tlv-0");
        CHECK_EQUAL(received.protocol_error.code, samples[i].code);
        CHECK_EQUAL(received.request.command == COMMAND_NONE, samples[i].code != ERROR_NONE);
        received_free(&received);
    }
}

/* A magic that is another, and other majors, are wire 1.x. */
UNIT_TEST(test_not_ours, "what is another wire")
{
    struct received received;
    received_whole("VSCX\x00\x09", 6, &received);
    CHECK_STRING(received.dialect, "tlv-1");
    received_whole("VSCK\x01\x09", 6, &received);
    CHECK_STRING(received.dialect, "tlv-1");
    received_whole("VSCK", 4, &received);
    CHECK_STRING(received.dialect, "tlv-1");
}

static void put_field(struct writer *writer, uint8_t tag, const void *value, size_t length)
{
    writer_put_integer(writer, 1, tag);
    writer_put_integer(writer, 2, length);
    writer_put(writer, value, length);
}

static enum error_code code_of(uint8_t command, uint8_t tag, size_t length)
{
    static uint8_t bytes[3 * NOTIFY_MAX];
    struct received received;
    struct writer writer = {.bytes = bytes, .size = sizeof bytes};
    static char text[NOTIFY_MAX + 2];
    memset(text, 't', sizeof text);
    writer_put(&writer, HEADER("\0\0"), TLV_0_HEADER_SIZE);
    put_field(&writer, TLV_0_TAG_COMMAND, &command, 1);
    put_field(&writer, tag, text, length);
    put_field(&writer, tag + 1, text, command == COMMAND_UPGRADE ? SHA256_SIZE : 4);
    CHECK_FALSE(writer.full);
    integer_write(bytes + 8, sizeof(uint16_t), writer.length - TLV_0_HEADER_SIZE);
    received_whole(bytes, writer.length, &received);
    received_free(&received);
    return received.protocol_error.code;
}

UNIT_TEST(test_limits, "limits")
{
    CHECK_EQUAL(code_of(COMMAND_UPGRADE, 2, URL_MAX), ERROR_NONE);
    CHECK_EQUAL(code_of(COMMAND_UPGRADE, 2, URL_MAX + 1), ERROR_INVALID_ARGUMENT);
    CHECK_EQUAL(code_of(COMMAND_NOTIFY, 4, NOTIFY_MAX), ERROR_NONE);
    CHECK_EQUAL(code_of(COMMAND_NOTIFY, 4, NOTIFY_MAX + 1), ERROR_INVALID_ARGUMENT);
}

static void check_answer(const struct golden_set *set, const struct answer *answer,
                         const char *name)
{
    const struct golden *golden = golden_get(set, name);
    struct server_session session = {.dialect = &dialect_tlv_0};
    uint8_t bytes[ANSWER_BYTES_MAX] = "ab";
    struct reply reply = {bytes, sizeof bytes, 2};
    CHECK_EQUAL(server_answer(&session, answer, &reply), 0);
    REQUIRE_EQUAL(reply.length - 2, golden->length);
    CHECK_BYTES(bytes + 2, golden->bytes, golden->length);
}

UNIT_TEST(test_answers, "answers to the byte")
{
    struct golden_set set = golden_load("tlv-0");
    struct answer none = {.type = ANSWER_RESPONSE};
    struct answer version = {.kind = PAYLOAD_HOSTOS_VERSION, .hostos_version = text_of("1.2.3")};
    struct answer other = answer_error(ERROR_UNSUPPORTED_VERSION, "0.8");
    struct answer error = answer_error(ERROR_HASH_MISMATCH,
                                       "the downloaded image has another SHA-256 than asked for");
    check_answer(&set, &none, "ok");
    check_answer(&set, &version, "ok-version");
    check_answer(&set, &other, "error-unsupported-version");
    check_answer(&set, &error, "error-hash-mismatch");
    golden_free(&set);
}

UNIT_TEST(test_what_cannot_be_said, "what cannot be said")
{
    struct server_session session = {.dialect = &dialect_tlv_0};
    uint8_t bytes[ANSWER_BYTES_MAX];
    struct reply reply = {bytes, 12, 3};
    struct answer progress = {.type = ANSWER_PROGRESS};
    struct answer none = {.type = ANSWER_RESPONSE};
    struct answer wrong = answer_error(ERROR_INTERNAL, "\xff");
    CHECK_EQUAL(server_answer(&session, &progress, &reply), 0);
    CHECK_EQUAL(server_answer(&session, &none, &reply), -ENOBUFS);
    reply.size = sizeof bytes;
    CHECK_EQUAL(server_answer(&session, &wrong, &reply), -EINVAL);
    CHECK_EQUAL(reply.length, 3);

    struct client_session guest = {.dialect = &dialect_tlv_0};
    static char text[NOTIFY_MAX + 1];
    memset(text, 't', sizeof text);
    for (unsigned command = COMMAND_NOTIFY + 1; command <= COMMAND_LAST; command++) {
        CHECK_ROW("command = %u", command);
        struct request request = {.command = (enum command)command};
        CHECK_EQUAL(dialect_tlv_0.encode_request(&guest, &request, &reply), -EOPNOTSUPP);
    }
    struct request request = {.command = COMMAND_NOTIFY, .message = {text, sizeof text}};
    CHECK_EQUAL(dialect_tlv_0.encode_request(&guest, &request, &reply), -EMSGSIZE);
    request.message = text_of("\xff");
    CHECK_EQUAL(dialect_tlv_0.encode_request(&guest, &request, &reply), -EINVAL);
    request = (struct request){.command = COMMAND_ATTACH_HSM};
    reply.size = 16;
    CHECK_EQUAL(dialect_tlv_0.encode_request(&guest, &request, &reply), -ENOBUFS);
    CHECK_EQUAL(reply.length, 3);
    CHECK_EQUAL(guest.command, COMMAND_NONE);
}

struct taken {
    enum framing framing;
    int error;
    struct answer answer;
    struct protocol_error protocol_error;
    uint8_t *frame;
};

static struct taken take(enum command command, const void *bytes, size_t length)
{
    struct client_session session = {.dialect = &dialect_tlv_0, .command = command};
    struct taken taken = {.framing = FRAMING_MORE, .error = 1};
    size_t whole = 0;
    for (size_t given = 1; given <= length && taken.framing == FRAMING_MORE; given++) {
        uint8_t *part = exact_copy(bytes, given);
        taken.framing = dialect_tlv_0.frame_answer(&session, part, given, given == length, &whole,
                                                   &taken.protocol_error);
        free(part);
    }
    if (taken.framing == FRAMING_WHOLE) {
        taken.frame = exact_copy(bytes, whole);
        taken.error = dialect_tlv_0.decode_answer(&session, false, taken.frame, whole,
                                                  &taken.answer, &taken.protocol_error);
    }
    return taken;
}

UNIT_TEST(test_golden_answers, "golden answers")
{
    static const struct {
        const char *golden;
        enum command command;
        struct answer answer;
    } rows[] = {
        {"ok", COMMAND_NOTIFY, {.kind = PAYLOAD_NONE}},
        {"ok-version",
         COMMAND_GET_HOSTOS_VERSION,
         {.kind = PAYLOAD_HOSTOS_VERSION, .hostos_version = {"1.2.3", 5}}},
        {"error-unsupported-version",
         COMMAND_NOTIFY,
         {.type = ANSWER_ERROR,
          .code = ERROR_UNSUPPORTED_VERSION,
          .message = {"unsupported version", 19}}},
        {"error-hash-mismatch",
         COMMAND_UPGRADE,
         {.type = ANSWER_ERROR,
          .code = ERROR_HASH_MISMATCH,
          .message = {"the downloaded image has another SHA-256 than asked for", 55}}},
    };
    struct golden_set set = golden_load("tlv-0");
    CHECK_EACH(i, rows, "%s", rows[i].golden) {
        const struct golden *golden = golden_get(&set, rows[i].golden);
        struct taken taken = take(rows[i].command, golden->bytes, golden->length);
        CHECK_EQUAL(taken.error, 0);
        CHECK_TRUE(answer_equal(&taken.answer, &rows[i].answer));
        free(taken.frame);
    }
    golden_free(&set);
}

UNIT_TEST(test_nonsense, "nonsense")
{
    static const struct sample wrong[] = {
        SAMPLE("x", ERROR_MALFORMED),
        SAMPLE("VSCK\x01", ERROR_MALFORMED),
        SAMPLE("VSCK", ERROR_MALFORMED),
        SAMPLE("VSCK\x00\x08", ERROR_UNSUPPORTED_VERSION),
        SAMPLE("VSCK\x00\x09\x02\x00\x00", ERROR_MALFORMED),
        SAMPLE("VSCK\x00\x09\x01\x00\x00\x00", ERROR_MALFORMED),
        SAMPLE("VSCK\x00\x09\x04\x00\x00\x00", ERROR_MALFORMED),
        SAMPLE("VSCK\x00\x09\x02\x00\x00\x04\x02\x00\x01x", ERROR_MALFORMED),
        SAMPLE("VSCK\x00\x09\x02\x00\x00\x04\x01\x00\x01x", ERROR_MALFORMED), /* to notify */
        SAMPLE("VSCK\x00\x09\x03\x00\x00\x04\x01\x00\x01\xff", ERROR_MALFORMED),
        SAMPLE("VSCK\x00\x09\x03\x00\x00\x02\x01\x00", ERROR_MALFORMED),
    };
    CHECK_EACH(i, wrong, "%s", wrong[i].bytes) {
        struct taken taken = take(COMMAND_NOTIFY, wrong[i].bytes, wrong[i].length);
        CHECK_TRUE(taken.framing == FRAMING_REFUSED || taken.error == -EBADMSG);
        CHECK_EQUAL(taken.protocol_error.code, wrong[i].code);
        free(taken.frame);
    }
    struct taken version = take(COMMAND_GET_HOSTOS_VERSION, "VSCK\x00\x09\x02\x00\x00\x00", 10);
    CHECK_EQUAL(version.error, -EBADMSG);
    free(version.frame);
}

UNIT_MAIN("compat TLV wire 0.9")
