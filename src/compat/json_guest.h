/* SPDX-License-Identifier: Apache-2.0 */
/* JSON at the guest: what the two generations share.
 *
 * Threads  pure functions.
 */
#ifndef COMPAT_JSON_GUEST_H
#define COMPAT_JSON_GUEST_H

#include "compat/json.h"

enum {
    JSON_REQUEST_MAX = 4096, /* bytes: old hosts read once, and no more */
    JSON_ANSWER_MAX = 65536,
};

/* Appends {"sender_cid":...,"message":...}, taking both. 0, -EMSGSIZE, -ENOBUFS or -ENOMEM. */
MUST_CHECK int json_guest_write(struct json *cid, struct json *message, struct reply *out);

/* As frame_answer of compat/dialect.h: an object, whatever follows it. */
enum framing json_guest_frame(struct client_session *session, const uint8_t *bytes, size_t length,
                              bool eof, size_t *frame_length, struct refusal *refusal);

/* The answer as a value; json_free is the caller's. -EBADMSG with *refusal set. */
MUST_CHECK int json_guest_parse(const uint8_t *frame, size_t length, struct json **ret,
                                struct refusal *refusal);

/* Copies a text of the answer to the beginning of its frame. */
struct text json_guest_keep(struct text text, uint8_t *frame);

/* What GetVsockProtocol, the question of the search, was answered with. */
struct json_probe {
    const struct dialect *dialect;  /* the host's */
    struct release_version version; /* json-1 tells it */
    struct answer error; /* json-1: type ANSWER_ERROR, and dialect NULL, when it was that */
};

MUST_CHECK int json_guest_read_probe(uint8_t *frame, size_t length, struct json_probe *ret,
                                     struct refusal *refusal);

#endif
