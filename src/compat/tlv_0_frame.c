/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/tlv_0_frame.h"

#include "wire/frame.h"

#include <errno.h>

enum { TYPE_AT = 6, RESERVED_AT = 7, LENGTH_AT = 8, FIELD_HEADER_SIZE = 3 };

bool tlv_0_claims(const uint8_t *bytes, size_t length)
{
    return length > FRAME_MAJOR_AT && frame_begins(bytes, length) && bytes[FRAME_MAJOR_AT] == 0;
}

void tlv_0_header_decode(const uint8_t bytes[TLV_0_HEADER_SIZE], struct tlv_0_header *ret)
{
    *ret = (struct tlv_0_header){
        .major = bytes[FRAME_MAJOR_AT],
        .minor = bytes[TLV_0_MINOR_AT],
        .type = bytes[TYPE_AT],
        .reserved = bytes[RESERVED_AT],
        .length = integer_read_16(bytes + LENGTH_AT),
    };
}

static int judge_header(const struct tlv_0_header *header, enum tlv_0_type first,
                        enum tlv_0_type last, uint32_t limit, struct refusal *refusal)
{
    if (header->type < (unsigned)first || header->type > (unsigned)last) {
        return refusal_set(refusal, ERROR_MALFORMED, "a frame is of type %u; expected %d to %d",
                           header->type, first, last);
    }
    if (header->reserved != 0) {
        return refusal_set(refusal, ERROR_MALFORMED, "a frame's reserved byte is %u; expected 0",
                           header->reserved);
    }
    if (header->length > limit) {
        return refusal_set(refusal, ERROR_TOO_LARGE,
                           "a frame's payload has %u bytes; expected at most %u", header->length,
                           limit);
    }
    return 0;
}

static enum framing more(size_t length, size_t expected, bool eof, struct refusal *refusal)
{
    if (!eof) {
        return FRAMING_MORE;
    }
    (void)refusal_set(refusal, ERROR_MALFORMED, /* its result is for decoders */
                      "the stream ended inside a frame, after %zu bytes; expected %zu", length,
                      expected);
    return FRAMING_REFUSED;
}

enum framing tlv_0_frame(const uint8_t *bytes, size_t length, bool eof, enum tlv_0_type first,
                         enum tlv_0_type last, uint32_t limit, size_t *frame_length,
                         struct refusal *refusal)
{
    struct tlv_0_header header;
    if (length > TLV_0_MINOR_AT && bytes[TLV_0_MINOR_AT] != TLV_0_MINOR) {
        (void)refusal_set(refusal, ERROR_UNSUPPORTED_VERSION, /* likewise */
                          "a frame's header says version 0.%u; expected 0.%d",
                          bytes[TLV_0_MINOR_AT], TLV_0_MINOR);
        return FRAMING_REFUSED;
    }
    if (length < TLV_0_HEADER_SIZE) {
        return more(length, TLV_0_HEADER_SIZE, eof, refusal);
    }
    tlv_0_header_decode(bytes, &header);
    if (judge_header(&header, first, last, limit, refusal) < 0) {
        return FRAMING_REFUSED;
    }
    size_t whole = TLV_0_HEADER_SIZE + (size_t)header.length;
    if (length < whole) {
        return more(length, whole, eof, refusal);
    }
    *frame_length = whole;
    return FRAMING_WHOLE;
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

void tlv_0_begin(struct writer *writer)
{
    static const uint8_t header[TLV_0_HEADER_SIZE] = {'V', 'S', 'C', 'K', 0, TLV_0_MINOR};
    writer_put(writer, header, sizeof(header));
}

void tlv_0_put_header(struct writer *writer, uint8_t tag, size_t length)
{
    writer_put_integer(writer, sizeof(tag), tag);
    writer_put_integer(writer, sizeof(uint16_t), length);
}

void tlv_0_put_text(struct writer *writer, uint8_t tag, struct text text)
{
    tlv_0_put_header(writer, tag, text.length);
    writer_put(writer, text.bytes, text.length);
}

int tlv_0_end(const struct writer *writer, enum tlv_0_type type, struct reply *reply)
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
