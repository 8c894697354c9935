/* SPDX-License-Identifier: Apache-2.0 */
/* How a guest finds the dialect of its host, and that it asks at most once. */
#include "compat/dialects.h"
#include "support/equal.h"
#include "support/golden.h"
#include "support/scripted_host.h"
#include "support/unit.h"
#include "wire/clock.h"
#include "wire/codec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define WORD(bytes)              \
    {                            \
        bytes, sizeof(bytes) - 1 \
    }
#define OTHER_VERSION "VSCK\x00\x09\x03\x00\x00\x16\x01\x00\x13unsupported version"
#define OK_0          "VSCK\x00\x09\x02\x00\x00\x00"
#define NOT_JSON      "{\"Err\":\"expected value at line 1 column 1\"}"
#define GENERATION    "{\"Ok\":{\"HostOSVsockVersion\":{\"major\":1,\"minor\":2,\"patch\":3}}}"
#define NO_PAYLOAD    "{\"Ok\":\"NoPayload\"}"
#define HOSTOS        "{\"Ok\":{\"HostOSVersion\":\"1.2.3\"}}"
#define ACCEPTED      "{\"message\": \"accepted request\", \"status\": \"ok\"}"
#define INVALID       "{\"message\": \"invalid request\", \"status\": \"error\"}"

enum { SLOW_MS = 1500 /* more than a guest waits for an answer to HELLO alone */ };

/* WELCOME, and the answers to the first request. */
static uint8_t welcome_bytes[256];
static uint8_t done_bytes[256];
static struct text welcome;
static struct text done;
static struct text tlv_malformed;
static uint8_t malformed_bytes[256];
static struct text version_told;
static uint8_t version_bytes[256];

static struct text take(struct writer *writer)
{
    return (struct text){(const char *)writer->bytes, writer->length};
}

static void make_words(void)
{
    struct wire_version version = {1, 0};
    struct welcome hello = {.version = version, .agent = text_of("scripted/1")};
    struct answer answer = {.type = ANSWER_RESPONSE};
    struct answer error = answer_error(ERROR_MALFORMED, "no frame");
    struct writer first = {.bytes = welcome_bytes, .size = sizeof welcome_bytes};
    struct writer second = {.bytes = done_bytes, .size = sizeof done_bytes};
    struct writer third = {.bytes = malformed_bytes, .size = sizeof malformed_bytes};
    REQUIRE_EQUAL(codec_encode_welcome(&hello, &first), 0);
    REQUIRE_EQUAL(codec_encode_answer(version, 1, &answer, &second), 0);
    REQUIRE_EQUAL(codec_encode_answer(version, 0, &error, &third), 0);
    struct answer version_answer = {.kind = PAYLOAD_HOSTOS_VSOCK_VERSION,
                                    .vsock_version = {1, 0, 9}};
    struct writer fourth = {.bytes = version_bytes, .size = sizeof version_bytes};
    REQUIRE_EQUAL(codec_encode_answer(version, 1, &version_answer, &fourth), 0);
    version_told = take(&fourth);
    welcome = take(&first);
    done = take(&second);
    tlv_malformed = take(&third);
}

struct asked {
    struct scripted_host host;
    struct client client;
    struct client_outcome outcome;
};

static struct request request_of(enum command command)
{
    struct request request = {.command = command};
    request.url = command == COMMAND_UPGRADE ? text_of("http://h/i") : request.url;
    request.message = command == COMMAND_NOTIFY ? text_of("m") : request.message;
    return request;
}

static void ask(struct asked *asked, const struct client_setup *setup, enum command command)
{
    struct request request = request_of(command);
    client_init(&asked->client, setup);
    client_ask(&asked->client, &request, &asked->outcome);
    client_done(&asked->client);
    scripted_host_stop(&asked->host);
}

static struct asked *ask_auto(const struct script *script, size_t scripts, enum command command)
{
    struct asked *asked = exact_room(sizeof *asked);
    make_words();
    scripted_host_start(script, scripts, &asked->host);
    struct client_setup setup = scripted_host_setup(&asked->host);
    ask(asked, &setup, command);
    return asked;
}

static struct asked *ask_fixed(const char *dialect, const struct script *script,
                               enum command command)
{
    struct asked *asked = exact_room(sizeof *asked);
    make_words();
    scripted_host_start(script, 1, &asked->host);
    struct client_setup setup = scripted_host_setup(&asked->host);
    setup.dialect = dialect_find(dialect);
    setup.connect_ms = 0;
    ask(asked, &setup, command);
    return asked;
}

static void check_done(const struct asked *asked, unsigned connections)
{
    CHECK_EQUAL(asked->outcome.result, CLIENT_ANSWERED);
    CHECK_EQUAL(asked->outcome.answer.type, ANSWER_RESPONSE);
    CHECK_EQUAL(asked->host.connections, connections);
}

static bool began(const struct asked *asked, unsigned connection, const char *words)
{
    const struct scripted_connection *taken = &asked->host.connection[connection];
    return taken->received >= strlen(words) && memcmp(taken->first, words, strlen(words)) == 0;
}

static bool traced(const struct asked *asked, const char *words)
{
    return strstr(asked->host.trace, words) != NULL;
}

UNIT_TEST(test_tlv_1, "tlv-1")
{
    make_words();
    const struct script script[] = {{.word = {welcome, done}}};
    struct asked *asked = ask_auto(script, 1, COMMAND_ATTACH_HSM);
    check_done(asked, 1);
    CHECK_TRUE(began(asked, 0, "VSCK\x01"));
    CHECK_TRUE(traced(asked, "dialect tlv-1 (TLV wire 1.0), host scripted/1"));
    CHECK_TRUE(traced(asked, "answer to HELLO: received "));
    CHECK_EQUAL(asked->host.cids, 0); /* it is of no use there */
    free(asked);
}

UNIT_TEST(test_tlv_0, "tlv-0")
{
    static const struct script script[] = {{.word = {WORD(OTHER_VERSION)}},
                                           {.word = {WORD(OK_0)}, .holds = true}};
    struct asked *asked = ask_auto(script, 2, COMMAND_ATTACH_HSM);
    check_done(asked, 2);
    CHECK_TRUE(began(asked, 1, "VSCK"));
    CHECK_EQUAL(asked->host.connection[1].received, 14);
    CHECK_TRUE(traced(asked, "dialect tlv-0 (TLV wire 0.9), host unnamed"));
    free(asked);
    asked = ask_auto(script, 2, COMMAND_GET_VSOCK_VERSION);
    CHECK_EQUAL(asked->outcome.result, CLIENT_NOT_CARRIED);
    CHECK_STRING(asked->outcome.text, "get-vsock-version cannot be asked in tlv-0 (TLV wire 0.9)");
    CHECK_EQUAL(asked->host.connections, 1); /* nothing is to be sent on another */
    free(asked);
}

/* The host reads once, and closes. */
UNIT_TEST(test_json_1, "json-1")
{
    static const struct script script[] = {
        {.word = {WORD(NOT_JSON)}}, {.word = {WORD(GENERATION)}}, {.word = {WORD(NO_PAYLOAD)}}};
    struct asked *asked = ask_auto(script, 3, COMMAND_ATTACH_HSM);
    check_done(asked, 3);
    CHECK_TRUE(began(asked, 1, "{\"sender_cid\":3,\"message\":\"GetVsockProtocol\"}"));
    CHECK_TRUE(began(asked, 2, "{\"sender_cid\":3,\"message\":\"attach-hsm\"}"));
    CHECK_TRUE(traced(asked, "answer to HELLO: received 43 bytes, \"{\"Err\":\"expected"));
    CHECK_TRUE(traced(asked, "answer to GetVsockProtocol: received "));
    CHECK_TRUE(traced(asked, "dialect json-1 (JSON, newer generation)"));
    CHECK_FALSE(asked->outcome.has_status);
    free(asked);
}

/* The answer to the search is the answer to get-vsock-version. */
UNIT_TEST(test_version_is_not_asked_twice, "the version is not asked twice")
{
    static const struct script script[] = {{.word = {WORD(NOT_JSON)}},
                                           {.word = {WORD(GENERATION)}}};
    struct asked *asked = ask_auto(script, 2, COMMAND_GET_VSOCK_VERSION);
    check_done(asked, 2);
    CHECK_EQUAL(asked->outcome.answer.kind, PAYLOAD_HOSTOS_VSOCK_VERSION);
    CHECK_EQUAL(asked->outcome.answer.vsock_version.patch, 3);
    free(asked);
    asked = ask_auto(script, 2, COMMAND_GET_UPGRADE_STATUS);
    CHECK_EQUAL(asked->outcome.result, CLIENT_NOT_CARRIED);
    CHECK_EQUAL(asked->host.connections, 2);
    free(asked);
}

/* What one host said of its version is nothing that the next one has said. */
UNIT_TEST(test_version_is_of_its_host, "a version is of its host")
{
    make_words();
    const struct script script[] = {
        {.word = {WORD(NOT_JSON)}},
        {.word = {WORD(GENERATION)}},
        {.word = {welcome, version_told}},
    };
    struct request request = request_of(COMMAND_GET_VSOCK_VERSION);
    struct asked *asked = exact_room(sizeof *asked);
    scripted_host_start(script, 3, &asked->host);
    struct client_setup setup = scripted_host_setup(&asked->host);
    client_init(&asked->client, &setup);
    client_ask(&asked->client, &request, &asked->outcome);
    CHECK_EQUAL(asked->outcome.answer.vsock_version.patch, 3);
    client_ask(&asked->client, &request, &asked->outcome);
    client_done(&asked->client);
    scripted_host_stop(&asked->host);
    check_done(asked, 3);
    CHECK_EQUAL(asked->outcome.answer.vsock_version.patch, 9);
    free(asked);
}

UNIT_TEST(test_json_0, "json-0")
{
    static const struct script script[] = {
        {.word = {WORD(INVALID)}}, {.word = {WORD(INVALID)}}, {.word = {WORD(ACCEPTED)}}};
    struct asked *asked = ask_auto(script, 3, COMMAND_UPGRADE);
    check_done(asked, 3);
    CHECK_TRUE(asked->outcome.only_accepted);
    CHECK_TRUE(began(asked, 2, "{\"sender_cid\":\"3\",\"message\":\"upgrade[http://h/i 000"));
    free(asked);
    asked = ask_auto(script, 3, COMMAND_NOTIFY);
    check_done(asked, 3);
    CHECK_FALSE(asked->outcome.only_accepted);
    free(asked);
    asked = ask_auto(script, 2, COMMAND_UPGRADE); /* the second script again */
    CHECK_EQUAL(asked->outcome.answer.type, ANSWER_ERROR);
    CHECK_FALSE(asked->outcome.only_accepted);
    free(asked);
}

/* A host that reads to the end is silent about HELLO. The first connection is kept meanwhile. */
UNIT_TEST(test_silence, "silence about HELLO")
{
    static const struct script script[] = {
        {.holds = true},
        {.reads_to_end = true, .word = {WORD(GENERATION)}},
        {.reads_to_end = true, .word = {WORD(HOSTOS)}},
    };
    struct asked *asked = ask_auto(script, 3, COMMAND_GET_HOSTOS_VERSION);
    check_done(asked, 3);
    CHECK_TEXT(asked->outcome.answer.hostos_version, "1.2.3");
    CHECK_TRUE(asked->host.connection[1].beside_first);
    free(asked);
}

/* A slow host of today is not taken for an old one, whatever becomes of the question in JSON. */
UNIT_TEST(test_slow_welcome, "a slow WELCOME")
{
    make_words();
    const struct script seconds[] = {
        {.holds = true},  {.word = {tlv_malformed}},       {.word = {{NULL, 0}}},
        {.leaves = true}, {.connect_error = ECONNREFUSED},
    };
    CHECK_EACH(i, seconds, "answer") {
        const struct script script[] = {{.pause_ms = SLOW_MS, .word = {welcome, done}}, seconds[i]};
        struct asked *asked = ask_auto(script, 2, COMMAND_ATTACH_HSM);
        CHECK_EQUAL(asked->outcome.result, CLIENT_ANSWERED);
        CHECK_EQUAL(asked->host.tries, 2);
        CHECK_TRUE(traced(asked, "dialect tlv-1"));
        free(asked);
    }
    const struct script script[] = {{.pause_ms = SLOW_MS, .word = {welcome, done}}};
    struct asked *asked = exact_room(sizeof *asked);
    scripted_host_start(script, 1, &asked->host);
    asked->host.cid_error[0] = -EACCES;
    struct client_setup setup = scripted_host_setup(&asked->host);
    ask(asked, &setup, COMMAND_ATTACH_HSM);
    check_done(asked, 1);
    free(asked);
}

/* Once a frame has begun, its rest is waited for. */
UNIT_TEST(test_begun_frame, "a frame that has begun")
{
    static const struct script script[] = {{.word = {WORD("VSC")}, .holds = true}};
    struct asked *asked = exact_room(sizeof *asked);
    scripted_host_start(script, 1, &asked->host);
    struct client_setup setup = scripted_host_setup(&asked->host);
    setup.deadline_ms = clock_deadline(SLOW_MS);
    ask(asked, &setup, COMMAND_ATTACH_HSM);
    CHECK_EQUAL(asked->outcome.result, CLIENT_TIME_OVER);
    CHECK_EQUAL(asked->host.connections, 1);
    free(asked);
}

/* Ends and resets on both connections are as good as a refused one. */
UNIT_TEST(test_tried_again, "tried again")
{
    make_words();
    const struct script script[] = {
        {.word = {{NULL, 0}}},
        {.leaves = true},
        {.leaves = true},
        {.word = {WORD("{\"Ok\":")}}, /* cut */
        {.word = {WORD(NOT_JSON)}},
        {.word = {WORD("{\"Err\":\"shutting_down: later\"}")}},
        {.word = {{NULL, 0}}},
        {.word = {tlv_malformed}}, /* it understands HELLO alone */
        {.connect_error = ECONNREFUSED},
        {.word = {welcome, done}},
    };
    struct asked *asked = exact_room(sizeof *asked);
    scripted_host_start(script, 10, &asked->host);
    struct client_setup setup = scripted_host_setup(&asked->host);
    setup.connect_ms = CLOCK_NEVER;
    ask(asked, &setup, COMMAND_ATTACH_HSM);
    check_done(asked, 9);
    CHECK_EQUAL(asked->host.tries, 10);
    free(asked);
}

/* The last try tells how it ended. */
UNIT_TEST(test_given_up, "given up")
{
    static const struct {
        struct script script[2];
        enum client_result result;
        int error;
        const char *text;
    } rows[] = {
        {{{.leaves = true}, {.leaves = true}},
         CLIENT_NO_CONNECTION,
         ECONNRESET,
         "the host closed the connection without answering the greeting"},
        {{{.word = {WORD("220 mail")}}, {.leaves = true}},
         CLIENT_NO_CONNECTION,
         ECONNRESET,
         "the host has not understood HELLO, and says no more; received \"220 mail\""},
        {{{.connect_error = EACCES}}, CLIENT_NO_CONNECTION, EACCES, "Permission denied"},
        {{{.word = {WORD(NOT_JSON)}}, {.connect_error = ENODEV}},
         CLIENT_NO_CONNECTION,
         ENODEV,
         "No such device"},
        {{{.word = {WORD("SSH-2.0")}}, {.word = {WORD("SSH-2.0")}}},
         CLIENT_NO_PROTOCOL,
         0,
         "the answer is no JSON; received \"SSH-2.0\""},
        {{{.word = {WORD(NOT_JSON)}}, {.word = {WORD(NOT_JSON)}}},
         CLIENT_NO_PROTOCOL,
         0,
         "the host refuses to tell its version; received \"" NOT_JSON "\""},
        {{{.leaves = true}, {.word = {WORD(NO_PAYLOAD)}}},
         CLIENT_NO_PROTOCOL,
         0,
         "the answer to GetVsockProtocol is none that a known host gives; received \"" NO_PAYLOAD
         "\""},
        {{{.leaves = true}, {.word = {WORD("{]")}}},
         CLIENT_NO_PROTOCOL,
         0,
         "the answer has bytes that are no JSON; received \"{]\""},
        {{{.word = {WORD("VSCX")}}},
         CLIENT_NO_PROTOCOL,
         0,
         "a frame's magic is wrong; expected the bytes VSCK; received \"VSCX\""},
        {{{.word = {WORD("VSCK\x00\x08")}}},
         CLIENT_NO_PROTOCOL,
         0,
         "a frame's header says version 0.8; expected 0.9; received \"VSCK\\x00\\x08\""},
    };
    CHECK_EACH(i, rows, "%s", rows[i].text) {
        struct asked *asked = exact_room(sizeof *asked);
        scripted_host_start(rows[i].script, 2, &asked->host);
        struct client_setup setup = scripted_host_setup(&asked->host);
        setup.connect_ms = 0;
        ask(asked, &setup, COMMAND_ATTACH_HSM);
        CHECK_EQUAL(asked->outcome.result, rows[i].result);
        CHECK_EQUAL(asked->outcome.error, rows[i].error);
        CHECK_STRING(asked->outcome.text, rows[i].text);
        CHECK_FALSE(asked->outcome.sent);
        free(asked);
    }
}

/* Just after boot the kernel does not know the CID: that is waited out. */
UNIT_TEST(test_cid, "the CID")
{
    static const struct script script[] = {{.word = {WORD(NOT_JSON)}},
                                           {.word = {WORD(NOT_JSON)}},
                                           {.word = {WORD(GENERATION)}},
                                           {.word = {WORD(NO_PAYLOAD)}}};
    struct asked *asked = exact_room(sizeof *asked);
    scripted_host_start(script, 4, &asked->host);
    asked->host.cid_error[0] = -EADDRNOTAVAIL;
    struct client_setup setup = scripted_host_setup(&asked->host);
    ask(asked, &setup, COMMAND_ATTACH_HSM);
    check_done(asked, 4);
    CHECK_EQUAL(asked->host.cids, 3);

    scripted_host_start(script, 4, &asked->host);
    asked->host.cid_error[0] = -EACCES;
    setup = scripted_host_setup(&asked->host);
    ask(asked, &setup, COMMAND_ATTACH_HSM);
    CHECK_EQUAL(asked->outcome.result, CLIENT_NO_CONNECTION);
    CHECK_EQUAL(asked->outcome.error, EACCES);
    CHECK_STRING(asked->outcome.text, "json-1 needs the CID of this machine: Permission denied");
    CHECK_EQUAL(asked->host.connections, 1);
    free(asked);
}

UNIT_TEST(test_stopped, "stopped")
{
    static const struct script script[] = {{.holds = true}, {.holds = true}};
    struct asked *asked = exact_room(sizeof *asked);
    int stop[2];
    REQUIRE_EQUAL(pipe2(stop, O_CLOEXEC), 0);
    scripted_host_start(script, 2, &asked->host);
    struct client_setup setup = scripted_host_setup(&asked->host);
    setup.stop_fd = stop[0];
    close(stop[1]); /* readable: the end */
    ask(asked, &setup, COMMAND_ATTACH_HSM);
    CHECK_EQUAL(asked->outcome.result, CLIENT_STOPPED);
    CHECK_FALSE(asked->outcome.sent);
    close(stop[0]);
    free(asked);
}

UNIT_TEST(test_silent_host, "a silent host")
{
    static const struct script script[] = {{.holds = true}};
    struct asked *asked = exact_room(sizeof *asked);
    scripted_host_start(script, 1, &asked->host);
    struct client_setup setup = scripted_host_setup(&asked->host);
    setup.deadline_ms = clock_deadline(SLOW_MS);
    ask(asked, &setup, COMMAND_ATTACH_HSM);
    CHECK_EQUAL(asked->outcome.result, CLIENT_TIME_OVER);
    CHECK_EQUAL(asked->host.connections, 2);

    scripted_host_start(script, 1, &asked->host);
    setup = scripted_host_setup(&asked->host);
    setup.deadline_ms = clock_deadline(100); /* less than the silence that makes it ask again */
    ask(asked, &setup, COMMAND_ATTACH_HSM);
    CHECK_EQUAL(asked->outcome.result, CLIENT_TIME_OVER);
    CHECK_EQUAL(asked->host.connections, 1);
    free(asked);
}

UNIT_TEST(test_fixed, "a dialect that is given")
{
    make_words();
    const struct {
        const char *dialect;
        struct script script;
    } rows[] = {
        {"tlv-1", {.word = {welcome, done}}},
        {"tlv-0", {.word = {WORD(OK_0)}}},
        {"json-1", {.reads_to_end = true, .word = {WORD(NO_PAYLOAD)}}},
        {"json-0", {.reads_to_end = true, .word = {WORD(ACCEPTED)}}},
    };
    CHECK_EACH(i, rows, "%s", rows[i].dialect) {
        struct asked *asked = ask_fixed(rows[i].dialect, &rows[i].script, COMMAND_ATTACH_HSM);
        check_done(asked, 1);
        free(asked);
        asked = ask_fixed(rows[i].dialect, &rows[i].script, COMMAND_GET_UPGRADE_STATUS);
        if (i > 0) {
            CHECK_EQUAL(asked->outcome.result, CLIENT_NOT_CARRIED);
            CHECK_EQUAL(asked->host.connections, 0);
        }
        free(asked);
    }
}

UNIT_TEST(test_fixed_failures, "failures of one that is given")
{
    static const struct {
        const char *dialect;
        struct script script;
        enum client_result result;
    } rows[] = {
        {"tlv-1", {.word = {WORD("{}")}}, CLIENT_NO_PROTOCOL},
        {"tlv-1", {.word = {WORD(OTHER_VERSION)}}, CLIENT_NO_PROTOCOL},
        {"tlv-1", {.leaves = true}, CLIENT_NO_CONNECTION},
        {"tlv-0", {.word = {WORD("{}")}}, CLIENT_BROKEN},
        {"json-1", {.word = {WORD("junk")}}, CLIENT_BROKEN},
        {"json-1", {.word = {WORD(ACCEPTED)}}, CLIENT_BROKEN},
        {"json-1", {.word = {WORD(HOSTOS)}}, CLIENT_BROKEN},
        {"json-0", {.word = {WORD(NO_PAYLOAD)}}, CLIENT_BROKEN},
    };
    CHECK_EACH(i, rows, "%s", rows[i].dialect) {
        struct asked *asked = ask_fixed(rows[i].dialect, &rows[i].script, COMMAND_ATTACH_HSM);
        CHECK_EQUAL(asked->outcome.result, rows[i].result);
        CHECK_EQUAL(asked->outcome.sent, rows[i].result == CLIENT_BROKEN);
        CHECK_EQUAL(asked->host.connections, 1);
        free(asked);
    }
}

/* A request in JSON whose connection ends without an answer: what changes something is not sent
 * again; a query is, on a way that is searched anew. */
UNIT_TEST(test_at_most_once, "at most once")
{
    static const struct script script[] = {
        {.word = {WORD(NOT_JSON)}}, {.word = {WORD(GENERATION)}}, {.word = {WORD("{")}},
        {.word = {WORD(NOT_JSON)}}, {.word = {WORD(GENERATION)}}, {.word = {WORD(HOSTOS)}},
    };
    struct asked *asked = ask_auto(script, 6, COMMAND_ATTACH_HSM);
    CHECK_EQUAL(asked->outcome.result, CLIENT_BROKEN);
    CHECK_TRUE(asked->outcome.sent);
    CHECK_EQUAL(asked->host.connections, 3);
    free(asked);
    asked = ask_auto(script, 6, COMMAND_GET_HOSTOS_VERSION);
    check_done(asked, 6);
    free(asked);
}

/* A connection for the request that cannot be made: nothing was sent, and all begins anew. */
UNIT_TEST(test_refused_request, "a request that is refused")
{
    static const struct script script[] = {
        {.word = {WORD(NOT_JSON)}},      {.word = {WORD(GENERATION)}},
        {.connect_error = ECONNREFUSED}, {.word = {WORD(OTHER_VERSION)}},
        {.word = {WORD(OK_0)}},
    };
    struct asked *asked = ask_auto(script, 5, COMMAND_ATTACH_HSM);
    check_done(asked, 4);
    CHECK_TRUE(traced(asked, "dialect tlv-0"));
    free(asked);
}

UNIT_TEST(test_too_long, "a request that is too long")
{
    static const struct script script[] = {{.word = {WORD(NO_PAYLOAD)}}};
    static char message[NOTIFY_MAX];
    struct asked *asked = exact_room(sizeof *asked);
    struct request request = {.command = COMMAND_NOTIFY, .message = {message, sizeof message}};
    memset(message, 'm', sizeof message);
    scripted_host_start(script, 1, &asked->host);
    struct client_setup setup = scripted_host_setup(&asked->host);
    setup.dialect = dialect_find("json-1");
    client_init(&asked->client, &setup);
    client_ask(&asked->client, &request, &asked->outcome);
    client_done(&asked->client);
    scripted_host_stop(&asked->host);
    CHECK_EQUAL(asked->outcome.result, CLIENT_TOO_LONG);
    CHECK_CONTAINS(asked->outcome.text, "json-1");
    CHECK_EQUAL(asked->host.connection[0].received, 0);
    free(asked);
}

UNIT_TEST(test_names, "names")
{
    char names[CLIENT_NAMES_MAX];
    const struct dialect *dialect = NULL;
    client_protocol_names(", ", names);
    CHECK_STRING(names, "auto, tlv-1, tlv-0, json-1, json-0");
    CHECK_EQUAL(client_find_protocol("json-0", &dialect), 0);
    CHECK_STRING(dialect->name, "json-0");
    CHECK_EQUAL(client_find_protocol("auto", &dialect), 0);
    CHECK_NULL(dialect);
    CHECK_EQUAL(client_find_protocol("tlv", &dialect), -ENOENT);
}

UNIT_MAIN("compat negotiate")
