/* SPDX-License-Identifier: Apache-2.0 */
/* TLV wire 0.9, from before negotiation: one request and one answer on a connection.
 *
 * Source   docs/protocol.md, "TLV wire 0.9".
 */
#ifndef COMPAT_TLV_0_H
#define COMPAT_TLV_0_H

#include "compat/dialect.h"
#include "wire/field.h"

extern const struct dialect dialect_tlv_0;

enum {
    TLV_0_TAG_COMMAND = 1, /* of a request; u8 */
    TLV_0_TAG_TEXT = 1,    /* of both answers */
};

/* The row of a further tag of a request; NULL when the command does not take it. */
const struct field *tlv_0_row(enum command command, unsigned tag);

/* The payload of a request; its texts point into it. -EBADMSG with *refusal set. */
MUST_CHECK int tlv_0_read_request(const uint8_t *payload, size_t length, struct request *ret,
                                  struct refusal *refusal);
/* The payload of an answer: its text, with no bytes when there is no field. */
MUST_CHECK int tlv_0_read_text(const uint8_t *payload, size_t length, struct text *ret,
                               struct refusal *refusal);

#endif
