/* SPDX-License-Identifier: Apache-2.0 */
/* JSON at the guest: what the two generations share.
 *
 * Threads  pure functions.
 */
#ifndef COMPAT_JSON_ENVELOPE_H
#define COMPAT_JSON_ENVELOPE_H

#include "compat/dialect.h"
#include "compat/json.h"
#include "wire/cursor.h"

/* Where a JSON object ends, in a stream without framing: brackets outside strings are counted, and
 * each byte is looked at once. Whether it is JSON is not judged here.
 *
 * On its way it notes whether the key sender_cid was followed by a string, by which the two
 * generations of JSON can be told before the object is whole.
 *
 * Threads  pure functions; what was seen is kept in the caller's scan.
 */
/* Brackets within brackets: what reads an object calls itself for each. */
enum { JSON_DEPTH_MAX = 1024 };

enum json_frame {
    JSON_FRAME_MORE,    /* so far it may become one */
    JSON_FRAME_WHOLE,   /* *end is the offset behind the object */
    JSON_FRAME_FOREIGN, /* something else than white space and an object */
    JSON_FRAME_DEEP,    /* deeper than JSON_DEPTH_MAX */
};

/* `bytes` begins at the same byte at each call for one object, with more behind it. */
enum json_frame json_frame(struct framing_scan *scan, const uint8_t *bytes, size_t length,
                           size_t *end);

/* True once sender_cid was seen to be a string. */
bool json_frame_cid_is_text(const struct framing_scan *scan);

bool json_frame_is_blank(uint8_t byte);

/* JSON at the host: what the two generations share, up to the point where sender_cid tells them
 * apart. From then on the session's dialect is the one of the request.
 *
 * Threads  pure functions.
 */
enum framing json_host_frame(struct server_session *session, const uint8_t *bytes, size_t length,
                             bool eof, size_t *frame_length, struct protocol_error *protocol_error);
enum decoding json_host_decode(struct server_session *session, uint8_t *frame, size_t length,
                               struct request *request, struct protocol_error *protocol_error,
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
                              struct json_request *ret, struct protocol_error *protocol_error);

/* Keeps a text that is at most `max` bytes long. `what` it is, for the refusal. */
MUST_CHECK int json_host_keep(const char *what, struct text text, size_t max, struct writer *kept,
                              struct text *ret, struct protocol_error *protocol_error);

/* A SHA-256 as hex digits. */
MUST_CHECK int json_host_sha256(struct text digits, uint8_t ret[SHA256_SIZE],
                                struct protocol_error *protocol_error);

enum {
    JSON_REQUEST_MAX = 4096, /* bytes: old hosts read once, and no more */
    JSON_ANSWER_MAX = 65536,
};

/* Appends {"sender_cid":...,"message":...}, taking both. 0, -EMSGSIZE, -ENOBUFS or -ENOMEM. */
MUST_CHECK int json_guest_write(struct json *cid, struct json *message, struct reply *out);

/* As frame_answer of compat/dialect.h: an object, whatever follows it. */
enum framing json_guest_frame(struct client_session *session, const uint8_t *bytes, size_t length,
                              bool eof, size_t *frame_length,
                              struct protocol_error *protocol_error);

/* The answer as a value; json_free is the caller's. -EBADMSG with *refusal set. */
MUST_CHECK int json_guest_parse(const uint8_t *frame, size_t length, struct json **ret,
                                struct protocol_error *protocol_error);

/* Copies a text of the answer to the beginning of its frame. */
struct text json_guest_keep(struct text text, uint8_t *frame);

/* What GetVsockProtocol, the question of the search, was answered with. */
struct json_probe {
    const struct dialect *dialect;  /* the host's */
    struct release_version version; /* json-1 tells it */
    struct answer error; /* json-1: type ANSWER_ERROR, and dialect NULL, when it was that */
};

MUST_CHECK int json_guest_read_probe(uint8_t *frame, size_t length, struct json_probe *ret,
                                     struct protocol_error *protocol_error);

#endif
