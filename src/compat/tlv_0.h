/* SPDX-License-Identifier: Apache-2.0 */
/* TLV wire 0.9, from before negotiation: one request and one answer a connection. docs/protocol.md,
 * "TLV wire 0.9". What compat/dissect.c needs of it. */
#ifndef COMPAT_TLV_0_H
#define COMPAT_TLV_0_H

#include "compat/dialect.h"
#include "wire/field.h"
#include "wire/tlv.h"

enum {
    TLV_0_HEADER_SIZE = 10,
    TLV_0_PAYLOAD_MAX = UINT16_MAX,
};

enum tlv_0_type { TLV_0_REQUEST = 1, TLV_0_OK = 2, TLV_0_ERROR = 3 };

struct tlv_0_header {
    uint8_t major;
    uint8_t minor;
    uint8_t type;
    uint8_t reserved;
    uint16_t length;
};

/* True for the beginning of a frame of major 0, from 5 bytes on. */
bool tlv_0_claims(const uint8_t *bytes, size_t length);

void tlv_0_header_decode(const uint8_t bytes[TLV_0_HEADER_SIZE], struct tlv_0_header *ret);

/* From bytes that tlv_0_claims took to a frame whose type is between `first` and `last` and whose
 * payload has at most `limit` bytes. */
enum framing tlv_0_frame(const uint8_t *bytes, size_t length, bool eof, enum tlv_0_type first,
                         enum tlv_0_type last, uint32_t limit, size_t *frame_length,
                         struct protocol_error *protocol_error);

/* As tlv_next, for fields with a header of 3 bytes. */
enum tlv_step tlv_0_next(struct tlv_reader *reader, struct tlv *ret);

extern const struct dialect dialect_tlv_0;

enum {
    TLV_0_TAG_COMMAND = 1, /* of a request; u8 */
    TLV_0_TAG_TEXT = 1,    /* of both answers */
};

/* The row of a further tag of a request; NULL when the command does not take it. */
const struct field *tlv_0_row(enum command command, unsigned tag);

/* The payload of a request; its texts point into it. -EBADMSG with *protocol_error set. */
MUST_CHECK int tlv_0_read_request(const uint8_t *payload, size_t length, struct request *ret,
                                  struct protocol_error *protocol_error);
/* The payload of an answer: its text, with no bytes when there is no field. */
MUST_CHECK int tlv_0_read_text(const uint8_t *payload, size_t length, struct text *ret,
                               struct protocol_error *protocol_error);

#endif
