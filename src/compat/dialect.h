/* SPDX-License-Identifier: Apache-2.0 */
/* The interface of a dialect: one way to put requests and answers on the stream. Each dialect is
 * one file and one row of the table in compat/dialects.h.
 *
 * Errors   a protocol_error is a value, not an errno: it is what the peer is sent.
 * Owner    buffers are the caller's. Dialects make no system call. Only the JSON dialects allocate
 *          memory, and free it before they return.
 */
#ifndef COMPAT_DIALECT_H
#define COMPAT_DIALECT_H

#include "wire/attributes.h"
#include "wire/cursor.h"
#include "wire/message.h"
#include "wire/protocol_error.h"

enum {
    /* Bytes that any one answer needs when its text is at most ANSWER_TEXT_MAX bytes of escaped
     * UTF-8: the buffers of a connection are sized by it. */
    ANSWER_TEXT_MAX = 1536,
    ANSWER_BYTES_MAX = 4096,
    /* Bytes of the largest answer that a guest takes: a TLV header and 65,536 bytes. */
    GUEST_ANSWER_MAX = 16 + 65536,
    /* Room for any request before its length is judged: every byte of a notify escaped in JSON. */
    GUEST_REQUEST_MAX = 32768,
};

enum framing {
    FRAMING_MORE,    /* no whole frame yet */
    FRAMING_WHOLE,   /* the first *length bytes are a frame */
    FRAMING_REFUSED, /* *protocol_error says why; it always closes */
};

enum decoding {
    DECODING_REQUEST, /* *request is set */
    DECODING_REPLY,   /* the dialect answered by itself (a WELCOME): send the bytes in `reply` */
    DECODING_REFUSED, /* *protocol_error says why */
};

/* How far JSON framing has read, so that it reads each byte once. Zero at a frame's start. */
struct framing_scan {
    size_t seen;
    uint32_t depth; /* of brackets */
    uint8_t state;
    uint8_t key; /* how much of the key sender_cid has been seen */
};

struct dialect;
struct json_generation; /* compat/json_envelope.h */

/* A growing answer in the caller's buffer. */
struct reply {
    uint8_t *bytes;
    size_t size; /* of the buffer */
    size_t length;
};

/* One connection as the host's dialect sees it. server_init() makes one. */
struct server_session {
    const struct dialect *const *dialects; /* the table, ended by NULL */
    const struct dialect *dialect; /* NULL before the first bytes; the JSON framing changes it when
                                    * later bytes show the other generation */
    bool dialect_known;            /* no more sniffing */
    uint32_t request_limit;        /* bytes: [limits] request_bytes */
    uint32_t peer_cid;             /* from the kernel */
    struct wire_version agreed;    /* TLV wire 1.x: major 0 before WELCOME */
    uint32_t id;                   /* of the current frame, echoed in its answers; 0 when there is
                                    * none, or its header could not be read */
    struct framing_scan scan;
};

/* One connection as the guest's dialect sees it. Zero it and set the dialect. */
struct client_session {
    const struct dialect *dialect;
    struct wire_version agreed; /* TLV wire 1.x: what WELCOME said */
    uint32_t id;                /* of the request under way */
    enum command command;       /* of the request under way */
    bool progress;              /* it wants PROGRESS */
    uint32_t request_limit;     /* from WELCOME; 0: none */
    uint32_t local_cid;         /* for dialects with has_sender_cid */
    char host[72];              /* the host's agent string, escaped; empty: none received */
    struct framing_scan scan;
};

struct dialect {
    const char *name;                   /* such as "tlv-1" */
    const char *title;                  /* such as "TLV wire 1.0", for -v and logs */
    bool closes_after_answer;           /* one request a connection */
    bool upgrade_answered_on_accept;    /* the end of an upgrade is never reported */
    bool has_progress;                  /* has PROGRESS */
    bool has_sender_cid;                /* a request holds the guest's own CID */
    bool half_closes;                   /* the guest ends its stream behind the request */
    uint16_t carries;                   /* bit n: the dialect has command n */
    const struct json_generation *json; /* of the JSON dialects, else NULL */

    /* --- at the host --- */
    /* True if the `length` bytes (at least 1) begin a stream of this dialect. NULL: its streams
     * begin as those of a later row, which claims them. */
    bool (*claims)(const uint8_t *bytes, size_t length);
    /* Scans what has arrived since the last call, at least one byte in all. `eof`: no more comes.
     * Sets session->id as soon as it is known. */
    enum framing (*frame)(struct server_session *session, const uint8_t *bytes, size_t length,
                          bool eof, size_t *frame_length, struct protocol_error *protocol_error);
    /* May overwrite the frame; the request's texts point into it. */
    enum decoding (*decode)(struct server_session *session, uint8_t *frame, size_t length,
                            struct request *request, struct protocol_error *protocol_error,
                            struct reply *reply);
    /* Appends the answer; 0, -ENOBUFS, -ENOMEM, or -EINVAL for a text that is not UTF-8; an error
     * leaves the reply as it was. Appends nothing for an answer that the dialect does not have
     * (PROGRESS). */
    int (*encode_answer)(const struct server_session *session, const struct answer *answer,
                         struct reply *reply);

    /* --- at the guest --- */
    /* The first frame, which agrees on a version; NULL when the dialect has none. 0 or -ENOBUFS. */
    int (*encode_greeting)(struct client_session *session, struct reply *out);
    /* 0, -EMSGSIZE (too long for this dialect or this host), -EOPNOTSUPP (no such command),
     * -EINVAL (a text that is not UTF-8, or holds NUL), -ENOBUFS or -ENOMEM; only 0 changes
     * anything. */
    int (*encode_request)(struct client_session *session, const struct request *request,
                          struct reply *out);
    enum framing (*frame_answer)(struct client_session *session, const uint8_t *bytes,
                                 size_t length, bool eof, size_t *frame_length,
                                 struct protocol_error *protocol_error);
    /* 0, or -EBADMSG with *protocol_error set. May overwrite the frame; the answer's texts point
     * into it. `greeting`: the answer to encode_greeting's frame: an ANSWER_ERROR, or an
     * ANSWER_RESPONSE with nothing but its type set, which means that a version is agreed. */
    int (*decode_answer)(struct client_session *session, bool greeting, uint8_t *frame,
                         size_t length, struct answer *answer,
                         struct protocol_error *protocol_error);
};

/* Writes behind the reply's bytes; the caller sets the reply's length. */
struct writer reply_writer(const struct reply *reply);

/* Of a TLV frame of `whole` bytes, or of its header. */
enum framing framing_await(size_t length, size_t whole, bool eof, size_t *frame_length,
                           struct protocol_error *protocol_error);

enum { ANSWER_LINE_MAX = ANSWER_TEXT_MAX + 32 };

/* An error in a dialect without codes: the text `code: message`, cut to fit. */
struct text answer_error_line(const struct answer *error, char out[ANSWER_LINE_MAX]);

/* The error of such a text. A text that does not begin with a code's name is the message of an
 * internal error. */
struct answer answer_error_of_line(struct text line);

/* -EINVAL when a text of the request is not UTF-8, -EMSGSIZE when one is over its limit. */
MUST_CHECK int request_check_texts(const struct request *request);

/* -EBADMSG with *protocol_error set when a response is not of the command's kind. */
MUST_CHECK int answer_judge_kind(enum command command, const struct answer *answer,
                                 struct protocol_error *protocol_error);

#endif
