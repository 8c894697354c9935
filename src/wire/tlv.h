/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of a payload (docs/protocol.md, "Payload"): tag u16, length u16, value; the tags
 * strictly increase. A field's value points into the payload. */
#ifndef WIRE_TLV_H
#define WIRE_TLV_H

#include "wire/cursor.h"

#include <stdbool.h>

enum { TLV_HEADER_SIZE = 4 };

struct tlv {
    uint16_t tag;
    uint16_t length;
    const uint8_t *value;
};

struct tlv_reader {
    struct reader reader;
    bool begun; /* a field has been read: `last` is its tag */
    uint16_t last;
};

enum tlv_step {
    TLV_FIELD,     /* *ret is the next field */
    TLV_END,       /* every byte has been read */
    TLV_ORDER,     /* *ret is a field whose tag is not above the one before */
    TLV_CUT,       /* *ret is a field (value NULL) whose length goes past the end */
    TLV_LEFT_OVER, /* 1 to 3 bytes are left, too few for a field */
};

struct tlv_reader tlv_reader_of(const uint8_t *payload, size_t length);

/* After TLV_CUT and TLV_LEFT_OVER nothing more can be read; after TLV_ORDER reading may continue, to
 * dissect a malformed payload. */
enum tlv_step tlv_next(struct tlv_reader *reader, struct tlv *ret);

/* A receiver skips an unknown odd tag and refuses an unknown even one. */
bool tlv_may_skip(uint16_t tag);

/* Writes a field's header; the caller writes the `length` bytes of its value. */
void tlv_put_header(struct writer *writer, uint16_t tag, size_t length);

#endif
