/* SPDX-License-Identifier: Apache-2.0 */
/* Whole frames of wire 1.x: a header and the payload of one message.
 *
 * Encoders return 0; -EINVAL, a value that the protocol does not allow; -EMSGSIZE, a text over its
 * limit or a payload over FRAME_PAYLOAD_MAX; -ENOBUFS, the buffer is full. On an error the writer is
 * unchanged. Decoders return 0, or -EBADMSG with *protocol_error set and *ret unchanged; texts point
 * into the payload.
 */
#ifndef WIRE_CODEC_H
#define WIRE_CODEC_H

#include "wire/layout.h"

MUST_CHECK int codec_encode_hello(const struct hello *hello, struct writer *writer);
MUST_CHECK int codec_encode_welcome(const struct welcome *welcome, struct writer *writer);
MUST_CHECK int codec_encode_request(struct wire_version version, uint32_t id,
                                    const struct request *request, struct writer *writer);
/* ERROR, PROGRESS or RESPONSE, by the answer's type. */
MUST_CHECK int codec_encode_answer(struct wire_version version, uint32_t id,
                                   const struct answer *answer, struct writer *writer);

/* The payload of a frame whose header has been checked. */
MUST_CHECK int codec_decode_hello(const uint8_t *payload, size_t length, struct hello *ret,
                                  struct protocol_error *protocol_error);
MUST_CHECK int codec_decode_welcome(const uint8_t *payload, size_t length, struct welcome *ret,
                                    struct protocol_error *protocol_error);
MUST_CHECK int codec_decode_request(const uint8_t *payload, size_t length, struct request *ret,
                                    struct protocol_error *protocol_error);
/* `frame_type`: FRAME_ERROR, FRAME_PROGRESS or FRAME_RESPONSE. */
MUST_CHECK int codec_decode_answer(unsigned frame_type, const uint8_t *payload, size_t length,
                                   struct answer *ret, struct protocol_error *protocol_error);

#endif
