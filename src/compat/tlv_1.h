/* SPDX-License-Identifier: Apache-2.0 */
/* TLV wire 1.x: HELLO and WELCOME agree on a version, then REQUEST, PROGRESS, RESPONSE and ERROR.
 *
 * Source   docs/protocol.md, "Frames", "Messages" and "Session".
 */
#ifndef COMPAT_TLV_1_H
#define COMPAT_TLV_1_H

#include "compat/dialect.h"
#include "wire/cursor.h"
#include "wire/frame.h"

/* TLV wire 1.x, what its two sides share: from bytes to a frame whose header may be judged.
 *
 * Threads  pure functions.
 * Errors   the refusals are malformed, but where something else is said; the functions that make
 *          one return -EBADMSG.
 */
/* Takes the header when it is there: FRAMING_WHOLE. What fewer bytes tell is told at once: a wrong
 * magic, and in a `first` frame major 0 (unsupported_version: what follows is no header of 16
 * bytes). */
enum framing tlv_1_take_header(const uint8_t *bytes, size_t length, bool eof, bool first,
                               struct frame_header *ret, struct protocol_error *protocol_error);

/* Waits for the payload behind a header that has been judged. */
enum framing tlv_1_take_payload(const struct frame_header *header, size_t length, bool eof,
                                size_t *frame_length, struct protocol_error *protocol_error);

int tlv_1_refuse_type(unsigned type, const char *expected, struct protocol_error *protocol_error);
int tlv_1_refuse_version(struct wire_version version, struct wire_version agreed,
                         struct protocol_error *protocol_error);
/* too_large, as a host says it of a request; malformed, of an answer over the limit of any frame */
int tlv_1_refuse_large(enum error_code code, uint32_t length, uint32_t limit,
                       struct protocol_error *protocol_error);

/* What goes into a header: what was agreed, and before that the highest version of ours. */
struct wire_version tlv_1_header_version(struct wire_version agreed);

struct writer tlv_1_writer_of(const struct reply *reply);

/* TLV wire 1.x: the functions of its row, which compat/dialect.h describes. */
bool tlv_1_host_claims(const uint8_t *bytes, size_t length);
enum framing tlv_1_host_frame(struct server_session *session, const uint8_t *bytes, size_t length,
                              bool eof, size_t *frame_length,
                              struct protocol_error *protocol_error);
enum decoding tlv_1_host_decode(struct server_session *session, uint8_t *frame, size_t length,
                                struct request *request, struct protocol_error *protocol_error,
                                struct reply *reply);
int tlv_1_host_encode_answer(const struct server_session *session, const struct answer *answer,
                             struct reply *reply);

int tlv_1_guest_encode_greeting(struct client_session *session, struct reply *out);
int tlv_1_guest_encode_request(struct client_session *session, const struct request *request,
                               struct reply *out);
enum framing tlv_1_guest_frame(struct client_session *session, const uint8_t *bytes, size_t length,
                               bool eof, size_t *frame_length,
                               struct protocol_error *protocol_error);
int tlv_1_guest_decode(struct client_session *session, bool greeting, uint8_t *frame, size_t length,
                       struct answer *answer, struct protocol_error *protocol_error);

extern const struct dialect dialect_tlv_1;

#endif
