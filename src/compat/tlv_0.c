/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/tlv_0.h"

#include "compat/dialect.h"
#include "wire/frame.h"
#include "wire/text.h"

#include <errno.h>

enum {
    MINOR = 9,
    MINOR_AT = 5,
    TYPE_AT = 6,
    RESERVED_AT = 7,
    LENGTH_AT = 8,
    FIELD_HEADER_SIZE = 3
};

bool tlv_0_claims(const uint8_t *bytes, size_t length)
{
    return length > FRAME_MAJOR_AT && frame_begins(bytes, length) && bytes[FRAME_MAJOR_AT] == 0;
}

void tlv_0_header_decode(const uint8_t bytes[TLV_0_HEADER_SIZE], struct tlv_0_header *ret)
{
    *ret = (struct tlv_0_header){
        .major = bytes[FRAME_MAJOR_AT],
        .minor = bytes[MINOR_AT],
        .type = bytes[TYPE_AT],
        .reserved = bytes[RESERVED_AT],
        .length = integer_read_16(bytes + LENGTH_AT),
    };
}

static int judge_header(const struct tlv_0_header *header, enum tlv_0_type first,
                        enum tlv_0_type last, uint32_t limit, struct protocol_error *protocol_error)
{
    if (header->type < (unsigned)first || header->type > (unsigned)last) {
        return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                  "a frame is of type %u; expected %d to %d", header->type, first,
                                  last);
    }
    if (header->reserved != 0) {
        return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                  "a frame's reserved byte is %u; expected 0", header->reserved);
    }
    if (header->length > limit) {
        return protocol_error_set(protocol_error, ERROR_TOO_LARGE,
                                  "a frame's payload has %u bytes; expected at most %u",
                                  header->length, limit);
    }
    return 0;
}

enum framing tlv_0_frame(const uint8_t *bytes, size_t length, bool eof, enum tlv_0_type first,
                         enum tlv_0_type last, uint32_t limit, size_t *frame_length,
                         struct protocol_error *protocol_error)
{
    struct tlv_0_header header;
    if (length > MINOR_AT && bytes[MINOR_AT] != MINOR) {
        (void)protocol_error_set(protocol_error, ERROR_UNSUPPORTED_VERSION, /* likewise */
                                 "a frame's header says version 0.%u; expected 0.%d",
                                 bytes[MINOR_AT], MINOR);
        return FRAMING_REFUSED;
    }
    if (length < TLV_0_HEADER_SIZE) {
        return framing_await(length, TLV_0_HEADER_SIZE, eof, frame_length, protocol_error);
    }
    tlv_0_header_decode(bytes, &header);
    if (judge_header(&header, first, last, limit, protocol_error) < 0) {
        return FRAMING_REFUSED;
    }
    return framing_await(length, TLV_0_HEADER_SIZE + (size_t)header.length, eof, frame_length,
                         protocol_error);
}

enum tlv_step tlv_0_next(struct tlv_reader *reader, struct tlv *ret)
{
    if (reader->reader.left == 0) {
        return TLV_END;
    }
    const uint8_t *header = reader_take(&reader->reader, FIELD_HEADER_SIZE);
    if (header == NULL) {
        return TLV_LEFT_OVER;
    }
    ret->tag = header[0];
    ret->length = integer_read_16(header + 1);
    ret->value = reader_take(&reader->reader, ret->length);
    if (ret->value == NULL) {
        return TLV_CUT;
    }
    bool in_order = !reader->begun || ret->tag > reader->last;
    reader->begun = true;
    reader->last = ret->tag;
    return in_order ? TLV_FIELD : TLV_ORDER;
}

static struct writer frame_writer(const struct reply *reply)
{
    static const uint8_t header[TLV_0_HEADER_SIZE] = {'V', 'S', 'C', 'K', 0, MINOR};
    struct writer writer = reply_writer(reply);
    writer_put(&writer, header, sizeof header);
    return writer;
}

static void put_header(struct writer *writer, uint8_t tag, size_t length)
{
    writer_put_integer(writer, sizeof tag, tag);
    writer_put_integer(writer, sizeof(uint16_t), length);
}

static void put_text(struct writer *writer, uint8_t tag, struct text text)
{
    put_header(writer, tag, text.length);
    writer_put(writer, text.bytes, text.length);
}

/* Fills in the header. 0 or -ENOBUFS; only 0 changes the reply. */
static int end_frame(const struct writer *writer, enum tlv_0_type type, struct reply *reply)
{
    if (writer->full) {
        return -ENOBUFS;
    }
    uint8_t *frame = writer->bytes + reply->length;
    frame[TYPE_AT] = (uint8_t)type;
    integer_write(frame + LENGTH_AT, sizeof(uint16_t),
                  writer->length - reply->length - TLV_0_HEADER_SIZE);
    reply->length = writer->length;
    return 0;
}

enum { TAG_URL = 2, TAG_SHA256 = 3, TAG_MESSAGE = 4, TAG_COUNT = 5 };

#define REQUEST_FIELD(tag, type, member, max)                                            \
    {                                                                                    \
        type, FIELD_MANDATORY, #member, offsetof(struct request, member), 0, tag, 0, max \
    }

static const struct {
    enum command command;
    struct field field;
} rows[] = {
    {COMMAND_UPGRADE, REQUEST_FIELD(TAG_URL, FIELD_TEXT, url, URL_MAX)},
    {COMMAND_UPGRADE, REQUEST_FIELD(TAG_SHA256, FIELD_SHA256, sha256, 0)},
    {COMMAND_NOTIFY, REQUEST_FIELD(TAG_MESSAGE, FIELD_TEXT, message, NOTIFY_MAX)},
    {COMMAND_NOTIFY, REQUEST_FIELD(TAG_COUNT, FIELD_U32, count, 0)},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

/* What an older host says of a frame of any other version, and nothing else. */
static const char other_version[] = "unsupported version";

const struct field *tlv_0_row(enum command command, unsigned tag)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].command == command && rows[i].field.tag == tag) {
            return &rows[i].field;
        }
    }
    return NULL;
}

/* 1: a field, 0: the end; -EBADMSG: anything else. */
static int next_field(struct tlv_reader *reader, struct tlv *ret,
                      struct protocol_error *protocol_error)
{
    enum tlv_step step = tlv_0_next(reader, ret);
    if (step == TLV_ORDER) {
        return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                  "field %u does not rise; expected a higher tag", ret->tag);
    }
    if (step == TLV_CUT || step == TLV_LEFT_OVER) {
        return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                  "the last field goes past the payload's end");
    }
    return step == TLV_FIELD ? 1 : 0;
}

static int read_command(struct tlv_reader *reader, struct request *ret,
                        struct protocol_error *protocol_error)
{
    struct tlv tlv;
    int got = next_field(reader, &tlv, protocol_error);
    if (got < 0) {
        return got;
    }
    if (got == 0 || tlv.tag != TLV_0_TAG_COMMAND || tlv.length != 1) {
        return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                  "the request does not begin with field 1 (command) of 1 byte");
    }
    if (tlv.value[0] < COMMAND_ATTACH_HSM || tlv.value[0] > COMMAND_NOTIFY) {
        return protocol_error_set(protocol_error, ERROR_UNKNOWN_COMMAND,
                                  "command %u; expected 1 to 5", tlv.value[0]);
    }
    ret->command = (enum command)tlv.value[0];
    return 0;
}

static int take_field(const struct tlv *tlv, struct request *ret, unsigned *tags,
                      struct protocol_error *protocol_error)
{
    const struct field *row = tlv_0_row(ret->command, tlv->tag);
    if (row == NULL) {
        return protocol_error_set(protocol_error, ERROR_UNSUPPORTED_FIELD,
                                  "field %u is not taken by %s", tlv->tag,
                                  command_name(ret->command));
    }
    *tags |= 1U << tlv->tag;
    return field_decode(row, tlv, ERROR_INVALID_ARGUMENT, ret, protocol_error);
}

static int judge_complete(enum command command, unsigned tags,
                          struct protocol_error *protocol_error)
{
    for (size_t i = 0; i < ROWS; i++) {
        const struct field *field = &rows[i].field;
        if (rows[i].command == command && (tags >> field->tag & 1U) == 0) {
            return protocol_error_set(protocol_error, ERROR_MALFORMED, "field %u (%s) is missing",
                                      field->tag, field->name);
        }
    }
    return 0;
}

int tlv_0_read_request(const uint8_t *payload, size_t length, struct request *ret,
                       struct protocol_error *protocol_error)
{
    struct tlv_reader reader = tlv_reader_of(payload, length);
    struct request request = {.command = COMMAND_NONE};
    struct tlv tlv;
    unsigned tags = 0;
    int error = read_command(&reader, &request, protocol_error);
    while (error == 0 && (error = next_field(&reader, &tlv, protocol_error)) > 0) {
        error = take_field(&tlv, &request, &tags, protocol_error);
    }
    error = error < 0 ? error : judge_complete(request.command, tags, protocol_error);
    if (error == 0) {
        *ret = request;
    }
    return error;
}

int tlv_0_read_text(const uint8_t *payload, size_t length, struct text *ret,
                    struct protocol_error *protocol_error)
{
    static const struct field row = {.type = FIELD_TEXT, .name = "text", .tag = TLV_0_TAG_TEXT};
    struct tlv_reader reader = tlv_reader_of(payload, length);
    struct tlv tlv = {0};
    int error = 0;
    *ret = (struct text){0};
    while (error == 0 && (error = next_field(&reader, &tlv, protocol_error)) > 0) {
        error = tlv.tag == TLV_0_TAG_TEXT
                    ? field_decode(&row, &tlv, ERROR_MALFORMED, ret, protocol_error)
                    : protocol_error_set(protocol_error, ERROR_MALFORMED,
                                         "an answer has field %u; expected 1", tlv.tag);
    }
    return error;
}

static enum framing frame(struct server_session *session, const uint8_t *bytes, size_t length,
                          bool eof, size_t *frame_length, struct protocol_error *protocol_error)
{
    return tlv_0_frame(bytes, length, eof, TLV_0_REQUEST, TLV_0_REQUEST, session->request_limit,
                       frame_length, protocol_error);
}

static enum decoding decode(struct server_session *session, uint8_t *bytes, size_t length,
                            struct request *request, struct protocol_error *protocol_error,
                            struct reply *reply)
{
    (void)session; /* no greeting, no CID */
    (void)reply;
    return tlv_0_read_request(bytes + TLV_0_HEADER_SIZE, length - TLV_0_HEADER_SIZE, request,
                              protocol_error) == 0
               ? DECODING_REQUEST
               : DECODING_REFUSED;
}

static int encode_answer(const struct server_session *session, const struct answer *answer,
                         struct reply *reply)
{
    (void)session; /* every answer is to the one request */
    char line[ANSWER_LINE_MAX];
    bool failed = answer->type == ANSWER_ERROR;
    if (answer->type == ANSWER_PROGRESS) {
        return 0;
    }
    struct text text = failed ? answer_error_line(answer, line) : answer->hostos_version;
    if (failed && answer->code == ERROR_UNSUPPORTED_VERSION) {
        text = text_of(other_version);
    }
    if (!utf8_valid(text.bytes, text.length)) {
        return -EINVAL;
    }
    struct writer writer = frame_writer(reply);
    if (failed || answer->kind == PAYLOAD_HOSTOS_VERSION) {
        put_text(&writer, TLV_0_TAG_TEXT, text);
    }
    return end_frame(&writer, failed ? TLV_0_ERROR : TLV_0_OK, reply);
}

static void put_arguments(const struct request *request, struct writer *writer)
{
    if (request->command == COMMAND_UPGRADE) {
        put_text(writer, TAG_URL, request->url);
        put_header(writer, TAG_SHA256, SHA256_SIZE);
        writer_put(writer, request->sha256, SHA256_SIZE);
    } else if (request->command == COMMAND_NOTIFY) {
        put_text(writer, TAG_MESSAGE, request->message);
        put_header(writer, TAG_COUNT, sizeof request->count);
        writer_put_integer(writer, sizeof request->count, request->count);
    }
}

static int encode_request(struct client_session *session, const struct request *request,
                          struct reply *out)
{
    if (request->command < COMMAND_ATTACH_HSM || request->command > COMMAND_NOTIFY) {
        return -EOPNOTSUPP;
    }
    int error = request_check_texts(request);
    if (error < 0) {
        return error;
    }
    struct writer writer = frame_writer(out);
    put_header(&writer, TLV_0_TAG_COMMAND, 1);
    writer_put_integer(&writer, 1, request->command);
    put_arguments(request, &writer);
    error = end_frame(&writer, TLV_0_REQUEST, out);
    if (error == 0) {
        session->command = request->command;
    }
    return error;
}

static enum framing frame_answer(struct client_session *session, const uint8_t *bytes,
                                 size_t length, bool eof, size_t *frame_length,
                                 struct protocol_error *protocol_error)
{
    (void)session; /* an answer is one by itself */
    if (!frame_begins(bytes, length) || (length > FRAME_MAJOR_AT && !tlv_0_claims(bytes, length))) {
        (void)protocol_error_set(protocol_error, ERROR_MALFORMED, /* its result is for decoders */
                                 "the answer is no frame of TLV wire 0.9");
        return FRAMING_REFUSED;
    }
    return tlv_0_frame(bytes, length, eof && length > 0, TLV_0_OK, TLV_0_ERROR, TLV_0_PAYLOAD_MAX,
                       frame_length, protocol_error);
}

static int decode_answer(struct client_session *session, bool greeting, uint8_t *bytes,
                         size_t length, struct answer *answer,
                         struct protocol_error *protocol_error)
{
    (void)greeting; /* there is none */
    struct text text;
    struct answer read = {.type = ANSWER_RESPONSE, .kind = PAYLOAD_NONE};
    int error = tlv_0_read_text(bytes + TLV_0_HEADER_SIZE, length - TLV_0_HEADER_SIZE, &text,
                                protocol_error);
    if (error < 0) {
        return error;
    }
    if (bytes[TYPE_AT] == TLV_0_ERROR) {
        *answer = answer_error_of_line(text);
        if (text_is(text, other_version)) {
            answer->code = ERROR_UNSUPPORTED_VERSION;
        }
        return 0;
    }
    if (text.bytes != NULL) {
        read.kind = PAYLOAD_HOSTOS_VERSION;
        read.hostos_version = text;
    }
    error = answer_judge_kind(session->command, &read, protocol_error);
    if (error == 0) {
        *answer = read;
    }
    return error;
}

const struct dialect dialect_tlv_0 = {
    .name = "tlv-0",
    .title = "TLV wire 0.9",
    .closes_after_answer = true,
    .carries = 1U << COMMAND_ATTACH_HSM | 1U << COMMAND_DETACH_HSM |
               1U << COMMAND_GET_HOSTOS_VERSION | 1U << COMMAND_UPGRADE | 1U << COMMAND_NOTIFY,
    .claims = tlv_0_claims,
    .frame = frame,
    .decode = decode,
    .encode_answer = encode_answer,
    .encode_request = encode_request,
    .frame_answer = frame_answer,
    .decode_answer = decode_answer,
};
