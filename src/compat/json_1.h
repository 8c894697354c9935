/* SPDX-License-Identifier: Apache-2.0 */
/* json-1, the newer JSON generation: sender_cid is a number, and what is asked has its own members.
 *
 * Source   docs/protocol.md, "json-1".
 */
#ifndef COMPAT_JSON_1_H
#define COMPAT_JSON_1_H

#include "compat/json.h"
#include "wire/cursor.h"

extern const struct dialect dialect_json_1;

/* The message of a request; its texts are copied to `kept`. -EBADMSG with *refusal set. */
MUST_CHECK int json_1_read_message(const struct json *message, struct writer *kept,
                                   struct request *ret, struct protocol_error *protocol_error);

/* An answer, whatever was asked; its texts are the value's. -EBADMSG with *refusal set. */
MUST_CHECK int json_1_read_answer(const struct json *value, struct answer *ret,
                                  struct protocol_error *protocol_error);

#endif
