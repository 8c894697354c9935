/* SPDX-License-Identifier: Apache-2.0 */
/* Both sides of every dialect beside each other, without a socket: what our guest writes our host
 * reads, and what our host answers our guest reads, for each command that the dialect carries. */
#include "compat/dialects.h"
#include "compat/server.h"
#include "support/equal.h"
#include "support/unit.h"

#include <errno.h>
#include <stdio.h>

enum { CID = 3 };

/* One dialect at both ends, and the bytes between them. */
struct pair {
    struct server_session host;
    struct client_session guest;
    uint8_t request[GUEST_REQUEST_MAX];
    uint8_t answer[ANSWER_BYTES_MAX];
    struct request asked;
};

static struct reply to_host(struct pair *pair)
{
    return (struct reply){.bytes = pair->request, .size = sizeof pair->request};
}

static struct reply to_guest(struct pair *pair)
{
    return (struct reply){.bytes = pair->answer, .size = sizeof pair->answer};
}

static enum decoding host_reads(struct pair *pair, const struct reply *bytes, struct reply *reply)
{
    struct protocol_error protocol_error;
    size_t length = 0;
    CHECK_EQUAL(
        server_frame(&pair->host, bytes->bytes, bytes->length, true, &length, &protocol_error),
        FRAMING_WHOLE);
    CHECK_EQUAL(length, bytes->length);
    return server_decode(&pair->host, bytes->bytes, length, &pair->asked, &protocol_error, reply);
}

static void guest_reads(struct pair *pair, bool greeting, const struct reply *bytes,
                        struct answer *ret)
{
    const struct dialect *dialect = pair->guest.dialect;
    struct protocol_error protocol_error;
    size_t length = 0;
    pair->guest.scan = (struct framing_scan){0};
    CHECK_EQUAL(dialect->frame_answer(&pair->guest, bytes->bytes, bytes->length, true, &length,
                                      &protocol_error),
                FRAMING_WHOLE);
    CHECK_EQUAL(
        dialect->decode_answer(&pair->guest, greeting, bytes->bytes, length, ret, &protocol_error),
        0);
}

static void begin(struct pair *pair, const struct dialect *dialect)
{
    pair->guest = (struct client_session){.dialect = dialect, .local_cid = CID};
    server_init(&pair->host, 16384, CID);
    if (dialect->encode_greeting != NULL) {
        struct reply hello = to_host(pair);
        struct reply welcome = to_guest(pair);
        struct answer agreed = {.type = ANSWER_ERROR};
        CHECK_EQUAL(dialect->encode_greeting(&pair->guest, &hello), 0);
        CHECK_EQUAL(host_reads(pair, &hello, &welcome), DECODING_REPLY);
        guest_reads(pair, true, &welcome, &agreed);
        CHECK_EQUAL(agreed.type, ANSWER_RESPONSE);
    }
}

/* A request with all that its command takes in every dialect. */
static struct request sample(enum command command)
{
    struct request request = {.command = command};
    if (command == COMMAND_UPGRADE) {
        request.url = text_of("https://mirror.example/h\xc3\xb6st.img?a=1&b=2");
        memset(request.sha256, 0xab, sizeof request.sha256);
    } else if (command == COMMAND_NOTIFY) {
        request.message = text_of("two\nlines, [brackets] \"quotes\" \\ and \xe2\x82\xac");
        request.count = 7;
    }
    return request;
}

static bool carries(const struct dialect *dialect, unsigned command)
{
    return (dialect->carries >> command & 1U) != 0;
}

UNIT_TEST(test_requests, "requests")
{
    static struct pair pair;
    for (size_t i = 0; i < dialects_count; i++) {
        CHECK_ROW("%s", dialects[i]->name);
        for (unsigned command = 1; command <= COMMAND_LAST; command++) {
            CHECK_ROW("command = %u", command);
            struct request request = sample((enum command)command);
            struct reply bytes = to_host(&pair);
            struct reply reply = to_guest(&pair);
            begin(&pair, dialects[i]);
            int error = dialects[i]->encode_request(&pair.guest, &request, &bytes);
            if (!carries(dialects[i], command)) {
                CHECK_EQUAL(error, -EOPNOTSUPP);
                continue;
            }
            CHECK_EQUAL(error, 0);
            CHECK_EQUAL(host_reads(&pair, &bytes, &reply), DECODING_REQUEST);
            CHECK_EQUAL(pair.host.dialect, dialects[i]);
            CHECK_TRUE(request_equal(&pair.asked, &request));
        }
    }
}

/* Sends the request over and the answer back. */
static void answered(struct pair *pair, enum command command, const struct answer *answer,
                     struct answer *ret)
{
    struct request request = sample(command);
    struct reply bytes = to_host(pair);
    struct reply reply = to_guest(pair);
    CHECK_EQUAL(pair->guest.dialect->encode_request(&pair->guest, &request, &bytes), 0);
    CHECK_EQUAL(host_reads(pair, &bytes, &reply), DECODING_REQUEST);
    reply = to_guest(pair);
    CHECK_EQUAL(server_answer(&pair->host, answer, &reply), 0);
    guest_reads(pair, false, &reply, ret);
}

static struct answer success(enum command command)
{
    struct answer answer = {.type = ANSWER_RESPONSE, .kind = (uint16_t)command_answer(command)};
    switch (command_answer(command)) {
    case PAYLOAD_HOSTOS_VSOCK_VERSION:
        answer.vsock_version = (struct release_version){1, 0, 0};
        break;
    case PAYLOAD_HOSTOS_VERSION:
        answer.hostos_version = text_of("2026-11-22_\xc3\xa4");
        break;
    case PAYLOAD_UPGRADE_STATUS:
        answer.status = (struct upgrade_status){.phase = PHASE_DOWNLOADING,
                                                .done = 5,
                                                .total = UINT64_C(5000000000),
                                                .has_sha256 = true};
        break;
    case PAYLOAD_NONE:
        break;
    }
    return answer;
}

UNIT_TEST(test_successes, "successes")
{
    static struct pair pair;
    for (size_t i = 0; i < dialects_count; i++) {
        CHECK_ROW("%s", dialects[i]->name);
        for (unsigned command = 1; command <= COMMAND_LAST; command++) {
            CHECK_ROW("command = %u", command);
            struct answer told = success((enum command)command);
            struct answer received = {.type = ANSWER_ERROR};
            if (carries(dialects[i], command)) {
                begin(&pair, dialects[i]);
                answered(&pair, (enum command)command, &told, &received);
                CHECK_TRUE(answer_equal(&received, &told));
            }
        }
    }
}

/* What an error says on the other side. An old dialect has no codes: its text keeps the code's name;
 * json-0 has one error for all, and wire 0.9 fixed words for another version. */
static bool keeps_text(const struct dialect *dialect, unsigned code)
{
    bool fixed = strcmp(dialect->name, "tlv-0") == 0 && code == ERROR_UNSUPPORTED_VERSION;
    return !fixed && strcmp(dialect->name, "json-0") != 0;
}

UNIT_TEST(test_errors, "errors")
{
    static struct pair pair;
    for (size_t i = 0; i < dialects_count; i++) {
        CHECK_ROW("%s", dialects[i]->name);
        for (unsigned code = 1; code <= ERROR_LAST; code++) {
            CHECK_ROW("code = %u", code);
            struct answer told = answer_error((enum error_code)code, "what was wrong");
            struct answer received = {.type = ANSWER_RESPONSE};
            begin(&pair, dialects[i]);
            answered(&pair, COMMAND_NOTIFY, &told, &received);
            CHECK_EQUAL(received.type, ANSWER_ERROR);
            if (keeps_text(dialects[i], code)) {
                CHECK_EQUAL(received.code, code);
                CHECK_TEXT(received.message, "what was wrong");
            }
        }
    }
}

UNIT_MAIN("pairs")
