/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/explain_tlv_0.h"

#include "compat/explain_field.h"
#include "compat/tlv_0.h"
#include "compat/tlv_0_frame.h"

#include <inttypes.h>

bool explain_tlv_0_claims(const uint8_t *bytes, size_t length)
{
    return tlv_0_claims(bytes, length);
}

static void say_header(const struct explainer *explainer, uint64_t offset,
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
    explain_say(explainer, "offset %" PRIu64 ": %s (type %u, %s), version %u.%u, payload %u bytes",
                offset, types[type].name, header->type, types[type].direction, header->major,
                header->minor, header->length);
}

static void say_command(const struct explainer *explainer, const struct tlv *tlv)
{
    const char *name = command_name(tlv->value[0]);
    explain_say(explainer, "  field %u command (u8; 1 bytes): %u (%s)", tlv->tag, tlv->value[0],
                name != NULL ? name : "not known");
}

static void say_fields(const struct explainer *explainer, enum tlv_0_type type,
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
            say_command(explainer, &tlv);
        } else if (type == TLV_0_REQUEST) {
            explain_field(explainer, tlv_0_row(command, tlv.tag), &tlv, false);
        } else {
            explain_field(explainer, tlv.tag == TLV_0_TAG_TEXT ? &text : NULL, &tlv, false);
        }
    }
}

static int judge(const struct tlv_0_header *header, const uint8_t *bytes, size_t length,
                 struct refusal *refusal)
{
    const uint8_t *payload = bytes + TLV_0_HEADER_SIZE;
    size_t ignored = 0;
    struct request request;
    struct text text;
    if (tlv_0_frame(bytes, length, true, TLV_0_REQUEST, TLV_0_ERROR, TLV_0_PAYLOAD_MAX, &ignored,
                    refusal) != FRAMING_WHOLE) {
        return -1;
    }
    return header->type == TLV_0_REQUEST
               ? tlv_0_read_request(payload, header->length, &request, refusal)
               : tlv_0_read_text(payload, header->length, &text, refusal);
}

enum explained explain_tlv_0(const struct explainer *explainer, uint64_t offset,
                             const uint8_t *bytes, size_t length, bool eof, size_t *taken)
{
    struct tlv_0_header header;
    struct refusal refusal;
    if (length < TLV_0_HEADER_SIZE) {
        return eof ? explain_cut(explainer, offset, length, "header of 10") : EXPLAINED_MORE;
    }
    tlv_0_header_decode(bytes, &header);
    if (length - TLV_0_HEADER_SIZE < header.length && !eof) {
        return EXPLAINED_MORE;
    }
    const uint8_t *payload = bytes + TLV_0_HEADER_SIZE;
    size_t there = length - TLV_0_HEADER_SIZE;
    say_header(explainer, offset, &header);
    if (there < header.length) {
        say_fields(explainer, (enum tlv_0_type)header.type, payload, there);
        return explain_cut(explainer, offset + TLV_0_HEADER_SIZE, there, "payload");
    }
    say_fields(explainer, (enum tlv_0_type)header.type, payload, header.length);
    *taken = TLV_0_HEADER_SIZE + (size_t)header.length;
    if (judge(&header, bytes, *taken, &refusal) < 0) {
        explain_say(explainer, "  wrong: %s", refusal.text);
        return EXPLAINED_WRONG;
    }
    return EXPLAINED_SOUND;
}
