/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's side of tlv-1. */
#include "compat/dialects.h"
#include "support/drive.h"
#include "support/golden.h"
#include "support/message.h"
#include "support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define tlv_1 dialect_default

UNIT_TEST(test_greeting, "HELLO")
{
    struct golden_set set = golden_load("tlv-1");
    const struct golden *hello = golden_get(&set, "hello-1.0");
    struct client_session session = {.dialect = tlv_1};
    uint8_t bytes[256];
    struct reply out = {bytes, sizeof bytes, 0};
    CHECK_EQUAL(tlv_1->encode_greeting(&session, &out), 0);
    REQUIRE_EQUAL(out.length, hello->length);
    CHECK_BYTES(bytes, hello->bytes, hello->length);
    out.size = out.length + 3;
    CHECK_EQUAL(tlv_1->encode_greeting(&session, &out), -ENOBUFS);
    CHECK_EQUAL(out.length, hello->length);
    golden_free(&set);
}

/* The requests of the golden files, with the id that comes next. */
UNIT_TEST(test_requests, "requests")
{
    for (size_t i = 0; i < golden_messages_count; i++) {
        CHECK_ROW("%s", golden_messages[i].name);
        const struct golden_message *message = &golden_messages[i];
        struct client_session session = guest_agreed(COMMAND_NONE, GOLDEN_ID - 1);
        uint8_t bytes[1024];
        struct reply out = {bytes, sizeof bytes, 0};
        struct golden_message decoded;
        struct protocol_error protocol_error;
        if (message->type != FRAME_REQUEST) {
            continue;
        }
        CHECK_EQUAL(tlv_1->encode_request(&session, &message->request, &out), 0);
        CHECK_EQUAL(session.id, GOLDEN_ID);
        CHECK_EQUAL(session.command, message->request.command);
        CHECK_EQUAL(message_decode(bytes, out.length, &decoded, &protocol_error), 0);
        CHECK_TRUE(message_equal(&decoded, message));
    }
}

UNIT_TEST(test_request_ids, "request ids")
{
    struct client_session session = guest_agreed(COMMAND_NONE, UINT32_MAX);
    struct request request = {.command = COMMAND_ATTACH_HSM};
    uint8_t bytes[64];
    struct reply out = {bytes, sizeof bytes, 0};
    CHECK_EQUAL(tlv_1->encode_request(&session, &request, &out), 0);
    CHECK_EQUAL(session.id, 1); /* 0 is no id */
    CHECK_EQUAL(tlv_1->encode_request(&session, &request, &out), 0);
    CHECK_EQUAL(session.id, 2);
    CHECK_EQUAL(tlv_1->encode_request(&session, &request, &out), -ENOBUFS);
    CHECK_EQUAL(session.id, 2);
    CHECK_EQUAL(out.length, 44);
}

/* What the host told to be its limit, and what it is when nothing was told. */
UNIT_TEST(test_request_limit, "the host's request limit")
{
    static char text[NOTIFY_MAX];
    struct client_session session = guest_agreed(COMMAND_NONE, 0);
    struct request request = {.command = COMMAND_NOTIFY, .message = {text, sizeof text}};
    static uint8_t bytes[GUEST_REQUEST_MAX];
    struct reply out = {bytes, sizeof bytes, 0};
    memset(text, 'n', sizeof text);
    CHECK_EQUAL(tlv_1->encode_request(&session, &request, &out), 0);
    uint32_t payload = (uint32_t)out.length - FRAME_HEADER_SIZE;
    session.request_limit = payload;
    out.length = 0;
    CHECK_EQUAL(tlv_1->encode_request(&session, &request, &out), 0);
    session.request_limit = payload - 1;
    out.length = 0;
    CHECK_EQUAL(tlv_1->encode_request(&session, &request, &out), -EMSGSIZE);
    CHECK_EQUAL(out.length, 0);
    CHECK_EQUAL(session.id, 2);
    request.message = text_of("\xc0\x80");
    CHECK_EQUAL(tlv_1->encode_request(&session, &request, &out), -EINVAL);
}

static struct drive feed(struct client_session *session, const struct golden_set *set,
                         const char *name)
{
    const struct golden *file = golden_get(set, name);
    struct drive drive;
    drive_guest(session, file->bytes, file->length, 1, &drive);
    REQUIRE_EQUAL(drive.count, 1);
    return drive;
}

UNIT_TEST(test_welcome, "WELCOME, or ERROR in its place")
{
    struct golden_set set = golden_load("tlv-1");
    struct client_session session = {.dialect = tlv_1, .request_limit = 77};
    struct drive drive = feed(&session, &set, "welcome-1.0");
    CHECK_EQUAL(drive.event[0].kind, DRIVE_REPLY);
    CHECK_EQUAL(session.agreed.major, 1);
    CHECK_EQUAL(session.agreed.minor, 0);
    CHECK_EQUAL(session.request_limit, 16384);
    CHECK_STRING(session.host, "vsock_host/1.0.0");

    session = (struct client_session){.dialect = tlv_1, .request_limit = 77};
    drive = feed(&session, &set, "welcome-1.0-plain");
    CHECK_EQUAL(drive.event[0].kind, DRIVE_REPLY);
    CHECK_EQUAL(session.request_limit, 0);
    CHECK_STRING(session.host, "");

    session = (struct client_session){.dialect = tlv_1};
    drive = feed(&session, &set, "error-unsupported-version");
    CHECK_EQUAL(drive.event[0].kind, DRIVE_REQUEST);
    CHECK_EQUAL(drive.event[0].type, ANSWER_ERROR);
    CHECK_EQUAL(drive.event[0].code, ERROR_UNSUPPORTED_VERSION);
    CHECK_EQUAL(session.agreed.major, 0);
    golden_free(&set);
}

/* Hosts that agree on what was not offered. */
UNIT_TEST(test_not_offered, "WELCOME that was not offered")
{
    static const struct wire_version versions[] = {{1, 1}, {1, 7}, {2, 0}, {255, 255}};
    CHECK_EACH(i, versions, "version %u.%u", versions[i].major, versions[i].minor) {
        struct client_session session = {.dialect = tlv_1};
        struct welcome welcome = {.version = versions[i]};
        struct drive drive;
        uint8_t bytes[64];
        struct writer writer = {.bytes = bytes, .size = sizeof bytes};
        CHECK_EQUAL(codec_encode_welcome(&welcome, &writer), 0);
        drive_guest(&session, bytes, writer.length, DRIVE_WHOLE, &drive);
        REQUIRE_EQUAL(drive.count, 1);
        CHECK_EQUAL(drive.event[0].kind, DRIVE_REFUSED);
        CHECK_CONTAINS(drive.last.text, "not offered");
        CHECK_EQUAL(session.agreed.major, 0);
    }
}

/* A host that speaks wire 0.9 only answers HELLO so. */
UNIT_TEST(test_wire_0_9, "a host of wire 0.9")
{
    struct golden_set set = golden_load("tlv-0");
    struct client_session session = {.dialect = tlv_1};
    struct drive drive = feed(&session, &set, "error-unsupported-version");
    CHECK_EQUAL(drive.event[0].kind, DRIVE_REFUSED);
    CHECK_EQUAL(drive.event[0].code, ERROR_UNSUPPORTED_VERSION);
    golden_free(&set);
}

/* The host's name may be anything: it is shown escaped, and cut. */
UNIT_TEST(test_hostile_agent, "a hostile host's name")
{
    static char agent[1000];
    struct client_session session = {.dialect = tlv_1};
    struct welcome welcome = {.version = {1, 0}, .agent = {agent, sizeof agent}};
    static uint8_t bytes[2048];
    struct writer writer = {.bytes = bytes, .size = sizeof bytes};
    struct drive drive;
    memset(agent, '\x1b', sizeof agent);
    CHECK_EQUAL(codec_encode_welcome(&welcome, &writer), 0);
    drive_guest(&session, bytes, writer.length, DRIVE_WHOLE, &drive);
    CHECK_EQUAL(drive.event[0].kind, DRIVE_REPLY);
    CHECK_EQUAL(strlen(session.host) % 4, 0);
    CHECK_PREFIX(session.host, "\\x1b\\x1b");
}

static enum command command_of(const struct golden_message *message)
{
    for (unsigned command = 1; command <= COMMAND_LAST; command++) {
        if ((unsigned)command_answer((enum command)command) == message->answer.kind) {
            return (enum command)command;
        }
    }
    return COMMAND_ATTACH_HSM;
}

UNIT_TEST(test_answers, "answers")
{
    struct golden_set set = golden_load("tlv-1");
    for (size_t i = 0; i < golden_messages_count; i++) {
        CHECK_ROW("%s", golden_messages[i].name);
        const struct golden_message *message = &golden_messages[i];
        if (message->type < FRAME_PROGRESS && message->type != FRAME_ERROR) {
            continue;
        }
        struct client_session session = guest_agreed(command_of(message), GOLDEN_ID);
        struct drive drive = feed(&session, &set, message->name);
        CHECK_EQUAL(drive.event[0].kind, DRIVE_REQUEST);
        CHECK_EQUAL(drive.event[0].type, message->answer.type);
        CHECK_EQUAL(drive.event[0].code,
                    message->type == FRAME_ERROR ? message->answer.code : ERROR_NONE);
    }
    golden_free(&set);
}

/* Good frames at the wrong moment. */
UNIT_TEST(test_not_asked_for, "answers that were not asked for")
{
    struct golden_set set = golden_load("tlv-1");
    struct client_session session = guest_agreed(COMMAND_GET_HOSTOS_VERSION, GOLDEN_ID);
    struct drive drive = feed(&session, &set, "response-no-payload");
    CHECK_EQUAL(drive.event[0].kind, DRIVE_REFUSED);
    CHECK_STRING(drive.last.text,
                 "the answer to get-hostos-version is NoPayload; expected HostOSVersion");

    session = guest_agreed(COMMAND_UPGRADE, GOLDEN_ID);
    session.progress = false;
    drive = feed(&session, &set, "progress-queued");
    CHECK_EQUAL(drive.event[0].kind, DRIVE_REFUSED);
    CHECK_EQUAL(drive.event[0].frame_length, 0); /* by its header alone */
    session = guest_agreed(COMMAND_UPGRADE, GOLDEN_ID + 1);
    drive = feed(&session, &set, "response-no-payload");
    CHECK_EQUAL(drive.event[0].kind, DRIVE_REFUSED);
    drive = feed(&session, &set, "welcome-1.0");
    CHECK_EQUAL(drive.event[0].kind, DRIVE_REFUSED);
    drive = feed(&session, &set, "request-attach-hsm");
    CHECK_EQUAL(drive.event[0].kind, DRIVE_REFUSED);

    session = (struct client_session){.dialect = tlv_1};
    drive = feed(&session, &set, "error-busy"); /* the answer to HELLO has no id */
    CHECK_EQUAL(drive.event[0].kind, DRIVE_REFUSED);
    golden_free(&set);
}

UNIT_TEST(test_connection_error, "an error about the connection")
{
    struct golden_set set = golden_load("tlv-1");
    struct client_session session = guest_agreed(COMMAND_UPGRADE, GOLDEN_ID);
    struct drive drive = feed(&session, &set, "error-timeout"); /* id 0: about the connection */
    CHECK_EQUAL(drive.event[0].kind, DRIVE_REQUEST);
    CHECK_EQUAL(drive.event[0].code, ERROR_TIMEOUT);
    golden_free(&set);
}

/* From the header alone: nothing of 4 GiB is waited for. */
UNIT_TEST(test_hostile_lengths, "hostile lengths")
{
    static const uint32_t lengths[] = {FRAME_PAYLOAD_MAX + 1, INT32_MAX, UINT32_MAX - 15,
                                       UINT32_MAX};
    struct client_session session = guest_agreed(COMMAND_UPGRADE, GOLDEN_ID);
    struct frame_header header = {.version = {1, 0}, .type = FRAME_RESPONSE, .id = GOLDEN_ID};
    uint8_t bytes[FRAME_HEADER_SIZE];
    struct protocol_error protocol_error = {0};
    size_t taken = 0;
    CHECK_EACH(i, lengths, "%u", lengths[i]) {
        header.length = lengths[i];
        frame_header_encode(&header, bytes);
        CHECK_EQUAL(
            tlv_1->frame_answer(&session, bytes, sizeof bytes, false, &taken, &protocol_error),
            FRAMING_REFUSED);
        CHECK_EQUAL(protocol_error.code, ERROR_MALFORMED);
    }
    header.length = FRAME_PAYLOAD_MAX;
    frame_header_encode(&header, bytes);
    CHECK_EQUAL(tlv_1->frame_answer(&session, bytes, sizeof bytes, false, &taken, &protocol_error),
                FRAMING_MORE);
    CHECK_EQUAL(tlv_1->frame_answer(&session, bytes, sizeof bytes, true, &taken, &protocol_error),
                FRAMING_REFUSED);
    CHECK_CONTAINS(protocol_error.text, "ended inside a frame");
    CHECK_EQUAL(tlv_1->frame_answer(&session, bytes, 0, true, &taken, &protocol_error),
                FRAMING_MORE);
}

UNIT_MAIN("compat guest")
