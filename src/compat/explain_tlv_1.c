/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/explain_tlv_1.h"

#include "compat/explain_field.h"
#include "wire/layout.h"

#include <inttypes.h>

bool explain_tlv_1_claims(const uint8_t *bytes, size_t length)
{
    return frame_begins(bytes, length) && (length <= FRAME_MAJOR_AT || bytes[FRAME_MAJOR_AT] != 0);
}

/* Every field, until one cannot be found; what is wrong is said by judge_payload. */
static void say_fields(const struct explainer *explainer, const struct layout *layout,
                       const uint8_t *payload, size_t length)
{
    struct tlv_reader reader = tlv_reader_of(payload, length);
    struct tlv tlv;
    enum tlv_step step;
    while ((step = tlv_next(&reader, &tlv)) == TLV_FIELD || step == TLV_ORDER) {
        const struct field *row = layout != NULL ? layout_row(layout, tlv.tag) : NULL;
        explain_field(explainer, row, &tlv, tlv_may_skip(tlv.tag));
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
                         const struct layout **ret_layout, struct refusal *refusal)
{
    uint16_t selector = 0;
    union message message = {0};
    *ret_layout = NULL;
    int error = 0;
    if (layout_needs_selector(header->type)) {
        error = layout_selector(header->type, payload, header->length, &selector, refusal);
    }
    if (error == 0) {
        *ret_layout = layout_find(header->type, selector);
    }
    if (error == 0 && *ret_layout == NULL) {
        error = layout_check_stream(payload, header->length, refusal);
        return error < 0 ? error
                         : refusal_set(refusal, ERROR_UNKNOWN_COMMAND,
                                       "this release knows no such frame, command or kind");
    }
    return error < 0 ? error
                     : layout_decode(*ret_layout, payload, header->length, &message, refusal);
}

/* That of a frame whose end is missing, if it can be told by now. */
static const struct layout *layout_of_cut(const struct frame_header *header, const uint8_t *payload,
                                          size_t length)
{
    uint16_t selector = 0;
    struct refusal refusal;
    if (layout_needs_selector(header->type) &&
        layout_selector(header->type, payload, length, &selector, &refusal) < 0) {
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

static void say_header(const struct explainer *explainer, uint64_t offset,
                       const struct frame_header *header)
{
    const char *name = frame_type_name(header->type);
    explain_say(explainer,
                "offset %" PRIu64 ": %s (type 0x%04x, %s), version %u.%u, request id %u, "
                "payload %u bytes",
                offset, name != NULL ? name : "frame", header->type, direction_of(header->type),
                header->version.major, header->version.minor, header->id, header->length);
}

enum explained explain_tlv_1(const struct explainer *explainer, uint64_t offset,
                             const uint8_t *bytes, size_t length, bool eof, size_t *taken)
{
    struct frame_header header;
    if (length < FRAME_HEADER_SIZE) {
        return eof ? explain_cut(explainer, offset, length, "header of 16") : EXPLAINED_MORE;
    }
    frame_header_decode(bytes, &header);
    bool too_long = header.length > FRAME_PAYLOAD_MAX;
    if (!too_long && length - FRAME_HEADER_SIZE < header.length && !eof) {
        return EXPLAINED_MORE;
    }
    say_header(explainer, offset, &header);
    if (too_long) {
        explain_say(explainer, "  wrong: the payload is over the limit of %d bytes",
                    FRAME_PAYLOAD_MAX);
        return EXPLAINED_LOST;
    }
    const uint8_t *payload = bytes + FRAME_HEADER_SIZE;
    if (length - FRAME_HEADER_SIZE < header.length) {
        size_t there = length - FRAME_HEADER_SIZE;
        say_fields(explainer, layout_of_cut(&header, payload, there), payload, there);
        return explain_cut(explainer, offset + FRAME_HEADER_SIZE, there, "payload");
    }
    const struct layout *layout = NULL;
    struct refusal refusal;
    int error = judge_payload(&header, payload, &layout, &refusal);
    say_fields(explainer, layout, payload, header.length);
    const char *wrong = error < 0 ? refusal.text : judge_id(&header);
    if (wrong != NULL) {
        explain_say(explainer, "  wrong: %s", wrong);
    }
    *taken = FRAME_HEADER_SIZE + header.length;
    return wrong != NULL ? EXPLAINED_WRONG : EXPLAINED_SOUND;
}
