/* SPDX-License-Identifier: Apache-2.0 */
/* Payloads against the rows of layout.c. */
#include "wire/layout.h"

static int refuse_stream(enum tlv_step step, const struct tlv_reader *reader, const struct tlv *tlv,
                         struct refusal *refusal)
{
    if (step == TLV_ORDER) {
        return refusal_set(refusal, ERROR_MALFORMED,
                           "field %u is out of order; expected tags that strictly increase",
                           tlv->tag);
    }
    if (step == TLV_CUT) {
        return refusal_set(refusal, ERROR_MALFORMED,
                           "field %u says that it has %u bytes; expected at most the %zu left in "
                           "the payload",
                           tlv->tag, tlv->length, reader->reader.left);
    }
    return refusal_set(refusal, ERROR_MALFORMED,
                       "%zu bytes are left over behind the last field; expected none",
                       reader->reader.left);
}

int layout_check_stream(const uint8_t *payload, size_t length, struct refusal *refusal)
{
    struct tlv_reader reader = tlv_reader_of(payload, length);
    struct tlv tlv;
    enum tlv_step step = TLV_FIELD;
    while (step == TLV_FIELD) {
        step = tlv_next(&reader, &tlv);
    }
    return step == TLV_END ? 0 : refuse_stream(step, &reader, &tlv, refusal);
}

int layout_selector(unsigned frame_type, const uint8_t *payload, size_t length, uint16_t *ret,
                    struct refusal *refusal)
{
    const char *name = frame_type == FRAME_REQUEST ? "command" : "kind";
    struct tlv_reader reader = tlv_reader_of(payload, length);
    struct tlv tlv;
    enum tlv_step step = TLV_FIELD;
    do {
        step = tlv_next(&reader, &tlv);
    } while (step == TLV_FIELD && tlv.tag < LAYOUT_SELECTOR_TAG);
    if (step != TLV_FIELD && step != TLV_END) {
        return refuse_stream(step, &reader, &tlv, refusal);
    }
    if (step == TLV_END || tlv.tag != LAYOUT_SELECTOR_TAG) {
        return refusal_set(refusal, ERROR_MALFORMED, "field 2 (%s) is missing", name);
    }
    if (tlv.length != sizeof(*ret)) {
        return refusal_set(refusal, ERROR_MALFORMED, "field 2 (%s) has %u bytes; expected 2", name,
                           tlv.length);
    }
    *ret = integer_read_16(tlv.value);
    return 0;
}

/* The rows that a walk through the payload has still to meet. */
struct walk {
    const struct layout *layout;
    size_t next;
};

/* Passes the rows before `tag`, the mandatory ones of which are missing. */
static int pass_rows(struct walk *walk, unsigned tag, struct refusal *refusal)
{
    for (; walk->next < walk->layout->count; walk->next++) {
        const struct field *row = &walk->layout->rows[walk->next];
        if (row->tag >= tag) {
            break;
        }
        if (row->presence == FIELD_MANDATORY) {
            return refusal_set(refusal, ERROR_MALFORMED, "field %u (%s) is missing; %s needs it",
                               row->tag, row->name, walk->layout->name);
        }
    }
    return 0;
}

static int take_field(struct walk *walk, const struct tlv *tlv, void *message,
                      struct refusal *refusal)
{
    const struct layout *layout = walk->layout;
    int error = pass_rows(walk, tlv->tag, refusal);
    if (error < 0) {
        return error;
    }
    if (walk->next < layout->count && layout->rows[walk->next].tag == tlv->tag) {
        return field_decode(&layout->rows[walk->next++], tlv, layout->range, message, refusal);
    }
    if (tlv_may_skip(tlv->tag)) {
        return 0;
    }
    return refusal_set(refusal, ERROR_UNSUPPORTED_FIELD,
                       "field %u is not taken by %s; expected only even tags that it has", tlv->tag,
                       layout->name);
}

int layout_decode(const struct layout *layout, const uint8_t *payload, size_t length, void *message,
                  struct refusal *refusal)
{
    struct walk walk = {.layout = layout};
    struct tlv_reader reader = tlv_reader_of(payload, length);
    struct tlv tlv;
    struct refusal found; /* not zeroed: 256 bytes for every request */
    int result = 0;       /* of the first refusal that is not malformed, which waits for one */
    enum tlv_step step = TLV_FIELD;
    while ((step = tlv_next(&reader, &tlv)) == TLV_FIELD) {
        int error = take_field(&walk, &tlv, message, &found);
        if (error < 0 && (result == 0 || found.code == ERROR_MALFORMED)) {
            *refusal = found;
            result = error;
        }
        if (error < 0 && found.code == ERROR_MALFORMED) {
            return error;
        }
    }
    if (step != TLV_END) {
        return refuse_stream(step, &reader, &tlv, refusal);
    }
    int error = pass_rows(&walk, UINT16_MAX + 1, refusal);
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
