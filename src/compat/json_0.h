/* SPDX-License-Identifier: Apache-2.0 */
/* json-0, the older JSON generation: sender_cid and all arguments are parts of texts, and there are
 * two answers.
 *
 * Source   docs/protocol.md, "json-0".
 */
#ifndef COMPAT_JSON_0_H
#define COMPAT_JSON_0_H

#include "compat/json.h"
#include "wire/cursor.h"

extern const struct dialect dialect_json_0;

/* A CID or a count: plain decimal, below 2^32. 0 or -EINVAL. */
MUST_CHECK int json_0_read_number(struct text digits, uint64_t *ret);

/* The message of a request; its texts are copied to `kept`. -EBADMSG with *refusal set. */
MUST_CHECK int json_0_read_message(const struct json *message, struct writer *kept,
                                   struct request *ret, struct protocol_error *protocol_error);

/* One of the two answers: a response without payload, or an error. -EBADMSG with *refusal set. */
MUST_CHECK int json_0_read_answer(const struct json *value, struct answer *ret,
                                  struct protocol_error *protocol_error);

#endif
