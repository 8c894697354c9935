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

#define TAKEN(request, dialect, command)      \
    {                                         \
        request, dialect, command, ERROR_NONE \
    }
#define REFUSED(request, dialect, code)      \
    {                                        \
        request, dialect, COMMAND_NONE, code \
    }

static const struct sample taken[] = {
    TAKEN(NEW("\"attach-hsm\""), "json-1", COMMAND_ATTACH_HSM),
    TAKEN(NEW("\"detach-hsm\""), "json-1", COMMAND_DETACH_HSM),
    TAKEN(NEW("\"GetVsockProtocol\""), "json-1", COMMAND_GET_VSOCK_VERSION),
    TAKEN(NEW("\"GetHostOSVersion\""), "json-1", COMMAND_GET_HOSTOS_VERSION),
    TAKEN(NEW("\"start-upgrade-guest-vm\""), "json-1", COMMAND_START_UPGRADE_GUEST_VM),
    TAKEN(NEW("{\"attach-hsm\":null}"), "json-1", COMMAND_ATTACH_HSM),
    TAKEN(NEW("{\"GetVsockProtocol\":null}"), "json-1", COMMAND_GET_VSOCK_VERSION),
    TAKEN("{\"message\":\"attach-hsm\",\"sender_cid\":3}", "json-1", COMMAND_ATTACH_HSM),
    TAKEN(" \r\n\t{ \"sender_cid\" : 3 , \"message\" : \"attach-hsm\" } \n", "json-1",
          COMMAND_ATTACH_HSM),
    TAKEN("{\"x\":[1.5,{\"y\":\"\xc3\xa4\"}],\"sender_cid\":3,\"message\":\"attach-hsm\"}",
          "json-1", COMMAND_ATTACH_HSM),
    TAKEN(NEW("\"\\u0061ttach\\u002dhsm\""), "json-1", COMMAND_ATTACH_HSM),
    TAKEN("{\"sender\\u005fcid\":3,\"message\":\"attach-hsm\"}", "json-1", COMMAND_ATTACH_HSM),
    TAKEN("{\"sender\\u005fcid\":\"3\",\"message\":\"attach-hsm\"}", "json-0", COMMAND_ATTACH_HSM),
    TAKEN(UPGRADE("{\"target-hash\":\"" HASH_UPPER "\",\"x\":1,\"url\":\"u\"}"), "json-1",
          COMMAND_UPGRADE),
    TAKEN(NOTIFY("{\"message\":\"\",\"count\":0}"), "json-1", COMMAND_NOTIFY),
    TAKEN(NOTIFY("{\"count\":4294967295,\"message\":\"m\"}"), "json-1", COMMAND_NOTIFY),
    TAKEN(OLD("attach-hsm"), "json-0", COMMAND_ATTACH_HSM),
    TAKEN(OLD("detach-hsm"), "json-0", COMMAND_DETACH_HSM),
    TAKEN(OLD("upgrade[u " HASH_UPPER "]"), "json-0", COMMAND_UPGRADE),
    TAKEN(OLD("upgrade \\t\\n[u " HASH "]"), "json-0", COMMAND_UPGRADE),
    TAKEN(OLD("notify[0,]"), "json-0", COMMAND_NOTIFY),
    TAKEN(OLD("notify[4294967295, m]"), "json-0", COMMAND_NOTIFY),
};

static const struct sample refused[] = {
    /* no JSON: always the newer generation */
    REFUSED("{}x", "json-1", ERROR_MALFORMED),
    REFUSED("  [1]", "json-1", ERROR_MALFORMED),
    REFUSED("{\"sender_cid\":3,\"message\":\"attach-hsm\"", "json-1", ERROR_MALFORMED),
    REFUSED("{\"sender_cid\":\"3\",\"message\":\"attach-hsm\"", "json-1", ERROR_MALFORMED),
    REFUSED("{\"sender_cid\":03,\"message\":\"attach-hsm\"}", "json-1", ERROR_MALFORMED),
    REFUSED("{\"sender_cid\":3,\"sender_cid\":3,\"message\":\"attach-hsm\"}", "json-1",
            ERROR_MALFORMED),
    REFUSED("{\"sender_cid\":\"3\",\"a\":1,\"a\":1,\"message\":\"attach-hsm\"}", "json-1",
            ERROR_MALFORMED),
    REFUSED(NEW("\"\\ud800\""), "json-1", ERROR_MALFORMED),
    REFUSED(NEW("\"\\udc00\\ud800\""), "json-1", ERROR_MALFORMED),
    REFUSED(OLD("notify[1, \\u0000]"), "json-1", ERROR_MALFORMED),
    REFUSED("{\"a\\u0000\":1}", "json-1", ERROR_MALFORMED),
    REFUSED(NEW("\"\xc0\xaf\""), "json-1", ERROR_MALFORMED),
    REFUSED(NEW("\"\xff\""), "json-1", ERROR_MALFORMED),
    REFUSED(NEW("\"\n\""), "json-1", ERROR_MALFORMED),
    REFUSED("{\"a\":99999999999999999999,\"sender_cid\":3,\"message\":\"attach-hsm\"}", "json-1",
            ERROR_MALFORMED),
    REFUSED("{]", "json-1", ERROR_MALFORMED),
    /* behind the object */
    REFUSED(NEW("\"attach-hsm\"") "x", "json-1", ERROR_MALFORMED),
    REFUSED(NEW("\"attach-hsm\"") " {}", "json-1", ERROR_MALFORMED),
    REFUSED(OLD("attach-hsm") "}", "json-0", ERROR_MALFORMED),
    /* sender_cid */
    REFUSED("{}", "json-1", ERROR_MALFORMED),
    REFUSED("{\"message\":\"attach-hsm\"}", "json-1", ERROR_MALFORMED),
    REFUSED("{\"sender_cid\":null,\"message\":\"attach-hsm\"}", "json-1", ERROR_MALFORMED),
    REFUSED("{\"sender_cid\":3.0,\"message\":\"attach-hsm\"}", "json-1", ERROR_MALFORMED),
    REFUSED("{\"sender_cid\":3e0,\"message\":\"attach-hsm\"}", "json-1", ERROR_MALFORMED),
    REFUSED("{\"sender_cid\":-3,\"message\":\"attach-hsm\"}", "json-1", ERROR_MALFORMED),
    REFUSED("{\"sender_cid\":4294967296,\"message\":\"attach-hsm\"}", "json-1", ERROR_MALFORMED),
    REFUSED("{\"sender_cid\":4294967295,\"message\":\"attach-hsm\"}", "json-1", ERROR_FORBIDDEN),
    REFUSED("{\"sender_cid\":[3],\"message\":\"attach-hsm\"}", "json-1", ERROR_MALFORMED),
    REFUSED("{\"sender_cid\":2,\"message\":\"attach-hsm\"}", "json-1", ERROR_FORBIDDEN),
    REFUSED("{\"sender_cid\":\"4\",\"message\":\"attach-hsm\"}", "json-0", ERROR_FORBIDDEN),
    REFUSED("{\"sender_cid\":\"\",\"message\":\"attach-hsm\"}", "json-0", ERROR_MALFORMED),
    REFUSED("{\"sender_cid\":\"03\",\"message\":\"attach-hsm\"}", "json-0", ERROR_MALFORMED),
    REFUSED("{\"sender_cid\":\"3 \",\"message\":\"attach-hsm\"}", "json-0", ERROR_MALFORMED),
    REFUSED("{\"sender_cid\":\"+3\",\"message\":\"attach-hsm\"}", "json-0", ERROR_MALFORMED),
    REFUSED("{\"sender_cid\":\"4294967299\",\"message\":\"attach-hsm\"}", "json-0",
            ERROR_MALFORMED),
    REFUSED("{\"sender_cid\":\"00000000003\",\"message\":\"attach-hsm\"}", "json-0",
            ERROR_MALFORMED),
    /* the newer generation's message */
    REFUSED("{\"sender_cid\":3}", "json-1", ERROR_UNKNOWN_COMMAND),
    REFUSED(NEW("\"\""), "json-1", ERROR_UNKNOWN_COMMAND),
    REFUSED(NEW("\"attach-hsm \""), "json-1", ERROR_UNKNOWN_COMMAND),
    REFUSED(NEW("\"get-upgrade-status\""), "json-1", ERROR_UNKNOWN_COMMAND),
    REFUSED(NEW("\"set-node-id\""), "json-1", ERROR_UNKNOWN_COMMAND),
    REFUSED(NEW("3"), "json-1", ERROR_UNKNOWN_COMMAND),
    REFUSED(NEW("[\"attach-hsm\"]"), "json-1", ERROR_UNKNOWN_COMMAND),
    REFUSED(NEW("{}"), "json-1", ERROR_UNKNOWN_COMMAND),
    REFUSED(NEW("{\"attach-hsm\":null,\"detach-hsm\":null}"), "json-1", ERROR_UNKNOWN_COMMAND),
    REFUSED(NEW("{\"attach-hsm\":{}}"), "json-1", ERROR_MALFORMED),
    REFUSED(NEW("\"upgrade\""), "json-1", ERROR_MALFORMED),
    REFUSED(UPGRADE("null"), "json-1", ERROR_MALFORMED),
    REFUSED(UPGRADE("[\"u\",\"" HASH "\"]"), "json-1", ERROR_MALFORMED),
    REFUSED(UPGRADE("{\"url\":\"u\"}"), "json-1", ERROR_MALFORMED),
    REFUSED(UPGRADE("{\"url\":1,\"target-hash\":\"" HASH "\"}"), "json-1", ERROR_MALFORMED),
    REFUSED(UPGRADE("{\"target-hash\":\"" HASH "\"}"), "json-1", ERROR_MALFORMED),
    REFUSED(UPGRADE("{\"url\":\"u\",\"target-hash\":\"" HASH "0\"}"), "json-1",
            ERROR_INVALID_ARGUMENT),
    REFUSED(UPGRADE("{\"url\":\"u\",\"target-hash\":\"x\"}"), "json-1", ERROR_INVALID_ARGUMENT),
    REFUSED(NOTIFY("{\"count\":1}"), "json-1", ERROR_MALFORMED),
    REFUSED(NOTIFY("{\"message\":\"m\"}"), "json-1", ERROR_MALFORMED),
    REFUSED(NOTIFY("{\"count\":\"1\",\"message\":\"m\"}"), "json-1", ERROR_MALFORMED),
    REFUSED(NOTIFY("{\"count\":1.0,\"message\":\"m\"}"), "json-1", ERROR_MALFORMED),
    REFUSED(NOTIFY("{\"count\":-1,\"message\":\"m\"}"), "json-1", ERROR_MALFORMED),
    REFUSED(NOTIFY("{\"count\":4294967296,\"message\":\"m\"}"), "json-1", ERROR_MALFORMED),
    REFUSED(NOTIFY("[1,\"m\"]"), "json-1", ERROR_MALFORMED),
    /* the older generation's message */
    REFUSED("{\"sender_cid\":\"3\"}", "json-0", ERROR_MALFORMED),
    REFUSED("{\"sender_cid\":\"3\",\"message\":{\"attach-hsm\":null}}", "json-0", ERROR_MALFORMED),
    REFUSED(OLD(""), "json-0", ERROR_UNKNOWN_COMMAND),
    REFUSED(OLD(" attach-hsm"), "json-0", ERROR_UNKNOWN_COMMAND),
    REFUSED(OLD("attach-hsm "), "json-0", ERROR_UNKNOWN_COMMAND),
    REFUSED(OLD("GetHostOSVersion"), "json-0", ERROR_UNKNOWN_COMMAND),
    REFUSED(OLD("attach-hsm[]"), "json-0", ERROR_MALFORMED),
    REFUSED(OLD("upgrade"), "json-0", ERROR_MALFORMED),
    REFUSED(OLD("upgrade[u " HASH), "json-0", ERROR_MALFORMED),
    REFUSED(OLD("upgrade["), "json-0", ERROR_MALFORMED),
    REFUSED(OLD("upgrade[u " HASH "] "), "json-0", ERROR_MALFORMED),
    REFUSED(OLD("upgrade[u]"), "json-0", ERROR_MALFORMED),
    REFUSED(OLD("upgrade[]"), "json-0", ERROR_MALFORMED),
    REFUSED(OLD("upgrade[u  " HASH "]"), "json-0", ERROR_INVALID_ARGUMENT),
    REFUSED(OLD("upgrade[u " HASH "0]"), "json-0", ERROR_INVALID_ARGUMENT),
    REFUSED(OLD("notify[]"), "json-0", ERROR_MALFORMED),
    REFUSED(OLD("notify[m]"), "json-0", ERROR_MALFORMED),
    REFUSED(OLD("notify[,m]"), "json-0", ERROR_MALFORMED),
    REFUSED(OLD("notify[-1,m]"), "json-0", ERROR_MALFORMED),
    REFUSED(OLD("notify[01,m]"), "json-0", ERROR_MALFORMED),
    REFUSED(OLD("notify[4294967296,m]"), "json-0", ERROR_MALFORMED),
    REFUSED(OLD("set-node-id[n]"), "json-0", ERROR_UNKNOWN_COMMAND),
    REFUSED(OLD("join-success"), "json-0", ERROR_UNKNOWN_COMMAND),
};

static void complain(const struct sample *sample, const struct received *received)
{
    fprintf(stderr, "%s: command %d, %s, %s: %s\n", sample->request, (int)received->request.command,
            received->dialect, error_name(received->protocol_error.code),
            received->protocol_error.text);
}

static void check(const struct sample *sample)
{
    struct received received;
    received_whole(sample->request, strlen(sample->request), &received);
    bool good = strcmp(received.dialect, sample->dialect) == 0 &&
                received.request.command == sample->command &&
                received.protocol_error.code == sample->code;
    if (!good) {
        complain(sample, &received);
    }
    CHECK_TRUE(good);
    CHECK_TRUE(received.closes);
    received_free(&received);
}

static void test_taken(void)
{
    CHECK_EACH(i, taken, "%s", taken[i].request) {
        check(&taken[i]);
    }
}

static void test_refused(void)
{
    CHECK_EACH(i, refused, "%s", refused[i].request) {
        check(&refused[i]);
    }
}

/* Split anywhere, a request is the same; bytes behind it that come later are nobody's. */
static void test_splits(void)
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
static void test_each_byte_once(void)
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
static void test_texts(void)
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

static const uint8_t hash[SHA256_SIZE] = {
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};

static void test_hashes(void)
{
    static const char *const requests[] = {
        UPGRADE("{\"url\":\"u\",\"target-hash\":\"" HASH_UPPER "\"}"),
        OLD("upgrade[u " HASH_UPPER "]"), OLD("upgrade[u " HASH "]")};
    CHECK_EACH(i, requests, "%s", requests[i]) {
        struct received received;
        received_whole(requests[i], strlen(requests[i]), &received);
        CHECK_BYTES(received.request.sha256, hash, sizeof hash);
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

static void test_limits(void)
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

static void test_nesting(void)
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

static void test_last_words(void)
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

static void test_answers(void)
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

static void test_answers_that_cannot_be(void)
{
    static const char *const requests[] = {NEW("\"attach-hsm\""), OLD("attach-hsm")};
    for (size_t i = 0; i < 2; i++) {
        CHECK_ROW("i = %zu", i);
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
static void test_long_error(void)
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

static const struct unit_test tests[] = {
    {"what is taken", test_taken},
    {"what is refused", test_refused},
    {"however it is split", test_splits},
    {"each byte is looked at once", test_each_byte_once},
    {"texts", test_texts},
    {"hashes", test_hashes},
    {"limits", test_limits},
    {"nesting", test_nesting},
    {"last words", test_last_words},
    {"answers to the byte", test_answers},
    {"answers that cannot be", test_answers_that_cannot_be},
    {"long errors", test_long_error},
};
UNIT_MAIN("compat JSON at the host", tests)
