/* SPDX-License-Identifier: Apache-2.0 */
/* Both JSON generations at the guest: the bytes of every request, and what is made of answers. */
#include "compat/dialects.h"
#include "compat/json_envelope.h"
#include "support/equal.h"
#include "support/golden.h"
#include "support/golden_text.h"
#include "support/received.h"
#include "support/unit.h"

#include <errno.h>
#include <stdlib.h>

static struct client_session session_of(const char *dialect, enum command command)
{
    return (struct client_session){
        .dialect = dialect_find(dialect), .local_cid = 3, .command = command};
}

static int encode(const char *dialect, const struct request *request, struct reply *out)
{
    struct client_session session = session_of(dialect, COMMAND_NONE);
    int error = session.dialect->encode_request(&session, request, out);
    CHECK_EQUAL(session.command, error == 0 ? request->command : COMMAND_NONE);
    return error;
}

static void check_golden(const char *dialect, const struct request *request, const char *golden)
{
    uint8_t bytes[GUEST_REQUEST_MAX] = "ab";
    struct reply out = {bytes, sizeof bytes, 2};
    CHECK_EQUAL(encode(dialect, request, &out), 0);
    CHECK_TRUE(golden_text_equal(golden, bytes + 2, out.length - 2));
}

UNIT_TEST(test_requests, "requests to the byte")
{
    static const struct {
        const char *dialect;
        enum command command;
        const char *golden;
    } rows[] = {
        {"json-1", COMMAND_ATTACH_HSM, "json-1/request-attach-hsm"},
        {"json-1", COMMAND_DETACH_HSM, "json-1/request-detach-hsm"},
        {"json-1", COMMAND_GET_HOSTOS_VERSION, "json-1/request-get-hostos-version"},
        {"json-1", COMMAND_UPGRADE, "json-1/request-upgrade"},
        {"json-1", COMMAND_NOTIFY, "json-1/request-notify"},
        {"json-1", COMMAND_GET_VSOCK_VERSION, "json-1/request-get-vsock-version"},
        {"json-1", COMMAND_START_UPGRADE_GUEST_VM, "json-1/request-start-upgrade-guest-vm"},
        {"json-0", COMMAND_ATTACH_HSM, "json-0/request-attach-hsm"},
        {"json-0", COMMAND_DETACH_HSM, "json-0/request-detach-hsm"},
        {"json-0", COMMAND_UPGRADE, "json-0/request-upgrade"},
        {"json-0", COMMAND_NOTIFY, "json-0/request-notify"},
    };
    CHECK_EACH(i, rows, "%s", rows[i].dialect) {
        struct request request = received_request(rows[i].command);
        check_golden(rows[i].dialect, &request, rows[i].golden);
    }
    struct request lines = received_request(COMMAND_NOTIFY);
    lines.message = text_of("Say \"done\":\nA\\B");
    lines.count = 1;
    check_golden("json-1", &lines, "json-1/request-notify-lines");
    check_golden("json-0", &lines, "json-0/request-notify-lines");
}

UNIT_TEST(test_requests_that_cannot_be, "requests that cannot be")
{
    static const char *const names[] = {"json-1", "json-0"};
    for (size_t i = 0; i < 2; i++) {
        CHECK_ROW("i = %zu", i);
        const struct dialect *dialect = dialect_find(names[i]);
        uint8_t bytes[GUEST_REQUEST_MAX];
        struct reply out = {bytes, sizeof bytes, 5};
        for (unsigned command = 1; command <= COMMAND_LAST; command++) {
            CHECK_ROW("command = %u", command);
            struct request request = received_request((enum command)command);
            bool carried = (dialect->carries >> command & 1U) != 0;
            out.length = 5;
            CHECK_EQUAL(encode(names[i], &request, &out), carried ? 0 : -EOPNOTSUPP);
            CHECK_EQUAL(out.length > 5, carried);
        }
        struct request wrong = received_request(COMMAND_NOTIFY);
        out.length = 5;
        wrong.message = text_of("\xff");
        CHECK_EQUAL(encode(names[i], &wrong, &out), -EINVAL);
        wrong.message = (struct text){"a\0b", 3};
        CHECK_EQUAL(encode(names[i], &wrong, &out), -EINVAL);
        wrong = received_request(COMMAND_UPGRADE);
        wrong.url = text_of("\xc0\x80");
        CHECK_EQUAL(encode(names[i], &wrong, &out), -EINVAL);
        wrong = received_request(COMMAND_ATTACH_HSM);
        out.size = 20;
        CHECK_EQUAL(encode(names[i], &wrong, &out), -ENOBUFS);
        CHECK_EQUAL(out.length, 5);
    }
}

/* Old hosts read at most 4,096 bytes: a longer request is not sent. */
UNIT_TEST(test_longest_request, "the longest request")
{
    static const struct {
        const char *dialect;
        size_t around; /* bytes of an empty message's request */
    } rows[] = {
        {"json-1", sizeof("{\"sender_cid\":3,\"message\":{\"notify\":{\"count\":1,"
                          "\"message\":\"\"}}}") -
                       1},
        {"json-0", sizeof "{\"sender_cid\":\"3\",\"message\":\"notify[1, ]\"}" - 1},
    };
    static char message[2 * JSON_REQUEST_MAX];
    memset(message, 'm', sizeof message);
    CHECK_EACH(i, rows, "%s", rows[i].dialect) {
        static uint8_t bytes[GUEST_REQUEST_MAX];
        struct reply out = {bytes, sizeof bytes, 0};
        struct request request = received_request(COMMAND_NOTIFY);
        request.count = 1;
        request.message = (struct text){message, JSON_REQUEST_MAX - rows[i].around};
        CHECK_EQUAL(encode(rows[i].dialect, &request, &out), 0);
        CHECK_EQUAL(out.length, JSON_REQUEST_MAX);
        request.message.length++;
        out.length = 0;
        CHECK_EQUAL(encode(rows[i].dialect, &request, &out), -EMSGSIZE);
        CHECK_EQUAL(out.length, 0);
        request.message.length = NOTIFY_MAX + 1;
        CHECK_EQUAL(encode(rows[i].dialect, &request, &out), -EMSGSIZE);
    }
}

struct taken {
    enum framing framing;
    int error;
    struct answer answer;
    struct protocol_error protocol_error;
    uint8_t *frame;
    size_t length;
};

static struct taken take(const char *dialect, enum command command, const char *bytes,
                         size_t length)
{
    struct client_session session = session_of(dialect, command);
    struct taken taken = {.framing = FRAMING_MORE, .error = 1};
    for (size_t given = 0; given <= length && taken.framing == FRAMING_MORE; given++) {
        uint8_t *part = exact_copy(bytes, given);
        taken.framing = session.dialect->frame_answer(&session, part, given, given == length,
                                                      &taken.length, &taken.protocol_error);
        free(part);
    }
    if (taken.framing == FRAMING_WHOLE) {
        taken.frame = exact_copy(bytes, taken.length);
        taken.error = session.dialect->decode_answer(&session, false, taken.frame, taken.length,
                                                     &taken.answer, &taken.protocol_error);
    }
    return taken;
}

UNIT_TEST(test_golden_answers, "golden answers")
{
    static const struct {
        const char *golden;
        const char *dialect;
        enum command command;
        struct answer answer;
    } rows[] = {
        {"json-1/ok-no-payload", "json-1", COMMAND_ATTACH_HSM, {.kind = PAYLOAD_NONE}},
        {"json-1/ok-hostos-version",
         "json-1",
         COMMAND_GET_HOSTOS_VERSION,
         {.kind = PAYLOAD_HOSTOS_VERSION, .hostos_version = {"1.2.3", 5}}},
        {"json-1/ok-hostos-vsock-version",
         "json-1",
         COMMAND_GET_VSOCK_VERSION,
         {.kind = PAYLOAD_HOSTOS_VSOCK_VERSION, .vsock_version = {1, 0, 0}}},
        {"json-1/error-hash-mismatch",
         "json-1",
         COMMAND_UPGRADE,
         {.type = ANSWER_ERROR,
          .code = ERROR_HASH_MISMATCH,
          .message = {"the downloaded image has another SHA-256 than asked for", 55}}},
        {"json-0/accepted", "json-0", COMMAND_UPGRADE, {.kind = PAYLOAD_NONE}},
        {"json-0/invalid",
         "json-0",
         COMMAND_ATTACH_HSM,
         {.type = ANSWER_ERROR,
          .code = ERROR_INVALID_ARGUMENT,
          .message = {"invalid request", 15}}},
    };
    CHECK_EACH(i, rows, "%s", rows[i].golden) {
        struct text golden = golden_text(rows[i].golden);
        struct taken taken = take(rows[i].dialect, rows[i].command, golden.bytes, golden.length);
        CHECK_EQUAL(taken.error, 0);
        CHECK_EQUAL(taken.length, golden.length);
        CHECK_TRUE(answer_equal(&taken.answer, &rows[i].answer));
        golden_text_free(golden);
        free(taken.frame);
    }
}

/* Texts, as hosts of the field may write them. */
UNIT_TEST(test_errors, "errors")
{
    static const struct {
        const char *said;
        enum error_code code;
        const char *message;
    } rows[] = {
        {" { \"Err\" : \"busy: later\" } \n", ERROR_BUSY, "later"},
        {"{\"Err\":\"busy\"}", ERROR_INTERNAL, "busy"},
        {"{\"Err\":\"busy:later\"}", ERROR_INTERNAL, "busy:later"},
        {"{\"Err\":\"ok: well\"}", ERROR_INTERNAL, "ok: well"},
        {"{\"Err\":\"Hash Mismatch: \\u00e4\"}", ERROR_INTERNAL, "Hash Mismatch: \xc3\xa4"},
        {"{\"Err\":\"\"}", ERROR_INTERNAL, ""},
        {"{\"Err\":\"not_ready: \"}", ERROR_NOT_READY, ""},
    };
    CHECK_EACH(i, rows, "%s", rows[i].said) {
        struct taken taken = take("json-1", COMMAND_ATTACH_HSM, rows[i].said, strlen(rows[i].said));
        CHECK_EQUAL(taken.error, 0);
        CHECK_EQUAL(taken.answer.type, ANSWER_ERROR);
        CHECK_EQUAL(taken.answer.code, rows[i].code);
        CHECK_TEXT(taken.answer.message, rows[i].message);
        free(taken.frame);
    }
}

UNIT_TEST(test_nonsense, "nonsense")
{
    static const struct {
        const char *dialect;
        enum command command;
        const char *said;
    } rows[] = {
        {"json-1", COMMAND_ATTACH_HSM, "{"},
        {"json-1", COMMAND_ATTACH_HSM, "   "},
        {"json-1", COMMAND_ATTACH_HSM, "SSH-2.0"},
        {"json-1", COMMAND_ATTACH_HSM, "[]"},
        {"json-1", COMMAND_ATTACH_HSM, "{]"},
        {"json-1", COMMAND_ATTACH_HSM, "{}"},
        {"json-1", COMMAND_ATTACH_HSM, "{\"Ok\":null}"},
        {"json-1", COMMAND_ATTACH_HSM, "{\"Ok\":\"Payload\"}"},
        {"json-1", COMMAND_ATTACH_HSM, "{\"Ok\":\"NoPayload\",\"Err\":\"x\"}"},
        {"json-1", COMMAND_ATTACH_HSM, "{\"Ok\":\"NoPayload\",\"Ok\":\"NoPayload\"}"},
        {"json-1", COMMAND_ATTACH_HSM, "{\"Err\":3}"},
        {"json-1", COMMAND_ATTACH_HSM, "{\"Ok\":{\"HostOSVersion\":\"1\"}}"},
        {"json-1", COMMAND_GET_HOSTOS_VERSION, "{\"Ok\":\"NoPayload\"}"},
        {"json-1", COMMAND_GET_HOSTOS_VERSION, "{\"Ok\":{\"HostOSVersion\":1}}"},
        {"json-1", COMMAND_GET_HOSTOS_VERSION, "{\"Ok\":{\"HostOSVersion\":\"\xff\"}}"},
        {"json-1", COMMAND_GET_VSOCK_VERSION,
         "{\"Ok\":{\"HostOSVsockVersion\":{\"major\":1,\"minor\":0}}}"},
        {"json-1", COMMAND_GET_VSOCK_VERSION,
         "{\"Ok\":{\"HostOSVsockVersion\":{\"major\":\"1\",\"minor\":0,\"patch\":0}}}"},
        {"json-1", COMMAND_GET_VSOCK_VERSION,
         "{\"Ok\":{\"HostOSVsockVersion\":{\"major\":2,\"minor\":0,\"patch\":0}}}"},
        {"json-1", COMMAND_GET_VSOCK_VERSION,
         "{\"Ok\":{\"HostOSVsockVersion\":{\"major\":1,\"minor\":4294967296,\"patch\":0}}}"},
        {"json-1", COMMAND_GET_VSOCK_VERSION,
         "{\"Ok\":{\"HostOSVsockVersion\":{\"major\":1,\"minor\":0,\"patch\":-1}}}"},
        {"json-0", COMMAND_ATTACH_HSM, "{]"},
        {"json-0", COMMAND_ATTACH_HSM, "{\"Ok\":\"NoPayload\"}"},
        {"json-0", COMMAND_ATTACH_HSM,
         "{\"message\": \"accepted request\", \"status\": \"error\"}"},
        {"json-0", COMMAND_ATTACH_HSM, "{\"message\": \"invalid request\", \"status\": \"ok\"}"},
        {"json-0", COMMAND_ATTACH_HSM, "{\"message\": \"accepted request\"}"},
    };
    CHECK_EACH(i, rows, "%s", rows[i].dialect) {
        struct taken taken =
            take(rows[i].dialect, rows[i].command, rows[i].said, strlen(rows[i].said));
        CHECK_TRUE(taken.framing == FRAMING_REFUSED || taken.error == -EBADMSG);
        CHECK_EQUAL(taken.protocol_error.code, ERROR_MALFORMED);
        free(taken.frame);
    }
}

static struct taken take_long(size_t length)
{
    static char bytes[JSON_ANSWER_MAX + 16];
    memset(bytes, 'x', sizeof bytes);
    char *at = stpcpy(bytes, "{\"Err\":\"");
    *at = 'x';
    bytes[length - 2] = '"';
    bytes[length - 1] = '}';
    struct client_session session = session_of("json-1", COMMAND_ATTACH_HSM);
    struct taken taken = {.error = 1};
    taken.framing = session.dialect->frame_answer(&session, (const uint8_t *)bytes, length, false,
                                                  &taken.length, &taken.protocol_error);
    return taken;
}

UNIT_TEST(test_longest_answer, "the longest answer")
{
    CHECK_EQUAL(take_long(JSON_ANSWER_MAX).framing, FRAMING_WHOLE);
    CHECK_EQUAL(take_long(JSON_ANSWER_MAX + 1).framing, FRAMING_REFUSED);
    struct client_session session = session_of("json-1", COMMAND_ATTACH_HSM);
    static uint8_t blanks[JSON_ANSWER_MAX + 1];
    size_t length = 0;
    struct protocol_error protocol_error;
    memset(blanks, ' ', sizeof blanks);
    CHECK_EQUAL(session.dialect->frame_answer(&session, blanks, JSON_ANSWER_MAX, false, &length,
                                              &protocol_error),
                FRAMING_MORE);
    CHECK_EQUAL(session.dialect->frame_answer(&session, blanks, sizeof blanks, false, &length,
                                              &protocol_error),
                FRAMING_REFUSED);
    memset(blanks, '[', sizeof blanks);
    blanks[0] = '{';
    session.scan = (struct framing_scan){0};
    CHECK_EQUAL(
        session.dialect->frame_answer(&session, blanks, 2000, false, &length, &protocol_error),
        FRAMING_REFUSED);
    CHECK_CONTAINS(protocol_error.text, "too deep");
}

/* What follows a whole answer is of no interest. */
UNIT_TEST(test_behind_the_answer, "behind the answer")
{
    static const char said[] = "{\"Ok\":\"NoPayload\"}\n{";
    struct taken taken = take("json-1", COMMAND_ATTACH_HSM, said, strlen(said));
    CHECK_EQUAL(taken.error, 0);
    CHECK_EQUAL(taken.length, strlen(said) - 2);
    free(taken.frame);
}

UNIT_TEST(test_probe, "answers to the search")
{
    static const struct {
        const char *said;
        int error;
        const char *dialect; /* NULL: the error `code` */
        enum error_code code;
    } rows[] = {
        {"{\"Ok\":{\"HostOSVsockVersion\":{\"major\":1,\"minor\":2,\"patch\":3}}}", 0, "json-1", 0},
        {"{\"message\": \"accepted request\", \"status\": \"ok\"}", 0, "json-0", 0},
        {"{\"message\": \"invalid request\", \"status\": \"error\"}", 0, "json-0", 0},
        {"{\"Err\":\"busy: later\"}", 0, NULL, ERROR_BUSY},
        {"{\"Err\":\"what?\"}", 0, NULL, ERROR_INTERNAL},
        {"{\"Ok\":\"NoPayload\"}", -EBADMSG, NULL, ERROR_NONE},
        {"{\"Ok\":{\"HostOSVersion\":\"1\"}}", -EBADMSG, NULL, ERROR_NONE},
        {"{\"Ok\":{\"HostOSVsockVersion\":{\"major\":2,\"minor\":2,\"patch\":3}}}", -EBADMSG, NULL,
         ERROR_NONE},
        {"{}", -EBADMSG, NULL, ERROR_NONE},
        {"{]", -EBADMSG, NULL, ERROR_NONE},
    };
    CHECK_EACH(i, rows, "%s", rows[i].said) {
        uint8_t *frame = exact_copy(rows[i].said, strlen(rows[i].said));
        struct json_probe probe = {.dialect = NULL};
        struct protocol_error protocol_error;
        CHECK_EQUAL(json_read_probe(dialects, frame, strlen(rows[i].said), &probe, &protocol_error),
                    rows[i].error);
        CHECK_EQUAL(probe.dialect, rows[i].dialect != NULL ? dialect_find(rows[i].dialect) : NULL);
        CHECK_EQUAL(probe.error.code, rows[i].code);
        CHECK_EQUAL(probe.version.minor, probe.dialect == dialect_find("json-1") ? 2 : 0);
        free(frame);
    }
}

UNIT_MAIN("compat JSON at the guest")
