/* SPDX-License-Identifier: Apache-2.0 */
/* JSON at the host: what the two generations share, up to the point where sender_cid tells them
 * apart. From then on the session's dialect is the one of the request.
 *
 * Threads  pure functions.
 */
#ifndef COMPAT_JSON_HOST_H
#define COMPAT_JSON_HOST_H

#include "compat/json.h"
#include "wire/writer.h"

enum framing json_host_frame(struct server_session *session, const uint8_t *bytes, size_t length,
                             bool eof, size_t *frame_length, struct refusal *refusal);
enum decoding json_host_decode(struct server_session *session, uint8_t *frame, size_t length,
                               struct request *request, struct refusal *refusal,
                               struct reply *reply);

/* Who asks, and what. */
struct json_request {
    bool older;   /* of the generation whose CID is a text */
    uint32_t cid; /* as the guest says */
    struct request request;
};

/* Reads a whole object, and writes the request's texts to `texts`, which is as long as the frame
 * and may be in its place. On -EBADMSG `older` is set too. */
MUST_CHECK int json_host_read(const uint8_t *frame, size_t length, uint8_t *texts,
                              struct json_request *ret, struct refusal *refusal);

/* Keeps a text that is at most `max` bytes long. `what` it is, for the refusal. */
MUST_CHECK int json_host_keep(const char *what, struct text text, size_t max, struct writer *kept,
                              struct text *ret, struct refusal *refusal);

/* A SHA-256 as hex digits. */
MUST_CHECK int json_host_sha256(struct text digits, uint8_t ret[SHA256_SIZE],
                                struct refusal *refusal);

#endif
