/* SPDX-License-Identifier: Apache-2.0 */
/* Both JSON generations at the host: what is taken, what is refused and in which generation, and
 * the bytes of every answer. */
#include "support/equal.h"
#include "support/golden_text.h"
#include "support/received.h"
#include "support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define HASH       "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HASH_UPPER "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"
#define URL        "https://updates.example/hostos.tar.zst"

/* A request of each generation around a message. */
#define NEW(message)       "{\"sender_cid\":3,\"message\":" message "}"
#define OLD(message)       "{\"sender_cid\":\"3\",\"message\":\"" message "\"}"
#define UPGRADE(arguments) NEW("{\"upgrade\":" arguments "}")
#define NOTIFY(arguments)  NEW("{\"notify\":" arguments "}")

struct sample {
    const char *request;
    const char *dialect;
    enum command command;
    enum error_code code; /* of COMMAND_NONE */
};

#define TAKEN_1(command, request)                        \
    {                                                    \
        request, "json-1", COMMAND_##command, ERROR_NONE \
    }
#define TAKEN_0(command, request)                        \
    {                                                    \
        request, "json-0", COMMAND_##command, ERROR_NONE \
    }
#define REFUSED_1(code, request)                      \
    {                                                 \
        request, "json-1", COMMAND_NONE, ERROR_##code \
    }
#define REFUSED_0(code, request)                      \
    {                                                 \
        request, "json-0", COMMAND_NONE, ERROR_##code \
    }

static const struct sample taken[] = {
    TAKEN_1(ATTACH_HSM, NEW("\"attach-hsm\"")),
    TAKEN_1(DETACH_HSM, NEW("\"detach-hsm\"")),
    TAKEN_1(GET_VSOCK_VERSION, NEW("\"GetVsockProtocol\"")),
    TAKEN_1(GET_HOSTOS_VERSION, NEW("\"GetHostOSVersion\"")),
    TAKEN_1(START_UPGRADE_GUEST_VM, NEW("\"start-upgrade-guest-vm\"")),
    TAKEN_1(ATTACH_HSM, NEW("{\"attach-hsm\":null}")),
    TAKEN_1(GET_VSOCK_VERSION, NEW("{\"GetVsockProtocol\":null}")),
    TAKEN_1(ATTACH_HSM, "{\"message\":\"attach-hsm\",\"sender_cid\":3}"),
    TAKEN_1(ATTACH_HSM, " \r\n\t{ \"sender_cid\" : 3 , \"message\" : \"attach-hsm\" } \n"),
    TAKEN_1(ATTACH_HSM,
            "{\"x\":[1.5,{\"y\":\"\xc3\xa4\"}],\"sender_cid\":3,\"message\":\"attach-hsm\"}"),
    TAKEN_1(ATTACH_HSM, NEW("\"\\u0061ttach\\u002dhsm\"")),
    TAKEN_1(ATTACH_HSM, "{\"sender\\u005fcid\":3,\"message\":\"attach-hsm\"}"),
    TAKEN_0(ATTACH_HSM, "{\"sender\\u005fcid\":\"3\",\"message\":\"attach-hsm\"}"),
    TAKEN_1(UPGRADE, UPGRADE("{\"target-hash\":\"" HASH_UPPER "\",\"x\":1,\"url\":\"u\"}")),
    TAKEN_1(NOTIFY, NOTIFY("{\"message\":\"\",\"count\":0}")),
    TAKEN_1(NOTIFY, NOTIFY("{\"count\":4294967295,\"message\":\"m\"}")),
    TAKEN_0(ATTACH_HSM, OLD("attach-hsm")),
    TAKEN_0(DETACH_HSM, OLD("detach-hsm")),
    TAKEN_0(UPGRADE, OLD("upgrade[u " HASH_UPPER "]")),
    TAKEN_0(UPGRADE, OLD("upgrade \\t\\n[u " HASH "]")),
    TAKEN_0(NOTIFY, OLD("notify[0,]")),
    TAKEN_0(NOTIFY, OLD("notify[4294967295, m]")),
};

static const struct sample refused[] = {
    /* no JSON: always the newer generation */
    REFUSED_1(MALFORMED, "{}x"),
    REFUSED_1(MALFORMED, "  [1]"),
    REFUSED_1(MALFORMED, "{\"sender_cid\":3,\"message\":\"attach-hsm\""),
    REFUSED_1(MALFORMED, "{\"sender_cid\":\"3\",\"message\":\"attach-hsm\""),
    REFUSED_1(MALFORMED, "{\"sender_cid\":03,\"message\":\"attach-hsm\"}"),
    REFUSED_1(MALFORMED, "{\"sender_cid\":3,\"sender_cid\":3,\"message\":\"attach-hsm\"}"),
    REFUSED_1(MALFORMED, "{\"sender_cid\":\"3\",\"a\":1,\"a\":1,\"message\":\"attach-hsm\"}"),
    REFUSED_1(MALFORMED, NEW("\"\\ud800\"")),
    REFUSED_1(MALFORMED, NEW("\"\\udc00\\ud800\"")),
    REFUSED_1(MALFORMED, OLD("notify[1, \\u0000]")),
    REFUSED_1(MALFORMED, "{\"a\\u0000\":1}"),
    REFUSED_1(MALFORMED, NEW("\"\xc0\xaf\"")),
    REFUSED_1(MALFORMED, NEW("\"\xff\"")),
    REFUSED_1(MALFORMED, NEW("\"\n\"")),
    REFUSED_1(MALFORMED,
              "{\"a\":99999999999999999999,\"sender_cid\":3,\"message\":\"attach-hsm\"}"),
    REFUSED_1(MALFORMED, "{]"),
    /* behind the object */
    REFUSED_1(MALFORMED, NEW("\"attach-hsm\"") "x"),
    REFUSED_1(MALFORMED, NEW("\"attach-hsm\"") " {}"),
    REFUSED_0(MALFORMED, OLD("attach-hsm") "}"),
    /* sender_cid */
    REFUSED_1(MALFORMED, "{}"),
    REFUSED_1(MALFORMED, "{\"message\":\"attach-hsm\"}"),
    REFUSED_1(MALFORMED, "{\"sender_cid\":null,\"message\":\"attach-hsm\"}"),
    REFUSED_1(MALFORMED, "{\"sender_cid\":3.0,\"message\":\"attach-hsm\"}"),
    REFUSED_1(MALFORMED, "{\"sender_cid\":3e0,\"message\":\"attach-hsm\"}"),
    REFUSED_1(MALFORMED, "{\"sender_cid\":-3,\"message\":\"attach-hsm\"}"),
    REFUSED_1(MALFORMED, "{\"sender_cid\":4294967296,\"message\":\"attach-hsm\"}"),
    REFUSED_1(FORBIDDEN, "{\"sender_cid\":4294967295,\"message\":\"attach-hsm\"}"),
    REFUSED_1(MALFORMED, "{\"sender_cid\":[3],\"message\":\"attach-hsm\"}"),
    REFUSED_1(FORBIDDEN, "{\"sender_cid\":2,\"message\":\"attach-hsm\"}"),
    REFUSED_0(FORBIDDEN, "{\"sender_cid\":\"4\",\"message\":\"attach-hsm\"}"),
    REFUSED_0(MALFORMED, "{\"sender_cid\":\"\",\"message\":\"attach-hsm\"}"),
    REFUSED_0(MALFORMED, "{\"sender_cid\":\"03\",\"message\":\"attach-hsm\"}"),
    REFUSED_0(MALFORMED, "{\"sender_cid\":\"3 \",\"message\":\"attach-hsm\"}"),
    REFUSED_0(MALFORMED, "{\"sender_cid\":\"+3\",\"message\":\"attach-hsm\"}"),
    REFUSED_0(MALFORMED, "{\"sender_cid\":\"4294967299\",\"message\":\"attach-hsm\"}"),
    REFUSED_0(MALFORMED, "{\"sender_cid\":\"00000000003\",\"message\":\"attach-hsm\"}"),
    /* the newer generation's message */
    REFUSED_1(UNKNOWN_COMMAND, "{\"sender_cid\":3}"),
    REFUSED_1(UNKNOWN_COMMAND, NEW("\"\"")),
    REFUSED_1(UNKNOWN_COMMAND, NEW("\"attach-hsm \"")),
    REFUSED_1(UNKNOWN_COMMAND, NEW("\"get-upgrade-status\"")),
    REFUSED_1(UNKNOWN_COMMAND, NEW("\"set-node-id\"")),
    REFUSED_1(UNKNOWN_COMMAND, NEW("3")),
    REFUSED_1(UNKNOWN_COMMAND, NEW("[\"attach-hsm\"]")),
    REFUSED_1(UNKNOWN_COMMAND, NEW("{}")),
    REFUSED_1(UNKNOWN_COMMAND, NEW("{\"attach-hsm\":null,\"detach-hsm\":null}")),
    REFUSED_1(MALFORMED, NEW("{\"attach-hsm\":{}}")),
    REFUSED_1(MALFORMED, NEW("\"upgrade\"")),
    REFUSED_1(MALFORMED, UPGRADE("null")),
    REFUSED_1(MALFORMED, UPGRADE("[\"u\",\"" HASH "\"]")),
    REFUSED_1(MALFORMED, UPGRADE("{\"url\":\"u\"}")),
    REFUSED_1(MALFORMED, UPGRADE("{\"url\":1,\"target-hash\":\"" HASH "\"}")),
    REFUSED_1(MALFORMED, UPGRADE("{\"target-hash\":\"" HASH "\"}")),
    REFUSED_1(INVALID_ARGUMENT, UPGRADE("{\"url\":\"u\",\"target-hash\":\"" HASH "0\"}")),
    REFUSED_1(INVALID_ARGUMENT, UPGRADE("{\"url\":\"u\",\"target-hash\":\"x\"}")),
    REFUSED_1(MALFORMED, NOTIFY("{\"count\":1}")),
    REFUSED_1(MALFORMED, NOTIFY("{\"message\":\"m\"}")),
    REFUSED_1(MALFORMED, NOTIFY("{\"count\":\"1\",\"message\":\"m\"}")),
    REFUSED_1(MALFORMED, NOTIFY("{\"count\":1.0,\"message\":\"m\"}")),
    REFUSED_1(MALFORMED, NOTIFY("{\"count\":-1,\"message\":\"m\"}")),
    REFUSED_1(MALFORMED, NOTIFY("{\"count\":4294967296,\"message\":\"m\"}")),
    REFUSED_1(MALFORMED, NOTIFY("[1,\"m\"]")),
    /* the older generation's message */
    REFUSED_0(MALFORMED, "{\"sender_cid\":\"3\"}"),
    REFUSED_0(MALFORMED, "{\"sender_cid\":\"3\",\"message\":{\"attach-hsm\":null}}"),
    REFUSED_0(UNKNOWN_COMMAND, OLD("")),
    REFUSED_0(UNKNOWN_COMMAND, OLD(" attach-hsm")),
    REFUSED_0(UNKNOWN_COMMAND, OLD("attach-hsm ")),
    REFUSED_0(UNKNOWN_COMMAND, OLD("GetHostOSVersion")),
    REFUSED_0(MALFORMED, OLD("attach-hsm[]")),
    REFUSED_0(MALFORMED, OLD("upgrade")),
    REFUSED_0(MALFORMED, OLD("upgrade[u " HASH)),
    REFUSED_0(MALFORMED, OLD("upgrade[")),
    REFUSED_0(MALFORMED, OLD("upgrade[u " HASH "] ")),
    REFUSED_0(MALFORMED, OLD("upgrade[u]")),
    REFUSED_0(MALFORMED, OLD("upgrade[]")),
    REFUSED_0(INVALID_ARGUMENT, OLD("upgrade[u  " HASH "]")),
    REFUSED_0(INVALID_ARGUMENT, OLD("upgrade[u " HASH "0]")),
    REFUSED_0(MALFORMED, OLD("notify[]")),
    REFUSED_0(MALFORMED, OLD("notify[m]")),
    REFUSED_0(MALFORMED, OLD("notify[,m]")),
    REFUSED_0(MALFORMED, OLD("notify[-1,m]")),
    REFUSED_0(MALFORMED, OLD("notify[01,m]")),
    REFUSED_0(MALFORMED, OLD("notify[4294967296,m]")),
    REFUSED_0(UNKNOWN_COMMAND, OLD("set-node-id[n]")),
    REFUSED_0(UNKNOWN_COMMAND, OLD("join-success")),
};

static void check(const struct sample *sample)
{
    struct received received;
    received_whole(sample->request, strlen(sample->request), &received);
    CHECK_STRING(received.dialect, sample->dialect);
    CHECK_EQUAL(received.request.command, sample->command);
    if (received.protocol_error.code != sample->code) {
        CHECK_STRING(received.protocol_error.text, error_name(sample->code)); /* shows why */
    }
    CHECK_TRUE(received.closes);
    received_free(&received);
}

UNIT_TEST(test_taken, "what is taken")
{
    CHECK_EACH(i, taken, "%s", taken[i].request) {
        check(&taken[i]);
    }
}

UNIT_TEST(test_refused, "what is refused")
{
    CHECK_EACH(i, refused, "%s", refused[i].request) {
        check(&refused[i]);
    }
}

/* Split anywhere, a request is the same; bytes behind it that come later are nobody's. */
UNIT_TEST(test_splits, "however it is split")
{
    CHECK_EACH(i, taken, "%s", taken[i].request) {
        size_t length = strlen(taken[i].request);
        for (size_t chunk = 1; chunk < length; chunk += chunk < 8 ? 1 : 7) {
            CHECK_ROW("chunk = %zu", chunk);
            struct received received;
            received_split(taken[i].request, length, chunk, &received);
            CHECK_EQUAL(received.request.command, taken[i].command);
            CHECK_STRING(received.dialect, taken[i].dialect);
            received_free(&received);
        }
    }
}

/* What has been looked at is not looked at again: it may be anything by then. */
UNIT_TEST(test_each_byte_once, "each byte is looked at once")
{
    static const char first[] = "{\"sender_cid\":\"3\",\"message\":\"att";
    static const char rest[] = "ach-hsm\"}";
    char bytes[sizeof first + sizeof rest] = {0};
    struct server_session session;
    struct protocol_error protocol_error;
    size_t length = 0;
    size_t seen = strlen(first);
    server_init(&session, RECEIVED_LIMIT, RECEIVED_CID);
    stpcpy(bytes, first);
    CHECK_EQUAL(server_frame(&session, (uint8_t *)bytes, seen, false, &length, &protocol_error),
                FRAMING_MORE);
    memset(bytes, '}', seen);
    stpcpy(bytes + seen, rest);
    CHECK_EQUAL(server_frame(&session, (uint8_t *)bytes, seen + strlen(rest), false, &length,
                             &protocol_error),
                FRAMING_WHOLE);
    CHECK_EQUAL(length, seen + strlen(rest));
    CHECK_STRING(server_dialect_name(&session), "json-0");
}

static struct text text_of_heard(const char *request, struct received *received)
{
    received_whole(request, strlen(request), received);
    return received->request.command == COMMAND_NOTIFY ? received->request.message
                                                       : received->request.url;
}

/* The texts of a request point into its frame, decoded. */
UNIT_TEST(test_texts, "texts")
{
    static const struct {
        const char *request;
        const char *text;
        uint32_t count;
    } rows[] = {
        {NOTIFY("{\"count\":7,\"message\":\"a\\u00e4\\ud83d\\ude80\\n\\\"\\\\\\/\"}"),
         "a\xc3\xa4\xf0\x9f\x9a\x80\n\"\\/", 7},
        {NOTIFY("{\"count\":1,\"message\":\"\xc3\xa4\"}"), "\xc3\xa4", 1},
        {UPGRADE("{\"url\":\"h\\u0074tp:\\/\\/h\\/\",\"target-hash\":\"" HASH "\"}"), "http://h/",
         0},
        {OLD("upgrade[http://h/[1] " HASH "]"), "http://h/[1]", 0},
        {OLD("notify[7, m]"), "m", 7},
        {OLD("notify[7,m]"), "m", 7},
        {OLD("notify[7,  m ]"), " m ", 7},
        {OLD("notify [7,a, b] ]]"), "a, b] ]", 7},
        {OLD("notify[0, \\u00e4\\n[x]]"), "\xc3\xa4\n[x]", 0},
        {OLD("notify[0,]"), "", 0},
    };
    CHECK_EACH(i, rows, "%s", rows[i].request) {
        struct received received;
        struct text text = text_of_heard(rows[i].request, &received);
        CHECK_TEXT(text, rows[i].text);
        CHECK_COMPARE(text.bytes, >=, (const char *)received.frame);
        CHECK_COMPARE(text.bytes + text.length, <=, (const char *)received.frame + received.length);
        CHECK_EQUAL(received.request.count, rows[i].count);
        received_free(&received);
    }
}

UNIT_TEST(test_hashes, "hashes")
{
    static const char *const requests[] = {
        UPGRADE("{\"url\":\"u\",\"target-hash\":\"" HASH_UPPER "\"}"),
        OLD("upgrade[u " HASH_UPPER "]"), OLD("upgrade[u " HASH "]")};
    CHECK_EACH(i, requests, "%s", requests[i]) {
        struct received received;
        received_whole(requests[i], strlen(requests[i]), &received);
        CHECK_BYTES(received.request.sha256, received_hash, sizeof received_hash);
        CHECK_FALSE(received.request.progress);
        received_free(&received);
    }
}

/* The code of a request that is `before`, so many times `fill`, and `after`. */
static enum error_code code_of(const char *before, char fill, size_t count, const char *after)
{
    size_t length = strlen(before) + count + strlen(after);
    char *request = exact_room(length + 1);
    struct received received;
    char *at = stpcpy(request, before);
    memset(at, fill, count);
    stpcpy(at + count, after);
    received_whole(request, length, &received);
    enum error_code code = received.protocol_error.code;
    received_free(&received);
    free(request);
    return code;
}

UNIT_TEST(test_limits, "limits")
{
    static const char rest[] = "\",\"target-hash\":\"" HASH "\"}}}";
    static const char new_url[] = "{\"sender_cid\":3,\"message\":{\"upgrade\":{\"url\":\"";
    static const char new_notify[] =
        "{\"sender_cid\":3,\"message\":{\"notify\":{\"count\":1,\"message\":\"";
    static const char old_url[] = "{\"sender_cid\":\"3\",\"message\":\"upgrade[";
    static const char old_notify[] = "{\"sender_cid\":\"3\",\"message\":\"notify[1, ";
    CHECK_EQUAL(code_of(new_url, 'u', URL_MAX, rest), ERROR_NONE);
    CHECK_EQUAL(code_of(new_url, 'u', URL_MAX + 1, rest), ERROR_INVALID_ARGUMENT);
    CHECK_EQUAL(code_of(new_notify, 'm', NOTIFY_MAX, "\"}}}"), ERROR_NONE);
    CHECK_EQUAL(code_of(new_notify, 'm', NOTIFY_MAX + 1, "\"}}}"), ERROR_INVALID_ARGUMENT);
    CHECK_EQUAL(code_of(old_url, 'u', URL_MAX, " " HASH "]\"}"), ERROR_NONE);
    CHECK_EQUAL(code_of(old_url, 'u', URL_MAX + 1, " " HASH "]\"}"), ERROR_INVALID_ARGUMENT);
    CHECK_EQUAL(code_of(old_notify, 'm', NOTIFY_MAX, "]\"}"), ERROR_NONE);
    CHECK_EQUAL(code_of(old_notify, 'm', NOTIFY_MAX + 1, "]\"}"), ERROR_INVALID_ARGUMENT);

    size_t room = RECEIVED_LIMIT - strlen(NEW("\"attach-hsm\""));
    CHECK_EQUAL(code_of("", ' ', room, NEW("\"attach-hsm\"")), ERROR_NONE);
    CHECK_EQUAL(code_of("", ' ', room + 1, NEW("\"attach-hsm\"")), ERROR_TOO_LARGE);
    CHECK_EQUAL(code_of("", ' ', RECEIVED_LIMIT, ""), ERROR_MALFORMED); /* the stream's end */
    CHECK_EQUAL(code_of("", ' ', RECEIVED_LIMIT + 1, ""), ERROR_TOO_LARGE);
    CHECK_EQUAL(code_of(NEW("\"attach-hsm\""), ' ', RECEIVED_LIMIT, ""), ERROR_NONE);
}

UNIT_TEST(test_nesting, "nesting")
{
    static const char after[] = ",\"sender_cid\":3,\"message\":\"attach-hsm\"}";
    static const size_t levels[] = {1, 200, 1023, 1024, 5000};
    CHECK_EACH(i, levels, "%zu", levels[i]) {
        char *request = exact_room(8 + 2 * levels[i] + sizeof after);
        char *at = stpcpy(request, "{\"a\":");
        struct received received;
        memset(at, '[', levels[i]);
        memset(at + levels[i], ']', levels[i]);
        at = stpcpy(at + 2 * levels[i], after);
        received_whole(request, (size_t)(at - request), &received);
        CHECK_EQUAL(received.protocol_error.code, levels[i] <= 1023 ? ERROR_NONE : ERROR_MALFORMED);
        received_free(&received);
        free(request);
    }
}

/* What is said to a peer of which so much has arrived. */
static void check_last_word(const char *arrived, const char *dialect, const char *said)
{
    struct server_session session;
    struct answer busy = answer_error(ERROR_BUSY, "later");
    char bytes[ANSWER_BYTES_MAX];
    struct reply reply = {(uint8_t *)bytes, sizeof bytes, 0};
    uint8_t *given = exact_copy(arrived, strlen(arrived));
    server_init(&session, RECEIVED_LIMIT, 3);
    server_sniff(&session, given, strlen(arrived));
    CHECK_STRING(server_dialect_name(&session), dialect);
    CHECK_EQUAL(server_answer(&session, &busy, &reply), 0);
    CHECK_EQUAL(reply.length, strlen(said));
    CHECK_BYTES(bytes, said, reply.length);
    CHECK_TRUE(server_closes_after_answer(&session));
    free(given);
}

UNIT_TEST(test_last_words, "last words")
{
    static const char newer[] = "{\"Err\":\"busy: later\"}";
    static const char older[] = "{\"message\": \"invalid request\", \"status\": \"error\"}";
    check_last_word("{", "json-1", newer);
    check_last_word(" ", "json-1", newer);
    check_last_word("{\"sender_cid\":3,\"mess", "json-1", newer);
    check_last_word("{\"sender_cid\":\"", "json-0", older);
    check_last_word(OLD("attach-hsm"), "json-0", older);
    check_last_word(NEW("\"attach-hsm\""), "json-1", newer);
}

static int answer_in(const char *request, const struct answer *answer, struct reply *reply)
{
    struct received received;
    received_whole(request, strlen(request), &received);
    int error = server_answer(&received.session, answer, reply);
    received_free(&received);
    return error;
}

static void check_answer(const char *request, const struct answer *answer, const char *golden)
{
    uint8_t bytes[ANSWER_BYTES_MAX] = "ab";
    struct reply reply = {bytes, sizeof bytes, 2};
    CHECK_EQUAL(answer_in(request, answer, &reply), 0);
    CHECK_TRUE(golden_text_equal(golden, bytes + 2, reply.length - 2));
}

UNIT_TEST(test_answers, "answers to the byte")
{
    static const char newer[] = NEW("\"attach-hsm\"");
    static const char older[] = OLD("attach-hsm");
    struct answer none = {.type = ANSWER_RESPONSE, .kind = PAYLOAD_NONE};
    struct answer version = {.kind = PAYLOAD_HOSTOS_VERSION, .hostos_version = text_of("1.2.3")};
    struct answer release = {.kind = PAYLOAD_HOSTOS_VSOCK_VERSION, .vsock_version = {1, 0, 0}};
    struct answer error = answer_error(ERROR_HASH_MISMATCH,
                                       "the downloaded image has another SHA-256 than asked for");
    check_answer(newer, &none, "json-1/ok-no-payload");
    check_answer(newer, &version, "json-1/ok-hostos-version");
    check_answer(newer, &release, "json-1/ok-hostos-vsock-version");
    release.vsock_version.major = 2; /* the generation stays */
    check_answer(newer, &release, "json-1/ok-hostos-vsock-version");
    check_answer(newer, &error, "json-1/error-hash-mismatch");
    check_answer(older, &none, "json-0/accepted");
    check_answer(older, &error, "json-0/invalid");
}

UNIT_TEST(test_answers_that_cannot_be, "answers that cannot be")
{
    static const char *const requests[] = {NEW("\"attach-hsm\""), OLD("attach-hsm")};
    CHECK_EACH(i, requests, "%s", requests[i]) {
        uint8_t bytes[ANSWER_BYTES_MAX];
        struct reply reply = {bytes, sizeof bytes, 3};
        struct answer progress = {.type = ANSWER_PROGRESS};
        struct answer none = {.type = ANSWER_RESPONSE};
        CHECK_EQUAL(answer_in(requests[i], &progress, &reply), 0);
        CHECK_EQUAL(reply.length, 3);
        reply.size = 10;
        CHECK_EQUAL(answer_in(requests[i], &none, &reply), -ENOBUFS);
        CHECK_EQUAL(reply.length, 3);
    }
    uint8_t bytes[ANSWER_BYTES_MAX];
    struct reply reply = {bytes, sizeof bytes, 0};
    struct answer wrong = answer_error(ERROR_INTERNAL, "\xff");
    CHECK_EQUAL(answer_in(requests[0], &wrong, &reply), -EINVAL);
    struct answer version = {.kind = PAYLOAD_HOSTOS_VERSION, .hostos_version = text_of("\xc3")};
    CHECK_EQUAL(answer_in(requests[0], &version, &reply), -EINVAL);
}

/* The longest text, each byte of which takes two. */
UNIT_TEST(test_long_error, "long errors")
{
    static char text[ANSWER_TEXT_MAX + 2];
    uint8_t bytes[ANSWER_BYTES_MAX];
    struct reply reply = {bytes, sizeof bytes, 0};
    struct answer error = {.type = ANSWER_ERROR, .code = ERROR_UNSUPPORTED_FIELD};
    memset(text, '"', sizeof text - 1);
    error.message = text_of(text);
    CHECK_EQUAL(answer_in(NEW("\"attach-hsm\""), &error, &reply), 0);
    CHECK_EQUAL(reply.length,
                strlen("{\"Err\":\"unsupported_field: \"}") + (size_t)2 * ANSWER_TEXT_MAX);
    struct answer bare = {.type = ANSWER_ERROR, .code = ERROR_INTERNAL};
    reply.length = 0;
    CHECK_EQUAL(answer_in(NEW("\"attach-hsm\""), &bare, &reply), 0);
    CHECK_BYTES(bytes, "{\"Err\":\"internal\"}", reply.length);
}

UNIT_MAIN("compat JSON at the host")
