/* SPDX-License-Identifier: Apache-2.0 */
/* TLV wire 1.x: the functions of its row, which compat/dialect.h describes. */
#ifndef COMPAT_TLV_1_SIDES_H
#define COMPAT_TLV_1_SIDES_H

#include "compat/dialect.h"

bool tlv_1_host_claims(const uint8_t *bytes, size_t length);
enum framing tlv_1_host_frame(struct server_session *session, const uint8_t *bytes, size_t length,
                              bool eof, size_t *frame_length, struct refusal *refusal);
enum decoding tlv_1_host_decode(struct server_session *session, uint8_t *frame, size_t length,
                                struct request *request, struct refusal *refusal,
                                struct reply *reply);
int tlv_1_host_encode_answer(const struct server_session *session, const struct answer *answer,
                             struct reply *reply);

int tlv_1_guest_encode_greeting(struct client_session *session, struct reply *out);
int tlv_1_guest_encode_request(struct client_session *session, const struct request *request,
                               struct reply *out);
enum framing tlv_1_guest_frame(struct client_session *session, const uint8_t *bytes, size_t length,
                               bool eof, size_t *frame_length, struct refusal *refusal);
int tlv_1_guest_decode(struct client_session *session, bool greeting, uint8_t *frame, size_t length,
                       struct answer *answer, struct refusal *refusal);

#endif
