/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/tlv.h"

struct tlv_reader tlv_reader_of(const uint8_t *payload, size_t length)
{
    return (struct tlv_reader){.reader = {.at = payload, .left = length}};
}

bool tlv_may_skip(uint16_t tag)
{
    return tag % 2 == 1;
}

void tlv_put_header(struct writer *writer, uint16_t tag, size_t length)
{
    writer_put_integer(writer, sizeof tag, tag);
    writer_put_integer(writer, sizeof tag, length);
}

enum tlv_step tlv_next(struct tlv_reader *reader, struct tlv *ret)
{
    if (reader->reader.left == 0) {
        return TLV_END;
    }
    const uint8_t *header = reader_take(&reader->reader, TLV_HEADER_SIZE);
    if (header == NULL) {
        return TLV_LEFT_OVER;
    }
    ret->tag = integer_read_16(header);
    ret->length = integer_read_16(header + 2);
    ret->value = reader_take(&reader->reader, ret->length);
    if (ret->value == NULL) {
        return TLV_CUT;
    }
    bool in_order = !reader->begun || ret->tag > reader->last;
    reader->begun = true;
    reader->last = ret->tag;
    return in_order ? TLV_FIELD : TLV_ORDER;
}
