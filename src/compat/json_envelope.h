/* SPDX-License-Identifier: Apache-2.0 */
/* What the generations of JSON share: where an object ends, and its envelope {"sender_cid": ...,
 * "message": ...}. The generations are the rows of the session's table that have a struct
 * json_generation; none is named here. */
#ifndef COMPAT_JSON_ENVELOPE_H
#define COMPAT_JSON_ENVELOPE_H

#include "compat/dialect.h"
#include "compat/json.h"
#include "wire/cursor.h"

/* What one generation does in its own way. */
struct json_generation {
    bool cid_is_text; /* sender_cid is a string; else a number */
    /* 0, -EINVAL or -ERANGE. */
    int (*read_cid)(const struct json *cid, uint64_t *ret);
    /* Copies the message's texts to `kept`. 0, or -EBADMSG with *protocol_error set. */
    int (*read_message)(const struct json *message, struct writer *kept, struct request *ret,
                        struct protocol_error *protocol_error);
    /* An answer to any command; its texts are the value's. 0, or -EBADMSG with *protocol_error
     * set. */
    int (*read_answer)(const struct json *value, struct answer *ret,
                       struct protocol_error *protocol_error);
    struct json *(*make_cid)(uint32_t cid);
    /* Of a command that the generation carries. */
    struct json *(*make_message)(const struct request *request);
};

/* Nested brackets: the parser calls itself for each. */
enum { JSON_DEPTH_MAX = 1024 };

enum json_frame {
    JSON_FRAME_MORE,
    JSON_FRAME_WHOLE,   /* *end is the offset behind the object */
    JSON_FRAME_FOREIGN, /* neither white space nor an object */
    JSON_FRAME_DEEP,    /* deeper than JSON_DEPTH_MAX */
};

/* Counts the brackets outside strings, and notes whether the key sender_cid had a string. Does not
 * check that the object is JSON. `bytes` begins at the same byte at each call for one object. */
enum json_frame json_frame(struct framing_scan *scan, const uint8_t *bytes, size_t length,
                           size_t *end);

/* True once sender_cid was seen to be a string. */
bool json_frame_cid_is_text(const struct framing_scan *scan);

bool json_frame_is_blank(uint8_t byte);

/* The host's end of every generation: the functions of a row. They set session->dialect to the
 * generation that sender_cid shows. */
enum framing json_host_frame(struct server_session *session, const uint8_t *bytes, size_t length,
                             bool eof, size_t *frame_length, struct protocol_error *protocol_error);
enum decoding json_host_decode(struct server_session *session, uint8_t *frame, size_t length,
                               struct request *request, struct protocol_error *protocol_error,
                               struct reply *reply);

struct json_request {
    const struct dialect *dialect;
    uint32_t cid; /* sender_cid */
    struct request request;
};

/* Reads a whole object, and writes the request's texts to `texts`, which is as long as the frame
 * and may be the frame. On -EBADMSG ret->dialect is set too. */
MUST_CHECK int json_read_request(const struct dialect *const *table, const uint8_t *frame,
                                 size_t length, uint8_t *texts, struct json_request *ret,
                                 struct protocol_error *protocol_error);

/* Tries the generations, the oldest first: *dialect is the one that has such an answer. -EBADMSG
 * with the newest one's *protocol_error when none has. */
MUST_CHECK int json_read_answer(const struct dialect *const *table, const struct json *value,
                                const struct dialect **dialect, struct answer *ret,
                                struct protocol_error *protocol_error);

/* The generation whose sender_cid is of that type, or else the newest; NULL when there is none. */
const struct dialect *json_find_generation(const struct dialect *const *table, bool cid_is_text);

/* Copies a text of at most `max` bytes to `kept`; `what` names it in the error. */
MUST_CHECK int json_host_keep(const char *what, struct text text, size_t max, struct writer *kept,
                              struct text *ret, struct protocol_error *protocol_error);

/* A SHA-256 as hex digits. */
MUST_CHECK int json_host_sha256(struct text digits, uint8_t ret[SHA256_SIZE],
                                struct protocol_error *protocol_error);

enum {
    JSON_REQUEST_MAX = 4096, /* bytes: old hosts read once, and no more */
    JSON_ANSWER_MAX = 65536,
};

/* The guest's end of every generation: the functions of a row. An answer may have bytes behind its
 * object. */
MUST_CHECK int json_guest_encode(struct client_session *session, const struct request *request,
                                 struct reply *out);
enum framing json_guest_frame(struct client_session *session, const uint8_t *bytes, size_t length,
                              bool eof, size_t *frame_length,
                              struct protocol_error *protocol_error);
MUST_CHECK int json_guest_decode(struct client_session *session, bool greeting, uint8_t *frame,
                                 size_t length, struct answer *answer,
                                 struct protocol_error *protocol_error);

/* The answer to get-vsock-version, by which the guest finds out which generation a host speaks. */
struct json_probe {
    const struct dialect *dialect;  /* the host's */
    struct release_version version; /* when the dialect has that command */
    struct answer error;            /* with dialect NULL: the host's error */
};

/* -EBADMSG with *protocol_error set. */
MUST_CHECK int json_read_probe(const struct dialect *const *table, uint8_t *frame, size_t length,
                               struct json_probe *ret, struct protocol_error *protocol_error);

#endif
