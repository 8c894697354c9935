/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/dissect.h"

#include "compat/dialects.h"
#include "compat/json_envelope.h"
#include "compat/tlv_0.h"
#include "wire/layout.h"
#include "wire/number.h"
#include "wire/payload_text.h"
#include "wire/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { VALUE_MAX = 512, BYTES_SHOWN = 32 };

PRINTF_LIKE(2, 3) static void say(const struct dissector *dissector, const char *format, ...)
{
    char line[DISSECT_LINE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    dissector->line(dissector->context, line);
}

static enum dissected say_wrong(const struct dissector *dissector, const char *text)
{
    say(dissector, "  wrong: %s", text);
    return DISSECTED_WRONG;
}

/* The capture ends inside a `what` of which `length` bytes are there. */
static enum dissected say_cut(const struct dissector *dissector, uint64_t offset, size_t length,
                              const char *what)
{
    say(dissector, "offset %" PRIu64 ": the bytes end inside a %s: only %zu are there", offset,
        what, length);
    return DISSECTED_LOST;
}

static void format_bytes(const struct tlv *tlv, char out[VALUE_MAX])
{
    int length = snprintf(out, VALUE_MAX, "bytes");
    for (size_t i = 0; i < tlv->length && i < BYTES_SHOWN; i++) {
        length += snprintf(out + length, VALUE_MAX - (size_t)length, " %02x", tlv->value[i]);
    }
    if (tlv->length > BYTES_SHOWN) {
        snprintf(out + length, VALUE_MAX - (size_t)length, " ...");
    }
}

static void format_text(struct text text, char out[VALUE_MAX])
{
    char shown[VALUE_MAX - sizeof "\"\"..."];
    size_t needed = escape_text(text, ESCAPE_LINE, shown, sizeof shown);
    snprintf(out, VALUE_MAX, "\"%s\"%s", shown, needed >= sizeof shown ? "..." : "");
}

static void format_named(enum field_type type, unsigned number, char out[VALUE_MAX])
{
    const char *name = type == FIELD_COMMAND ? command_name(number)
                       : type == FIELD_KIND  ? payload_name(number)
                       : type == FIELD_PHASE ? phase_name(number)
                                             : error_name(number);
    snprintf(out, VALUE_MAX, "%u (%s)", number, name != NULL ? name : "not known");
}

static void format_pairs(const struct tlv *tlv, char out[VALUE_MAX])
{
    size_t length = 0;
    out[0] = '\0';
    for (size_t i = 0; i + 1 < tlv->length && length < VALUE_MAX - 1; i += 2) {
        length += (size_t)snprintf(out + length, VALUE_MAX - length, "%s%u.%u", i > 0 ? ", " : "",
                                   tlv->value[i], tlv->value[i + 1]);
    }
}

/* A value whose width is the one of its type. */
static void format_value(const struct field *row, const struct tlv *tlv, char out[VALUE_MAX])
{
    switch (row->type) {
    case FIELD_COMMAND:
    case FIELD_KIND:
    case FIELD_PHASE:
    case FIELD_CODE:
        format_named(row->type, integer_read_16(tlv->value), out);
        return;
    case FIELD_FLAG:
    case FIELD_U32:
    case FIELD_U64:
        snprintf(out, VALUE_MAX, "%" PRIu64, integer_read(tlv->value, tlv->length));
        return;
    case FIELD_TEXT:
    case FIELD_PRINTABLE:
        format_text((struct text){(const char *)tlv->value, tlv->length}, out);
        return;
    case FIELD_SHA256:
        sha256_format(tlv->value, out);
        return;
    case FIELD_VERSION:
    case FIELD_VERSIONS:
        format_pairs(tlv, out);
        return;
    case FIELD_RELEASE:
        snprintf(out, VALUE_MAX, "%u.%u.%u", integer_read_32(tlv->value),
                 integer_read_32(tlv->value + 4), integer_read_32(tlv->value + 8));
        return;
    }
    format_bytes(tlv, out);
}

/* `row` NULL: the field is not known, and is skipped or refused by a receiver. */
static void dissect_field(const struct dissector *dissector, const struct field *row,
                          const struct tlv *tlv, bool skipped)
{
    char value[VALUE_MAX];
    if (row == NULL) {
        format_bytes(tlv, value);
        say(dissector, "  field %u, not known, so %s (%u bytes): %s", tlv->tag,
            skipped ? "skipped" : "refused", tlv->length, value);
        return;
    }
    size_t width = field_type_width(row->type);
    if (width != 0 && width != tlv->length) {
        format_bytes(tlv, value);
    } else {
        format_value(row, tlv, value);
    }
    say(dissector, "  field %u %s (%s; %u bytes): %s", tlv->tag, row->name,
        field_type_name(row->type), tlv->length, value);
}

static void say_text(const struct dissector *dissector, const char *name, struct text text)
{
    char value[VALUE_MAX];
    format_text(text, value);
    say(dissector, "  %s: %s", name, value);
}

/* A JSON object of a dialect (NULL: of none). */
static void say_object(const struct dissector *dissector, uint64_t offset,
                       const struct dialect *dialect, const char *what, size_t length)
{
    say(dissector, "offset %" PRIu64 ": %s%s%s, %zu bytes", offset,
        dialect != NULL ? dialect->name : "", dialect != NULL ? " " : "", what, length);
}

static enum dissected dissect_request(const struct dissector *dissector, uint64_t offset,
                                      const uint8_t *bytes, size_t length)
{
    uint8_t texts[GUEST_ANSWER_MAX]; /* as long as any capture's window */
    char digits[SHA256_HEX + 1];
    struct json_request read;
    struct protocol_error protocol_error;
    int error = json_read_request(dialects, bytes, length, texts, &read, &protocol_error);
    const struct request *request = &read.request;
    say_object(dissector, offset, read.dialect, "request (guest to host)", length);
    if (error < 0) {
        return say_wrong(dissector, protocol_error.text);
    }
    say(dissector, "  sender_cid: %u", read.cid);
    say(dissector, "  message: %s", command_name(request->command));
    if (request->command == COMMAND_UPGRADE) {
        sha256_format(request->sha256, digits);
        say_text(dissector, "url", request->url);
        say(dissector, "  hash: %s", digits);
    } else if (request->command == COMMAND_NOTIFY) {
        say(dissector, "  count: %u", request->count);
        say_text(dissector, "text", request->message);
    }
    return DISSECTED_SOUND;
}

static void say_answer(const struct dissector *dissector, const struct answer *answer)
{
    char line[VALUE_MAX];
    if (answer->type == ANSWER_ERROR) {
        say(dissector, "  error %u (%s)", answer->code, error_name(answer->code));
        say_text(dissector, "text", answer->message);
    } else {
        (void)payload_text(answer, line, sizeof line); /* cut: it is a line */
        say(dissector, "  ok: %s", line);
    }
}

static enum dissected dissect_answer(const struct dissector *dissector, uint64_t offset,
                                     const struct json *value, size_t length)
{
    const struct dialect *dialect = NULL;
    struct answer answer;
    struct protocol_error protocol_error;
    if (json_read_answer(dialects, value, &dialect, &answer, &protocol_error) < 0) {
        say_object(dissector, offset, NULL, "JSON object", length);
        return say_wrong(dissector, "it is neither a request nor an answer");
    }
    say_object(dissector, offset, dialect, "answer (host to guest)", length);
    say_answer(dissector, &answer);
    return DISSECTED_SOUND;
}

static enum dissected dissect_object(const struct dissector *dissector, uint64_t offset,
                                     const uint8_t *bytes, size_t length)
{
    struct json *value = NULL;
    const char *why = "";
    if (json_parse(bytes, length, &value, &why) < 0) {
        say_object(dissector, offset, NULL, "JSON object", length);
        say(dissector, "  wrong: it has %s", why);
        return DISSECTED_WRONG;
    }
    enum dissected dissected = json_member(value, "sender_cid") != NULL
                                   ? dissect_request(dissector, offset, bytes, length)
                                   : dissect_answer(dissector, offset, value, length);
    (void)json_free(value);
    return dissected;
}

static enum dissected dissect_json(const struct dissector *dissector, uint64_t offset,
                                   const uint8_t *bytes, size_t length, bool eof, size_t *taken)
{
    struct framing_scan scan = {0};
    switch (json_frame(&scan, bytes, length, taken)) {
    case JSON_FRAME_WHOLE:
        return dissect_object(dissector, offset, bytes, *taken);
    case JSON_FRAME_MORE:
        break;
    case JSON_FRAME_FOREIGN:
    case JSON_FRAME_DEEP:
        say_object(dissector, offset, NULL, "no JSON object, or one that is nested too deep",
                   length);
        return DISSECTED_LOST;
    }
    if (eof && scan.depth == 0) {
        *taken = length; /* white space at the end */
        return DISSECTED_SOUND;
    }
    return eof ? say_cut(dissector, offset, length, "JSON object") : DISSECTED_MORE;
}

static void say_tlv_0_header(const struct dissector *dissector, uint64_t offset,
                             const struct tlv_0_header *header)
{
    static const struct {
        const char *name;
        const char *direction;
    } types[] = {
        {"frame", "not known"},
        [TLV_0_REQUEST] = {"request", "guest to host"},
        [TLV_0_OK] = {"ok", "host to guest"},
        [TLV_0_ERROR] = {"error", "host to guest"},
    };
    unsigned type = header->type <= TLV_0_ERROR ? header->type : 0;
    say(dissector, "offset %" PRIu64 ": %s (type %u, %s), version %u.%u, payload %u bytes", offset,
        types[type].name, header->type, types[type].direction, header->major, header->minor,
        header->length);
}

static void say_command(const struct dissector *dissector, const struct tlv *tlv)
{
    char value[VALUE_MAX];
    format_named(FIELD_COMMAND, tlv->value[0], value);
    say(dissector, "  field %u command (u8; 1 bytes): %s", tlv->tag, value);
}

static void say_tlv_0_fields(const struct dissector *dissector, enum tlv_0_type type,
                             const uint8_t *payload, size_t length)
{
    static const struct field text = {.type = FIELD_TEXT, .name = "text"};
    struct tlv_reader reader = tlv_reader_of(payload, length);
    enum command command = COMMAND_NONE;
    struct tlv tlv;
    enum tlv_step step;
    while ((step = tlv_0_next(&reader, &tlv)) == TLV_FIELD || step == TLV_ORDER) {
        if (type == TLV_0_REQUEST && tlv.tag == TLV_0_TAG_COMMAND && tlv.length == 1) {
            command = tlv.value[0] <= COMMAND_LAST ? (enum command)tlv.value[0] : COMMAND_NONE;
            say_command(dissector, &tlv);
        } else if (type == TLV_0_REQUEST) {
            dissect_field(dissector, tlv_0_row(command, tlv.tag), &tlv, false);
        } else {
            dissect_field(dissector, tlv.tag == TLV_0_TAG_TEXT ? &text : NULL, &tlv, false);
        }
    }
}

static int judge_tlv_0(const struct tlv_0_header *header, const uint8_t *bytes, size_t length,
                       struct protocol_error *protocol_error)
{
    const uint8_t *payload = bytes + TLV_0_HEADER_SIZE;
    size_t ignored = 0;
    struct request request;
    struct text text;
    if (tlv_0_frame(bytes, length, true, TLV_0_REQUEST, TLV_0_ERROR, TLV_0_PAYLOAD_MAX, &ignored,
                    protocol_error) != FRAMING_WHOLE) {
        return -1;
    }
    return header->type == TLV_0_REQUEST
               ? tlv_0_read_request(payload, header->length, &request, protocol_error)
               : tlv_0_read_text(payload, header->length, &text, protocol_error);
}

static enum dissected dissect_tlv_0(const struct dissector *dissector, uint64_t offset,
                                    const uint8_t *bytes, size_t length, bool eof, size_t *taken)
{
    struct tlv_0_header header;
    struct protocol_error protocol_error;
    if (length < TLV_0_HEADER_SIZE) {
        return eof ? say_cut(dissector, offset, length, "header of 10") : DISSECTED_MORE;
    }
    tlv_0_header_decode(bytes, &header);
    size_t there = length - TLV_0_HEADER_SIZE;
    bool is_cut = there < header.length;
    if (is_cut && !eof) {
        return DISSECTED_MORE;
    }
    say_tlv_0_header(dissector, offset, &header);
    say_tlv_0_fields(dissector, (enum tlv_0_type)header.type, bytes + TLV_0_HEADER_SIZE,
                     is_cut ? there : header.length);
    if (is_cut) {
        return say_cut(dissector, offset + TLV_0_HEADER_SIZE, there, "payload");
    }
    *taken = TLV_0_HEADER_SIZE + (size_t)header.length;
    if (judge_tlv_0(&header, bytes, *taken, &protocol_error) < 0) {
        return say_wrong(dissector, protocol_error.text);
    }
    return DISSECTED_SOUND;
}

/* Every field up to one that cannot be read, for which judge_payload has the error. */
static void say_tlv_1_fields(const struct dissector *dissector, const struct layout *layout,
                             const uint8_t *payload, size_t length)
{
    struct tlv_reader reader = tlv_reader_of(payload, length);
    struct tlv tlv;
    enum tlv_step step;
    while ((step = tlv_next(&reader, &tlv)) == TLV_FIELD || step == TLV_ORDER) {
        const struct field *row = layout != NULL ? layout_row(layout, tlv.tag) : NULL;
        dissect_field(dissector, row, &tlv, tlv_may_skip(tlv.tag));
    }
}

/* What a layout decodes into. */
union message {
    struct hello hello;
    struct welcome welcome;
    struct request request;
    struct answer answer;
};

static int judge_payload(const struct frame_header *header, const uint8_t *payload,
                         const struct layout **ret_layout, struct protocol_error *protocol_error)
{
    uint16_t selector = 0;
    union message message = {0};
    *ret_layout = NULL;
    if (layout_needs_selector(header->type)) {
        int error =
            layout_selector(header->type, payload, header->length, &selector, protocol_error);
        if (error < 0) {
            return error;
        }
    }
    *ret_layout = layout_find(header->type, selector);
    if (*ret_layout == NULL) {
        int error = layout_check_stream(payload, header->length, protocol_error);
        return error < 0 ? error
                         : protocol_error_set(protocol_error, ERROR_UNKNOWN_COMMAND,
                                              "this release knows no such frame, command or kind");
    }
    return layout_decode(*ret_layout, payload, header->length, &message, protocol_error);
}

/* The layout of a cut frame; NULL when its selector is missing. */
static const struct layout *layout_of_cut(const struct frame_header *header, const uint8_t *payload,
                                          size_t length)
{
    uint16_t selector = 0;
    struct protocol_error protocol_error;
    if (layout_needs_selector(header->type) &&
        layout_selector(header->type, payload, length, &selector, &protocol_error) < 0) {
        return NULL;
    }
    return layout_find(header->type, selector);
}

static const char *direction_of(unsigned type)
{
    if (type == FRAME_HELLO || type == FRAME_REQUEST) {
        return "guest to host";
    }
    return frame_type_name(type) != NULL ? "host to guest" : "not known";
}

static const char *judge_id(const struct frame_header *header)
{
    bool about_request = header->type == FRAME_REQUEST || header->type == FRAME_PROGRESS ||
                         header->type == FRAME_RESPONSE;
    if (about_request && header->id == 0) {
        return "the request id is 0; expected another number in this frame";
    }
    if ((header->type == FRAME_HELLO || header->type == FRAME_WELCOME) && header->id != 0) {
        return "the request id is not 0; expected 0 in this frame";
    }
    return NULL;
}

static void say_tlv_1_header(const struct dissector *dissector, uint64_t offset,
                             const struct frame_header *header)
{
    const char *name = frame_type_name(header->type);
    say(dissector,
        "offset %" PRIu64 ": %s (type 0x%04x, %s), version %u.%u, request id %u, "
        "payload %u bytes",
        offset, name != NULL ? name : "frame", header->type, direction_of(header->type),
        header->version.major, header->version.minor, header->id, header->length);
}

static enum dissected dissect_tlv_1(const struct dissector *dissector, uint64_t offset,
                                    const uint8_t *bytes, size_t length, bool eof, size_t *taken)
{
    struct frame_header header;
    if (length < FRAME_HEADER_SIZE) {
        return eof ? say_cut(dissector, offset, length, "header of 16") : DISSECTED_MORE;
    }
    frame_header_decode(bytes, &header);
    bool too_long = header.length > FRAME_PAYLOAD_MAX;
    if (!too_long && length - FRAME_HEADER_SIZE < header.length && !eof) {
        return DISSECTED_MORE;
    }
    say_tlv_1_header(dissector, offset, &header);
    if (too_long) {
        say(dissector, "  wrong: the payload is over the limit of %d bytes", FRAME_PAYLOAD_MAX);
        return DISSECTED_LOST;
    }
    const uint8_t *payload = bytes + FRAME_HEADER_SIZE;
    if (length - FRAME_HEADER_SIZE < header.length) {
        size_t there = length - FRAME_HEADER_SIZE;
        say_tlv_1_fields(dissector, layout_of_cut(&header, payload, there), payload, there);
        return say_cut(dissector, offset + FRAME_HEADER_SIZE, there, "payload");
    }
    const struct layout *layout = NULL;
    struct protocol_error protocol_error;
    int error = judge_payload(&header, payload, &layout, &protocol_error);
    say_tlv_1_fields(dissector, layout, payload, header.length);
    const char *wrong = error < 0 ? protocol_error.text : judge_id(&header);
    *taken = FRAME_HEADER_SIZE + header.length;
    return wrong != NULL ? say_wrong(dissector, wrong) : DISSECTED_SOUND;
}

enum dissected dissect_frame(const struct dissector *dissector, uint64_t offset,
                             const uint8_t *bytes, size_t length, bool eof, size_t *taken)
{
    if (tlv_0_claims(bytes, length)) {
        return dissect_tlv_0(dissector, offset, bytes, length, eof, taken);
    }
    if (frame_begins(bytes, length)) {
        return dissect_tlv_1(dissector, offset, bytes, length, eof, taken);
    }
    const struct dialect *dialect = dialect_sniff(bytes, length);
    if (dialect != NULL && dialect->json != NULL) {
        return dissect_json(dissector, offset, bytes, length, eof, taken);
    }
    char shown[4 * BYTES_SHOWN + 1];
    struct text begin = {(const char *)bytes, length < BYTES_SHOWN ? length : BYTES_SHOWN};
    escape_text(begin, ESCAPE_LINE, shown, sizeof shown);
    say(dissector, "offset %" PRIu64 ": no frame of a dialect that is known: \"%s\"%s", offset,
        shown, length > BYTES_SHOWN ? "..." : "");
    return DISSECTED_LOST;
}
