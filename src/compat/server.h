/* SPDX-License-Identifier: Apache-2.0 */
/* The host's end of a session, in any dialect: bytes in, typed requests out; typed answers in,
 * bytes out.
 *
 *     server_frame() -> FRAMING_WHOLE -> server_decode() -> DECODING_REQUEST -> server_answer()
 */
#ifndef COMPAT_SERVER_H
#define COMPAT_SERVER_H

#include "compat/dialect.h"

void server_init(struct server_session *session, uint32_t request_limit, uint32_t peer_cid);

/* The bytes a connection's input buffer needs so that every legal request fits. */
size_t server_input_size(uint32_t request_limit);

/* Sniffs the dialect from the first bytes, then asks it for the next frame. `bytes` begins at the
 * first byte that no earlier frame took; the same bytes with more behind them come at the next
 * call. After a frame was taken out of the buffer, framing starts anew. At `eof` with no byte left
 * it says FRAMING_MORE: a clean end. After the last answer about a frame, call it for the next one
 * even when no byte is there: that forgets the frame's id. A refusal always closes. */
enum framing server_frame(struct server_session *session, const uint8_t *bytes, size_t length,
                          bool eof, size_t *frame_length, struct protocol_error *protocol_error);

/* Decodes the frame that server_frame found. `reply` has room for ANSWER_BYTES_MAX. */
enum decoding server_decode(struct server_session *session, uint8_t *frame, size_t length,
                            struct request *request, struct protocol_error *protocol_error,
                            struct reply *reply);

/* Appends an answer to the current frame, in the session's dialect; before the first byte, as a TLV
 * ERROR frame. A text over ANSWER_TEXT_MAX is cut at a whole character. 0 or an error, as
 * encode_answer. */
MUST_CHECK int server_answer(const struct server_session *session, const struct answer *answer,
                             struct reply *reply);

/* Finds the dialect from bytes that are not framed any more, for the error to a peer that is
 * refused (`busy`, `timeout`). Does nothing when it is known, or when there are no bytes. */
void server_sniff(struct server_session *session, const uint8_t *bytes, size_t length);

bool server_closes_after_answer(const struct server_session *session);
bool server_answers_on_accept(const struct server_session *session);
bool server_has_progress(const struct server_session *session);

/* Such as "tlv-1", for the log; "none" before the first byte. */
const char *server_dialect_name(const struct server_session *session);

#endif
