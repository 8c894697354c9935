/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/dissect.h"

#include "compat/json_0.h"
#include "compat/json_1.h"
#include "compat/json_envelope.h"
#include "compat/tlv_0.h"
#include "wire/layout.h"
#include "wire/number.h"
#include "wire/payload_text.h"
#include "wire/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static void dissect_say(const struct dissector *dissector, const char *format, ...)
    PRINTF_LIKE(2, 3);

static enum dissected dissect_cut(const struct dissector *dissector, uint64_t offset, size_t length,
                                  const char *what);

enum { VALUE_MAX = 512, HEX_SHOWN = 32 };

static void format_bytes(const struct tlv *tlv, char out[VALUE_MAX])
{
    int length = snprintf(out, VALUE_MAX, "bytes");
    for (size_t i = 0; i < tlv->length && i < HEX_SHOWN; i++) {
        length += snprintf(out + length, VALUE_MAX - (size_t)length, " %02x", tlv->value[i]);
    }
    if (tlv->length > HEX_SHOWN) {
        snprintf(out + length, VALUE_MAX - (size_t)length, " ...");
    }
}

static void format_text(const struct tlv *tlv, char out[VALUE_MAX])
{
    char shown[VALUE_MAX - sizeof "\"\"..."];
    struct text text = {(const char *)tlv->value, tlv->length};
    size_t needed = escape_text(text, ESCAPE_LINE, shown, sizeof shown);
    snprintf(out, VALUE_MAX, "\"%s\"%s", shown, needed >= sizeof shown ? "..." : "");
}

static void format_named(unsigned number, const char *name, char out[VALUE_MAX])
{
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
        format_named(integer_read_16(tlv->value), command_name(integer_read_16(tlv->value)), out);
        return;
    case FIELD_KIND:
        format_named(integer_read_16(tlv->value), payload_name(integer_read_16(tlv->value)), out);
        return;
    case FIELD_PHASE:
        format_named(integer_read_16(tlv->value), phase_name(integer_read_16(tlv->value)), out);
        return;
    case FIELD_CODE:
        format_named(integer_read_16(tlv->value), error_name(integer_read_16(tlv->value)), out);
        return;
    case FIELD_FLAG:
    case FIELD_U32:
    case FIELD_U64:
        snprintf(out, VALUE_MAX, "%" PRIu64, integer_read(tlv->value, tlv->length));
        return;
    case FIELD_TEXT:
    case FIELD_PRINTABLE:
        format_text(tlv, out);
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

/* `row` NULL: the field is not known; `skipped` then says what a receiver does with it. */
static void dissect_field(const struct dissector *dissector, const struct field *row,
                          const struct tlv *tlv, bool skipped)
{
    char value[VALUE_MAX];
    if (row == NULL) {
        format_bytes(tlv, value);
        dissect_say(dissector, "  field %u, not known, so %s (%u bytes): %s", tlv->tag,
                    skipped ? "skipped" : "refused", tlv->length, value);
        return;
    }
    size_t width = field_type_width(row->type);
    if (width != 0 && width != tlv->length) {
        format_bytes(tlv, value);
    } else {
        format_value(row, tlv, value);
    }
    dissect_say(dissector, "  field %u %s (%s; %u bytes): %s", tlv->tag, row->name,
                field_type_name(row->type), tlv->length, value);
}

enum { EXPLAIN_JSON_VALUE_MAX = 512 };

/* True if the bytes can begin a JSON object, white space in front of it included. */
static bool dissect_json_claims(const uint8_t *bytes, size_t length)
{
    (void)length; /* at least 1 */
    return bytes[0] == '{' || json_frame_is_blank(bytes[0]);
}

static void say_text(const struct dissector *dissector, const char *name, struct text text)
{
    char shown[EXPLAIN_JSON_VALUE_MAX];
    size_t needed = escape_text(text, ESCAPE_LINE, shown, sizeof shown);
    dissect_say(dissector, "  %s: \"%s\"%s", name, shown, needed >= sizeof shown ? "..." : "");
}

static void say_head(const struct dissector *dissector, uint64_t offset, const char *what,
                     size_t length)
{
    dissect_say(dissector, "offset %" PRIu64 ": %s, %zu bytes", offset, what, length);
}

static enum dissected say_wrong(const struct dissector *dissector, const char *text)
{
    dissect_say(dissector, "  wrong: %s", text);
    return EXPLAINED_WRONG;
}

static enum dissected explain_request(const struct dissector *dissector, uint64_t offset,
                                      const uint8_t *bytes, size_t length)
{
    uint8_t texts[GUEST_ANSWER_MAX]; /* as long as any capture's window */
    char digits[SHA256_HEX + 1];
    struct json_request read;
    struct protocol_error protocol_error;
    int error = json_host_read(bytes, length, texts, &read, &protocol_error);
    const struct request *request = &read.request;
    say_head(dissector, offset,
             read.older ? "json-0 request (guest to host)" : "json-1 request (guest to host)",
             length);
    if (error < 0) {
        return say_wrong(dissector, protocol_error.text);
    }
    dissect_say(dissector, "  sender_cid: %u", read.cid);
    dissect_say(dissector, "  message: %s", command_name(request->command));
    if (request->command == COMMAND_UPGRADE) {
        sha256_format(request->sha256, digits);
        say_text(dissector, "url", request->url);
        dissect_say(dissector, "  hash: %s", digits);
    } else if (request->command == COMMAND_NOTIFY) {
        dissect_say(dissector, "  count: %u", request->count);
        say_text(dissector, "text", request->message);
    }
    return EXPLAINED_SOUND;
}

static void say_answer(const struct dissector *dissector, const struct answer *answer)
{
    char line[EXPLAIN_JSON_VALUE_MAX];
    if (answer->type == ANSWER_ERROR) {
        dissect_say(dissector, "  error %u (%s)", answer->code, error_name(answer->code));
        say_text(dissector, "text", answer->message);
    } else {
        (void)payload_text(answer, line, sizeof line); /* cut: it is a line */
        dissect_say(dissector, "  ok: %s", line);
    }
}

static enum dissected explain_answer(const struct dissector *dissector, uint64_t offset,
                                     const struct json *value, size_t length)
{
    struct answer answer;
    struct protocol_error protocol_error;
    if (json_0_read_answer(value, &answer, &protocol_error) == 0) {
        say_head(dissector, offset, "json-0 answer (host to guest)", length);
    } else if (json_1_read_answer(value, &answer, &protocol_error) == 0) {
        say_head(dissector, offset, "json-1 answer (host to guest)", length);
    } else {
        say_head(dissector, offset, "JSON object", length);
        return say_wrong(dissector, "it is neither a request nor an answer");
    }
    say_answer(dissector, &answer);
    return EXPLAINED_SOUND;
}

static enum dissected explain_object(const struct dissector *dissector, uint64_t offset,
                                     const uint8_t *bytes, size_t length)
{
    struct json *value = NULL;
    const char *why = "";
    if (json_parse(bytes, length, &value, &why) < 0) {
        say_head(dissector, offset, "JSON object", length);
        dissect_say(dissector, "  wrong: it has %s", why);
        return EXPLAINED_WRONG;
    }
    enum dissected dissected = json_member(value, "sender_cid") != NULL
                                   ? explain_request(dissector, offset, bytes, length)
                                   : explain_answer(dissector, offset, value, length);
    (void)json_free(value);
    return dissected;
}

/* As dissect_frame. */
static enum dissected dissect_json(const struct dissector *dissector, uint64_t offset,
                                   const uint8_t *bytes, size_t length, bool eof, size_t *taken)
{
    struct framing_scan scan = {0};
    switch (json_frame(&scan, bytes, length, taken)) {
    case JSON_FRAME_WHOLE:
        return explain_object(dissector, offset, bytes, *taken);
    case JSON_FRAME_MORE:
        break;
    case JSON_FRAME_FOREIGN:
    case JSON_FRAME_DEEP:
        say_head(dissector, offset, "no JSON object, or one that is nested too deep", length);
        return EXPLAINED_LOST;
    }
    if (eof && scan.depth == 0) {
        *taken = length; /* white space at the end */
        return EXPLAINED_SOUND;
    }
    return eof ? dissect_cut(dissector, offset, length, "JSON object") : EXPLAINED_MORE;
}

/* True if the bytes can begin such a frame: it takes five to know. */
static bool dissect_tlv_0_claims(const uint8_t *bytes, size_t length)
{
    return tlv_0_claims(bytes, length);
}

static void say_header(const struct dissector *dissector, uint64_t offset,
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
    dissect_say(dissector, "offset %" PRIu64 ": %s (type %u, %s), version %u.%u, payload %u bytes",
                offset, types[type].name, header->type, types[type].direction, header->major,
                header->minor, header->length);
}

static void say_command(const struct dissector *dissector, const struct tlv *tlv)
{
    const char *name = command_name(tlv->value[0]);
    dissect_say(dissector, "  field %u command (u8; 1 bytes): %u (%s)", tlv->tag, tlv->value[0],
                name != NULL ? name : "not known");
}

static void say_fields(const struct dissector *dissector, enum tlv_0_type type,
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

static int judge(const struct tlv_0_header *header, const uint8_t *bytes, size_t length,
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

/* As dissect_frame. */
static enum dissected dissect_tlv_0(const struct dissector *dissector, uint64_t offset,
                                    const uint8_t *bytes, size_t length, bool eof, size_t *taken)
{
    struct tlv_0_header header;
    struct protocol_error protocol_error;
    if (length < TLV_0_HEADER_SIZE) {
        return eof ? dissect_cut(dissector, offset, length, "header of 10") : EXPLAINED_MORE;
    }
    tlv_0_header_decode(bytes, &header);
    if (length - TLV_0_HEADER_SIZE < header.length && !eof) {
        return EXPLAINED_MORE;
    }
    const uint8_t *payload = bytes + TLV_0_HEADER_SIZE;
    size_t there = length - TLV_0_HEADER_SIZE;
    say_header(dissector, offset, &header);
    if (there < header.length) {
        say_fields(dissector, (enum tlv_0_type)header.type, payload, there);
        return dissect_cut(dissector, offset + TLV_0_HEADER_SIZE, there, "payload");
    }
    say_fields(dissector, (enum tlv_0_type)header.type, payload, header.length);
    *taken = TLV_0_HEADER_SIZE + (size_t)header.length;
    if (judge(&header, bytes, *taken, &protocol_error) < 0) {
        dissect_say(dissector, "  wrong: %s", protocol_error.text);
        return EXPLAINED_WRONG;
    }
    return EXPLAINED_SOUND;
}

/* True if the bytes can begin such a frame. */
static bool dissect_tlv_1_claims(const uint8_t *bytes, size_t length)
{
    return frame_begins(bytes, length) && (length <= FRAME_MAJOR_AT || bytes[FRAME_MAJOR_AT] != 0);
}

/* Every field, until one cannot be found; what is wrong is said by judge_payload. */
static void explain_tlv_1_say_fields(const struct dissector *dissector, const struct layout *layout,
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

/* Whatever a layout decodes into. */
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
    int error = 0;
    if (layout_needs_selector(header->type)) {
        error = layout_selector(header->type, payload, header->length, &selector, protocol_error);
    }
    if (error == 0) {
        *ret_layout = layout_find(header->type, selector);
    }
    if (error == 0 && *ret_layout == NULL) {
        error = layout_check_stream(payload, header->length, protocol_error);
        return error < 0 ? error
                         : protocol_error_set(protocol_error, ERROR_UNKNOWN_COMMAND,
                                              "this release knows no such frame, command or kind");
    }
    return error < 0
               ? error
               : layout_decode(*ret_layout, payload, header->length, &message, protocol_error);
}

/* That of a frame whose end is missing, if it can be told by now. */
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

static void explain_tlv_1_say_header(const struct dissector *dissector, uint64_t offset,
                                     const struct frame_header *header)
{
    const char *name = frame_type_name(header->type);
    dissect_say(dissector,
                "offset %" PRIu64 ": %s (type 0x%04x, %s), version %u.%u, request id %u, "
                "payload %u bytes",
                offset, name != NULL ? name : "frame", header->type, direction_of(header->type),
                header->version.major, header->version.minor, header->id, header->length);
}

/* As dissect_frame. */
static enum dissected dissect_tlv_1(const struct dissector *dissector, uint64_t offset,
                                    const uint8_t *bytes, size_t length, bool eof, size_t *taken)
{
    struct frame_header header;
    if (length < FRAME_HEADER_SIZE) {
        return eof ? dissect_cut(dissector, offset, length, "header of 16") : EXPLAINED_MORE;
    }
    frame_header_decode(bytes, &header);
    bool too_long = header.length > FRAME_PAYLOAD_MAX;
    if (!too_long && length - FRAME_HEADER_SIZE < header.length && !eof) {
        return EXPLAINED_MORE;
    }
    explain_tlv_1_say_header(dissector, offset, &header);
    if (too_long) {
        dissect_say(dissector, "  wrong: the payload is over the limit of %d bytes",
                    FRAME_PAYLOAD_MAX);
        return EXPLAINED_LOST;
    }
    const uint8_t *payload = bytes + FRAME_HEADER_SIZE;
    if (length - FRAME_HEADER_SIZE < header.length) {
        size_t there = length - FRAME_HEADER_SIZE;
        explain_tlv_1_say_fields(dissector, layout_of_cut(&header, payload, there), payload, there);
        return dissect_cut(dissector, offset + FRAME_HEADER_SIZE, there, "payload");
    }
    const struct layout *layout = NULL;
    struct protocol_error protocol_error;
    int error = judge_payload(&header, payload, &layout, &protocol_error);
    explain_tlv_1_say_fields(dissector, layout, payload, header.length);
    const char *wrong = error < 0 ? protocol_error.text : judge_id(&header);
    if (wrong != NULL) {
        dissect_say(dissector, "  wrong: %s", wrong);
    }
    *taken = FRAME_HEADER_SIZE + header.length;
    return wrong != NULL ? EXPLAINED_WRONG : EXPLAINED_SOUND;
}

enum { SHOWN_BYTES = 32, SHOWN_MAX = 4 * SHOWN_BYTES + 1 };

static void dissect_say(const struct dissector *dissector, const char *format, ...)
{
    char line[DISSECT_LINE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    dissector->line(dissector->context, line);
}

/* The bytes end inside a `what`, of which `length` are there: EXPLAINED_LOST. */
static enum dissected dissect_cut(const struct dissector *dissector, uint64_t offset, size_t length,
                                  const char *what)
{
    dissect_say(dissector, "offset %" PRIu64 ": the bytes end inside a %s: only %zu are there",
                offset, what, length);
    return EXPLAINED_LOST;
}

/* As in the table of dialects, who knows its own by later bytes comes first. */
static const struct {
    bool (*claims)(const uint8_t *bytes, size_t length);
    enum dissected (*explain)(const struct dissector *dissector, uint64_t offset,
                              const uint8_t *bytes, size_t length, bool eof, size_t *taken);
} rows[] = {
    {dissect_tlv_0_claims, dissect_tlv_0},
    {dissect_tlv_1_claims, dissect_tlv_1},
    {dissect_json_claims, dissect_json},
};

enum dissected dissect_frame(const struct dissector *dissector, uint64_t offset,
                             const uint8_t *bytes, size_t length, bool eof, size_t *taken)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].claims(bytes, length)) {
            return rows[i].explain(dissector, offset, bytes, length, eof, taken);
        }
    }
    char shown[SHOWN_MAX];
    struct text begin = {(const char *)bytes, length < SHOWN_BYTES ? length : SHOWN_BYTES};
    escape_text(begin, ESCAPE_LINE, shown, sizeof shown);
    dissect_say(dissector, "offset %" PRIu64 ": no frame of a dialect that is known: \"%s\"%s",
                offset, shown, length > SHOWN_BYTES ? "..." : "");
    return EXPLAINED_LOST;
}
