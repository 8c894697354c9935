/* SPDX-License-Identifier: Apache-2.0 */
/* TLV wire 0.9: its header of 10 bytes, and its fields.
 *
 * Threads  pure functions.
 * Source   docs/protocol.md, "TLV wire 0.9".
 */
#ifndef COMPAT_TLV_0_FRAME_H
#define COMPAT_TLV_0_FRAME_H

#include "compat/dialect.h"
#include "wire/tlv.h"

enum {
    TLV_0_MINOR = 9,
    TLV_0_MINOR_AT = 5,
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

/* True if the bytes tell a frame of major 0. */
bool tlv_0_claims(const uint8_t *bytes, size_t length);

void tlv_0_header_decode(const uint8_t bytes[TLV_0_HEADER_SIZE], struct tlv_0_header *ret);

/* From bytes that tlv_0_claims took to a frame whose type is between `first` and `last` and whose
 * payload has at most `limit` bytes. */
enum framing tlv_0_frame(const uint8_t *bytes, size_t length, bool eof, enum tlv_0_type first,
                         enum tlv_0_type last, uint32_t limit, size_t *frame_length,
                         struct refusal *refusal);

/* As tlv_next, for fields with a header of 3 bytes. */
enum tlv_step tlv_0_next(struct tlv_reader *reader, struct tlv *ret);

/* Whole frames: the header is filled in by tlv_0_end. */
void tlv_0_begin(struct writer *writer);
void tlv_0_put_header(struct writer *writer, uint8_t tag, size_t length);
void tlv_0_put_text(struct writer *writer, uint8_t tag, struct text text);
/* 0 or -ENOBUFS; only 0 changes the reply, which the writer was made of. */
MUST_CHECK int tlv_0_end(const struct writer *writer, enum tlv_0_type type, struct reply *reply);

#endif
