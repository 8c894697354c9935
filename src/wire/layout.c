/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/layout.h"

#include <errno.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A row; its limits and mark may follow. */
#define ROW(tag_, type_, presence_, name_, owner, member_)                                \
    .tag = (tag_), .type = FIELD_##type_, .presence = FIELD_##presence_, .name = (name_), \
    .member = offsetof(struct owner, member_)
#define COMMAND_ROW                                             \
    {                                                           \
        ROW(2, COMMAND, MANDATORY, "command", request, command) \
    }
#define KIND_ROW                                      \
    {                                                 \
        ROW(2, KIND, MANDATORY, "kind", answer, kind) \
    }

static const struct field hello_rows[] = {
    {ROW(2, VERSIONS, MANDATORY, "versions", hello, versions)},
    {ROW(3, PRINTABLE, IF_SET, "agent", hello, agent), .max = HELLO_AGENT_MAX},
};

static const struct field welcome_rows[] = {
    {ROW(2, VERSION, MANDATORY, "version", welcome, version)},
    {ROW(3, TEXT, IF_SET, "agent", welcome, agent)},
    {ROW(5, U32, IF_MARKED, "request limit", welcome, request_limit),
     .mark = offsetof(struct welcome, has_request_limit)},
};

static const struct field error_rows[] = {
    {ROW(2, CODE, MANDATORY, "code", answer, code), .min = 1},
    {ROW(4, TEXT, IF_SET, "message", answer, message)},
    {ROW(5, VERSIONS, IF_SET, "versions", answer, versions)},
};

static const struct field plain_rows[] = {COMMAND_ROW};

static const struct field upgrade_rows[] = {
    COMMAND_ROW,
    {ROW(4, TEXT, MANDATORY, "url", request, url), .max = URL_MAX},
    {ROW(6, SHA256, MANDATORY, "sha256", request, sha256)},
    {ROW(11, FLAG, IF_SET, "progress", request, progress), .max = 1},
};

static const struct field notify_rows[] = {
    COMMAND_ROW,
    {ROW(8, TEXT, MANDATORY, "message", request, message), .max = NOTIFY_MAX},
    {ROW(10, U32, MANDATORY, "count", request, count)},
};

static const struct field none_rows[] = {KIND_ROW};

static const struct field vsock_version_rows[] = {
    KIND_ROW,
    {ROW(4, RELEASE, MANDATORY, "version", answer, vsock_version)},
};

static const struct field hostos_version_rows[] = {
    KIND_ROW,
    {ROW(6, TEXT, MANDATORY, "version", answer, hostos_version)},
};

static const struct field status_rows[] = {
    KIND_ROW,
    {ROW(8, PHASE, MANDATORY, "phase", answer, status.phase)},
    {ROW(10, U64, MANDATORY, "bytes done", answer, status.done)},
    {ROW(12, U64, MANDATORY, "bytes in all", answer, status.total)},
    {ROW(14, SHA256, IF_MARKED, "sha256", answer, status.sha256),
     .mark = offsetof(struct answer, status.has_sha256)},
    {ROW(16, CODE, MANDATORY, "result", answer, status.result)},
    {ROW(17, TEXT, IF_SET, "detail", answer, status.detail)},
    {ROW(19, U64, IF_MARKED, "changed", answer, status.changed),
     .mark = offsetof(struct answer, status.has_changed)},
};

#define FRAME(name, rows)                            \
    {                                                \
        (name), ERROR_MALFORMED, (rows), COUNT(rows) \
    }
static const struct layout hello_layout = FRAME("HELLO", hello_rows);
static const struct layout welcome_layout = FRAME("WELCOME", welcome_rows);
static const struct layout error_layout = FRAME("ERROR", error_rows);
/* The status of an upgrade, less the kind. */
static const struct layout progress_layout = {"PROGRESS", ERROR_MALFORMED, status_rows + 1,
                                              COUNT(status_rows) - 1};

static const struct layout commands[COMMAND_LAST + 1] = {
#define COMMAND_LAYOUT(id, number, name, query, answer, rows) \
    [number] = {(name), ERROR_INVALID_ARGUMENT, rows##_rows, COUNT(rows##_rows)},
    COMMANDS(COMMAND_LAYOUT)};

static const struct layout payloads[PAYLOAD_LAST + 1] = {
#define PAYLOAD_LAYOUT(id, number, name, rows) [number] = FRAME(name, rows##_rows),
    PAYLOADS(PAYLOAD_LAYOUT)};

bool layout_needs_selector(unsigned frame_type)
{
    return frame_type == FRAME_REQUEST || frame_type == FRAME_RESPONSE;
}

const struct layout *layout_find(unsigned frame_type, unsigned selector)
{
    switch (frame_type) {
    case FRAME_HELLO:
        return &hello_layout;
    case FRAME_WELCOME:
        return &welcome_layout;
    case FRAME_ERROR:
        return &error_layout;
    case FRAME_PROGRESS:
        return &progress_layout;
    case FRAME_REQUEST:
        return command_name(selector) != NULL ? &commands[selector] : NULL;
    case FRAME_RESPONSE:
        return selector <= PAYLOAD_LAST ? &payloads[selector] : NULL;
    default:
        return NULL;
    }
}

const struct field *layout_row(const struct layout *layout, unsigned tag)
{
    for (size_t i = 0; i < layout->count; i++) {
        if (layout->rows[i].tag == tag) {
            return &layout->rows[i];
        }
    }
    return NULL;
}

static int report_stream(enum tlv_step step, const struct tlv_reader *reader, const struct tlv *tlv,
                         struct protocol_error *protocol_error)
{
    if (step == TLV_ORDER) {
        return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                  "field %u is out of order; expected strictly increasing tags",
                                  tlv->tag);
    }
    if (step == TLV_CUT) {
        return protocol_error_set(
            protocol_error, ERROR_MALFORMED,
            "field %u has length %u; expected at most the %zu bytes left in the payload", tlv->tag,
            tlv->length, reader->reader.left);
    }
    return protocol_error_set(protocol_error, ERROR_MALFORMED,
                              "%zu bytes follow the last field; expected none",
                              reader->reader.left);
}

int layout_check_stream(const uint8_t *payload, size_t length,
                        struct protocol_error *protocol_error)
{
    struct tlv_reader reader = tlv_reader_of(payload, length);
    struct tlv tlv;
    enum tlv_step step = TLV_FIELD;
    while (step == TLV_FIELD) {
        step = tlv_next(&reader, &tlv);
    }
    return step == TLV_END ? 0 : report_stream(step, &reader, &tlv, protocol_error);
}

int layout_selector(unsigned frame_type, const uint8_t *payload, size_t length, uint16_t *ret,
                    struct protocol_error *protocol_error)
{
    const char *name = frame_type == FRAME_REQUEST ? "command" : "kind";
    struct tlv_reader reader = tlv_reader_of(payload, length);
    struct tlv tlv;
    enum tlv_step step = TLV_FIELD;
    do {
        step = tlv_next(&reader, &tlv);
    } while (step == TLV_FIELD && tlv.tag < LAYOUT_SELECTOR_TAG);
    if (step != TLV_FIELD && step != TLV_END) {
        return report_stream(step, &reader, &tlv, protocol_error);
    }
    if (step == TLV_END || tlv.tag != LAYOUT_SELECTOR_TAG) {
        return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                  "field 2 (%s) is missing; every message of this type requires it",
                                  name);
    }
    if (tlv.length != sizeof *ret) {
        return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                  "field 2 (%s) has %u bytes; expected 2", name, tlv.length);
    }
    *ret = integer_read_16(tlv.value);
    return 0;
}

/* A walk through a payload; `next` is the first row not met yet. */
struct walk {
    const struct layout *layout;
    size_t next;
};

/* Skips the rows before `tag`; a mandatory one among them is missing. */
static int skip_rows(struct walk *walk, unsigned tag, struct protocol_error *protocol_error)
{
    for (; walk->next < walk->layout->count; walk->next++) {
        const struct field *row = &walk->layout->rows[walk->next];
        if (row->tag >= tag) {
            break;
        }
        if (row->presence == FIELD_MANDATORY) {
            return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                      "field %u (%s) is missing; %s requires it", row->tag,
                                      row->name, walk->layout->name);
        }
    }
    return 0;
}

static int decode_known(struct walk *walk, const struct tlv *tlv, void *message,
                        struct protocol_error *protocol_error)
{
    const struct layout *layout = walk->layout;
    int error = skip_rows(walk, tlv->tag, protocol_error);
    if (error < 0) {
        return error;
    }
    if (walk->next < layout->count && layout->rows[walk->next].tag == tlv->tag) {
        return field_decode(&layout->rows[walk->next++], tlv, layout->range, message,
                            protocol_error);
    }
    if (tlv_may_skip(tlv->tag)) {
        return 0;
    }
    return protocol_error_set(protocol_error, ERROR_UNSUPPORTED_FIELD,
                              "%s has no field %u; expected an even tag that it has, or an odd tag",
                              layout->name, tlv->tag);
}

int layout_decode(const struct layout *layout, const uint8_t *payload, size_t length, void *message,
                  struct protocol_error *protocol_error)
{
    struct walk walk = {.layout = layout};
    struct tlv_reader reader = tlv_reader_of(payload, length);
    struct tlv tlv;
    struct protocol_error found; /* not zeroed: 256 bytes for every request */
    int result = 0; /* of the first error that is not malformed: a later malformed replaces it */
    enum tlv_step step = TLV_FIELD;
    while ((step = tlv_next(&reader, &tlv)) == TLV_FIELD) {
        int error = decode_known(&walk, &tlv, message, &found);
        if (error < 0 && (result == 0 || found.code == ERROR_MALFORMED)) {
            *protocol_error = found;
            result = error;
        }
        if (error < 0 && found.code == ERROR_MALFORMED) {
            return error;
        }
    }
    if (step != TLV_END) {
        return report_stream(step, &reader, &tlv, protocol_error);
    }
    int error = skip_rows(&walk, UINT16_MAX + 1, protocol_error);
    return error < 0 ? error : result;
}

int layout_encode(const struct layout *layout, const void *message, struct writer *writer)
{
    for (size_t i = 0; i < layout->count; i++) {
        int error = field_encode(&layout->rows[i], message, writer);
        if (error < 0) {
            return error;
        }
    }
    return 0;
}
