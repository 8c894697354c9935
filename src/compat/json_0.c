/* SPDX-License-Identifier: Apache-2.0 */
/* json-0, the older JSON generation: sender_cid and all arguments are parts of texts, and there are
 * two answers. docs/protocol.md, "json-0". */
#include "compat/json_envelope.h"
#include "wire/number.h"
#include "wire/text.h"

#include <errno.h>
#include <stdio.h>

#define ACCEPTED                "accepted request"
#define INVALID                 "invalid request"
#define ANSWER(message, status) "{\"message\": \"" message "\", \"status\": \"" status "\"}"

enum {
    DIGITS_MAX = 10,                    /* of 2^32 - 1 */
    MESSAGE_MAX = NOTIFY_MAX + URL_MAX, /* more than any message with its name and brackets */
};

struct message_row {
    const char *name;
    enum command command; /* COMMAND_NONE: retired */
    /* Of a message with arguments in brackets: */
    int (*read)(struct text arguments, struct request *ret, struct protocol_error *protocol_error);
    void (*write)(const struct request *request, struct writer *out);
};

/* A CID or a count: plain decimal, below 2^32. */
static int read_number(struct text digits, uint64_t *ret)
{
    char plain[DIGITS_MAX + 1] = "";
    bool padded = digits.length > 1 && digits.bytes[0] == '0';
    if (padded || digits.length > DIGITS_MAX) {
        return -EINVAL;
    }
    memcpy(plain, digits.bytes, digits.length);
    return decimal_parse(plain, 0, UINT32_MAX, ret) < 0 ? -EINVAL : 0;
}

/* Splits at the first such byte: false when there is none. */
static bool split(struct text text, char at, struct text *left, struct text *right)
{
    const char *found = text.length > 0 ? memchr(text.bytes, at, text.length) : NULL;
    if (found == NULL) {
        return false;
    }
    *left = (struct text){text.bytes, (size_t)(found - text.bytes)};
    *right = (struct text){found + 1, text.length - left->length - 1};
    return true;
}

static int refuse_long(const char *what, size_t length, size_t max,
                       struct protocol_error *protocol_error)
{
    return protocol_error_set(protocol_error, ERROR_INVALID_ARGUMENT,
                              "%s has %zu bytes; expected at most %zu", what, length, max);
}

static int read_upgrade(struct text arguments, struct request *ret,
                        struct protocol_error *protocol_error)
{
    struct text hash;
    if (!split(arguments, ' ', &ret->url, &hash)) {
        return protocol_error_set(protocol_error, ERROR_MALFORMED, "upgrade lacks [URL HASH]");
    }
    if (ret->url.length > URL_MAX) {
        return refuse_long("the url", ret->url.length, URL_MAX, protocol_error);
    }
    return json_host_sha256(hash, ret->sha256, protocol_error);
}

static void put_word(struct writer *out, const char *word)
{
    writer_put(out, word, strlen(word));
}

static void write_upgrade(const struct request *request, struct writer *out)
{
    char digits[SHA256_HEX + 1];
    sha256_format(request->sha256, digits);
    writer_put(out, request->url.bytes, request->url.length);
    put_word(out, " ");
    put_word(out, digits);
}

static int read_notify(struct text arguments, struct request *ret,
                       struct protocol_error *protocol_error)
{
    struct text digits;
    uint64_t count = 0;
    if (!split(arguments, ',', &digits, &ret->message) || read_number(digits, &count) < 0) {
        return protocol_error_set(protocol_error, ERROR_MALFORMED, "notify lacks [COUNT, MESSAGE]");
    }
    if (ret->message.length > 0 && ret->message.bytes[0] == ' ') {
        ret->message = (struct text){ret->message.bytes + 1, ret->message.length - 1};
    }
    if (ret->message.length > NOTIFY_MAX) {
        return refuse_long("the message", ret->message.length, NOTIFY_MAX, protocol_error);
    }
    ret->count = (uint32_t)count;
    return 0;
}

static void write_notify(const struct request *request, struct writer *out)
{
    char count[DIGITS_MAX + 1];
    snprintf(count, sizeof count, "%u", request->count);
    put_word(out, count);
    put_word(out, ", ");
    writer_put(out, request->message.bytes, request->message.length);
}

static const struct message_row rows[] = {
    {"attach-hsm", COMMAND_ATTACH_HSM, NULL, NULL},
    {"detach-hsm", COMMAND_DETACH_HSM, NULL, NULL},
    {"upgrade", COMMAND_UPGRADE, read_upgrade, write_upgrade},
    {"notify", COMMAND_NOTIFY, read_notify, write_notify},
    {"set-node-id", COMMAND_NONE, NULL, NULL},
    {"join-success", COMMAND_NONE, NULL, NULL},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

/* A message as written: NAME, or NAME [ARGUMENTS]. */
struct call {
    struct text name;
    bool has_arguments;
    struct text arguments;
};

static int refuse_form(struct protocol_error *protocol_error)
{
    return protocol_error_set(protocol_error, ERROR_MALFORMED,
                              "the message is not of the form NAME or NAME[ARGUMENTS]");
}

static int read_call(struct text text, struct call *ret, struct protocol_error *protocol_error)
{
    struct call call = {.has_arguments = split(text, '[', &call.name, &call.arguments)};
    if (!call.has_arguments) {
        *ret = (struct call){.name = text};
        return 0;
    }
    if (call.arguments.length == 0 || call.arguments.bytes[call.arguments.length - 1] != ']') {
        return refuse_form(protocol_error);
    }
    call.arguments.length--;
    while (call.name.length > 0 &&
           json_frame_is_blank((uint8_t)call.name.bytes[call.name.length - 1])) {
        call.name.length--;
    }
    *ret = call;
    return 0;
}

static const struct message_row *row_of(struct text name)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (text_is(name, rows[i].name)) {
            return &rows[i];
        }
    }
    return NULL;
}

static int read_row(const struct call *call, struct request *ret,
                    struct protocol_error *protocol_error)
{
    const struct message_row *row = row_of(call->name);
    if (row == NULL) {
        return protocol_error_set(
            protocol_error, ERROR_UNKNOWN_COMMAND,
            "the message is not known; expected attach-hsm, detach-hsm, upgrade or "
            "notify");
    }
    if (row->command == COMMAND_NONE) {
        return protocol_error_set(protocol_error, ERROR_UNKNOWN_COMMAND,
                                  "%s is retired: nothing was done", row->name);
    }
    if (call->has_arguments != (row->read != NULL)) {
        return refuse_form(protocol_error);
    }
    ret->command = row->command;
    return row->read == NULL ? 0 : row->read(call->arguments, ret, protocol_error);
}

static int read_cid(const struct json *cid, uint64_t *ret)
{
    struct text digits;
    return json_get_text(cid, &digits) < 0 ? -EINVAL : read_number(digits, ret);
}

static int read_message(const struct json *message, struct writer *kept, struct request *ret,
                        struct protocol_error *protocol_error)
{
    struct text text;
    struct call call = {0};
    if (json_get_text(message, &text) < 0) {
        return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                  "the message is missing or no text");
    }
    int error = json_host_keep("the message", text, SIZE_MAX, kept, &text, protocol_error);
    error = error < 0 ? error : read_call(text, &call, protocol_error);
    return error < 0 ? error : read_row(&call, ret, protocol_error);
}

static int encode_answer(const struct server_session *session, const struct answer *answer,
                         struct reply *reply)
{
    static const char accepted[] = ANSWER(ACCEPTED, "ok");
    static const char invalid[] = ANSWER(INVALID, "error");
    bool failed = answer->type == ANSWER_ERROR;
    struct writer writer = reply_writer(reply);
    (void)session; /* every answer is to the one request */
    if (answer->type == ANSWER_PROGRESS) {
        return 0;
    }
    writer_put(&writer, failed ? invalid : accepted,
               (failed ? sizeof invalid : sizeof accepted) - 1);
    if (writer.full) {
        return -ENOBUFS;
    }
    reply->length = writer.length;
    return 0;
}

static struct json *make_message(const struct request *request)
{
    char message[MESSAGE_MAX];
    struct writer writer = {.bytes = (uint8_t *)message, .size = sizeof message};
    const struct message_row *row = rows;
    while (row->command != request->command) {
        row++; /* the generation carries the command, so it has a row */
    }
    put_word(&writer, row->name);
    if (row->write != NULL) {
        put_word(&writer, "[");
        row->write(request, &writer);
        put_word(&writer, "]");
    }
    return json_make_text((struct text){message, writer.length});
}

static struct json *make_cid(uint32_t cid)
{
    char digits[DIGITS_MAX + 1];
    snprintf(digits, sizeof digits, "%u", cid);
    return json_make_text(text_of(digits));
}

static bool member_is(const struct json *value, const char *key, const char *word)
{
    struct text text;
    return json_get_text(json_member(value, key), &text) == 0 && text_is(text, word);
}

static int read_answer(const struct json *value, struct answer *ret,
                       struct protocol_error *protocol_error)
{
    if (member_is(value, "message", ACCEPTED) && member_is(value, "status", "ok")) {
        *ret = (struct answer){.type = ANSWER_RESPONSE, .kind = PAYLOAD_NONE};
        return 0;
    }
    if (member_is(value, "message", INVALID) && member_is(value, "status", "error")) {
        *ret = answer_error(ERROR_INVALID_ARGUMENT, INVALID);
        return 0;
    }
    return protocol_error_set(protocol_error, ERROR_MALFORMED,
                              "the answer is none of the two that this dialect has");
}

static const struct json_generation generation = {
    .cid_is_text = true,
    .read_cid = read_cid,
    .read_message = read_message,
    .read_answer = read_answer,
    .make_cid = make_cid,
    .make_message = make_message,
};

const struct dialect dialect_json_0 = {
    .name = "json-0",
    .title = "JSON, older generation",
    .closes_after_answer = true,
    .upgrade_answered_on_accept = true,
    .has_sender_cid = true,
    .half_closes = true,
    .carries = 1U << COMMAND_ATTACH_HSM | 1U << COMMAND_DETACH_HSM | 1U << COMMAND_UPGRADE |
               1U << COMMAND_NOTIFY,
    .json = &generation,
    .frame = json_host_frame,
    .decode = json_host_decode,
    .encode_answer = encode_answer,
    .encode_request = json_guest_encode,
    .frame_answer = json_guest_frame,
    .decode_answer = json_guest_decode,
};
