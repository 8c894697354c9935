/* SPDX-License-Identifier: Apache-2.0 */
/* json-1, the newer JSON generation: sender_cid is a number, and arguments are members of their
 * own. docs/protocol.md, "json-1". */
#include "compat/json_envelope.h"
#include "wire/number.h"
#include "wire/text.h"

#include <errno.h>

/* The major of HostOSVsockVersion. */
enum { GENERATION = 1 };

struct message_row {
    const char *name;
    enum command command;
    /* Of a message with arguments: */
    int (*read)(const struct json *arguments, struct writer *kept, struct request *ret,
                struct protocol_error *protocol_error);
    struct json *(*make)(const struct request *request);
};

static int refuse_argument(const char *what, struct protocol_error *protocol_error)
{
    return protocol_error_set(protocol_error, ERROR_MALFORMED, "the message lacks %s", what);
}

static int read_upgrade(const struct json *arguments, struct writer *kept, struct request *ret,
                        struct protocol_error *protocol_error)
{
    struct text url;
    struct text hash;
    if (json_get_text(json_member(arguments, "url"), &url) < 0) {
        return refuse_argument("a url, a text", protocol_error);
    }
    if (json_get_text(json_member(arguments, "target-hash"), &hash) < 0) {
        return refuse_argument("a target-hash, a text", protocol_error);
    }
    int error = json_host_sha256(hash, ret->sha256, protocol_error);
    return error < 0 ? error
                     : json_host_keep("the url", url, URL_MAX, kept, &ret->url, protocol_error);
}

static struct json *make_upgrade(const struct request *request)
{
    char digits[SHA256_HEX + 1];
    struct json *arguments = json_make_object();
    sha256_format(request->sha256, digits);
    json_put(&arguments, "url", json_make_text(request->url));
    json_put(&arguments, "target-hash", json_make_text(text_of(digits)));
    return arguments;
}

static int read_notify(const struct json *arguments, struct writer *kept, struct request *ret,
                       struct protocol_error *protocol_error)
{
    uint64_t count = 0;
    struct text message;
    if (json_get_number(json_member(arguments, "count"), UINT32_MAX, &count) < 0) {
        return refuse_argument("a count, an integer from 0 to 4294967295", protocol_error);
    }
    if (json_get_text(json_member(arguments, "message"), &message) < 0) {
        return refuse_argument("a message, a text", protocol_error);
    }
    ret->count = (uint32_t)count;
    return json_host_keep("the message", message, NOTIFY_MAX, kept, &ret->message, protocol_error);
}

static struct json *make_notify(const struct request *request)
{
    struct json *arguments = json_make_object();
    json_put(&arguments, "count", json_make_number(request->count));
    json_put(&arguments, "message", json_make_text(request->message));
    return arguments;
}

static const struct message_row rows[] = {
    {"attach-hsm", COMMAND_ATTACH_HSM, NULL, NULL},
    {"detach-hsm", COMMAND_DETACH_HSM, NULL, NULL},
    {"GetVsockProtocol", COMMAND_GET_VSOCK_VERSION, NULL, NULL},
    {"GetHostOSVersion", COMMAND_GET_HOSTOS_VERSION, NULL, NULL},
    {"start-upgrade-guest-vm", COMMAND_START_UPGRADE_GUEST_VM, NULL, NULL},
    {"upgrade", COMMAND_UPGRADE, read_upgrade, make_upgrade},
    {"notify", COMMAND_NOTIFY, read_notify, make_notify},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

/* A message is the row's name, or an object with the name as its one key. */
static bool is_of_row(const struct json *message, const struct message_row *row)
{
    struct text name;
    if (json_get_text(message, &name) == 0) {
        return text_is(name, row->name);
    }
    return json_members(message) == 1 && json_member(message, row->name) != NULL;
}

static int read_row(const struct json *message, const struct message_row *row, struct writer *kept,
                    struct request *ret, struct protocol_error *protocol_error)
{
    const struct json *arguments = json_member(message, row->name);
    ret->command = row->command;
    if (row->read != NULL) {
        return row->read(arguments, kept, ret, protocol_error);
    }
    if (arguments != NULL && !json_says_null(arguments)) {
        return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                  "%s has arguments; expected null", row->name);
    }
    return 0;
}

static int read_message(const struct json *message, struct writer *kept, struct request *ret,
                        struct protocol_error *protocol_error)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (is_of_row(message, &rows[i])) {
            return read_row(message, &rows[i], kept, ret, protocol_error);
        }
    }
    return protocol_error_set(
        protocol_error, ERROR_UNKNOWN_COMMAND,
        "the message is missing or not known; expected attach-hsm, detach-hsm, "
        "GetVsockProtocol, GetHostOSVersion, start-upgrade-guest-vm, upgrade or "
        "notify");
}

static int read_cid(const struct json *cid, uint64_t *ret)
{
    return json_get_number(cid, UINT32_MAX, ret);
}

/* Streams of both generations: sender_cid comes later. */
static bool claims(const uint8_t *bytes, size_t length)
{
    (void)length; /* at least 1 */
    return bytes[0] == '{' || json_frame_is_blank(bytes[0]);
}

static int encode_answer(const struct server_session *session, const struct answer *answer,
                         struct reply *reply)
{
    (void)session; /* every answer is to the one request */
    if (answer->type == ANSWER_PROGRESS) {
        return 0;
    }
    if (!utf8_valid(answer->message.bytes, answer->message.length) ||
        !utf8_valid(answer->hostos_version.bytes, answer->hostos_version.length)) {
        return -EINVAL;
    }
    struct json *value = json_make_object();
    if (answer->type == ANSWER_ERROR) {
        char line[ANSWER_LINE_MAX];
        json_put(&value, "Err", json_make_text(answer_error_line(answer, line)));
    } else {
        struct answer ok = *answer;
        ok.vsock_version.major = GENERATION;
        json_put(&value, "Ok", json_text_value(&ok));
    }
    return json_write(value, reply);
}

static struct json *make_message(const struct request *request)
{
    const struct message_row *row = rows;
    while (row->command != request->command) {
        row++; /* the generation carries the command, so it has a row */
    }
    if (row->make == NULL) {
        return json_make_text(text_of(row->name));
    }
    struct json *message = json_make_object();
    json_put(&message, row->name, row->make(request));
    return message;
}

static struct json *make_cid(uint32_t cid)
{
    return json_make_number(cid);
}

static int read_version(const struct json *value, struct answer *ret,
                        struct protocol_error *protocol_error)
{
    uint64_t number[3] = {0};
    if (json_get_number(json_member(value, "major"), UINT32_MAX, &number[0]) < 0 ||
        json_get_number(json_member(value, "minor"), UINT32_MAX, &number[1]) < 0 ||
        json_get_number(json_member(value, "patch"), UINT32_MAX, &number[2]) < 0) {
        return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                  "HostOSVsockVersion lacks a number of major, minor and patch");
    }
    if (number[0] != GENERATION) {
        return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                  "HostOSVsockVersion says major %u; expected %d in this dialect",
                                  (unsigned)number[0], GENERATION);
    }
    ret->kind = PAYLOAD_HOSTOS_VSOCK_VERSION;
    ret->vsock_version =
        (struct release_version){(uint32_t)number[0], (uint32_t)number[1], (uint32_t)number[2]};
    return 0;
}

static int read_ok(const struct json *ok, struct answer *ret, struct protocol_error *protocol_error)
{
    struct text text;
    const struct json *version = json_member(ok, payload_name(PAYLOAD_HOSTOS_VSOCK_VERSION));
    if (json_get_text(ok, &text) == 0 && text_is(text, payload_name(PAYLOAD_NONE))) {
        ret->kind = PAYLOAD_NONE;
        return 0;
    }
    if (json_get_text(json_member(ok, payload_name(PAYLOAD_HOSTOS_VERSION)), &text) == 0) {
        ret->kind = PAYLOAD_HOSTOS_VERSION;
        ret->hostos_version = text;
        return 0;
    }
    if (version != NULL) {
        return read_version(version, ret, protocol_error);
    }
    return protocol_error_set(protocol_error, ERROR_MALFORMED,
                              "the answer is Ok, but with nothing that is known");
}

static int read_answer(const struct json *value, struct answer *ret,
                       struct protocol_error *protocol_error)
{
    struct text line;
    *ret = (struct answer){.type = ANSWER_RESPONSE};
    if (json_members(value) == 1 && json_get_text(json_member(value, "Err"), &line) == 0) {
        *ret = answer_error_of_line(line);
        return 0;
    }
    if (json_members(value) == 1 && json_member(value, "Ok") != NULL) {
        return read_ok(json_member(value, "Ok"), ret, protocol_error);
    }
    return protocol_error_set(protocol_error, ERROR_MALFORMED,
                              "the answer is neither Ok nor Err with a text");
}

static const struct json_generation generation = {
    .read_cid = read_cid,
    .read_message = read_message,
    .read_answer = read_answer,
    .make_cid = make_cid,
    .make_message = make_message,
};

const struct dialect dialect_json_1 = {
    .name = "json-1",
    .title = "JSON, newer generation",
    .closes_after_answer = true,
    .has_sender_cid = true,
    .half_closes = true,
    .carries = 1U << COMMAND_ATTACH_HSM | 1U << COMMAND_DETACH_HSM |
               1U << COMMAND_GET_HOSTOS_VERSION | 1U << COMMAND_UPGRADE | 1U << COMMAND_NOTIFY |
               1U << COMMAND_GET_VSOCK_VERSION | 1U << COMMAND_START_UPGRADE_GUEST_VM,
    .json = &generation,
    .claims = claims,
    .frame = json_host_frame,
    .decode = json_host_decode,
    .encode_answer = encode_answer,
    .encode_request = json_guest_encode,
    .frame_answer = json_guest_frame,
    .decode_answer = json_guest_decode,
};
