/* SPDX-License-Identifier: Apache-2.0 */
/* A dialect: one way to put requests and answers on the stream. One file each, one row each in the
 * table of dialect.c; to retire a dialect is to delete its file and its row.
 *
 * The host's and the guest's own code never names a dialect: the host works through
 * compat/server.h, the guest through compat/client.h, and both see typed messages only.
 *
 * Threads  the table is constant; a session belongs to whoever holds it.
 * Errors   refusals are values (struct refusal), not errno: they are what the peer is told.
 * Owner    buffers are the caller's. No system call; no allocation but by the JSON dialects, which
 *          free again what they took.
 */
#ifndef COMPAT_DIALECT_H
#define COMPAT_DIALECT_H

#include "wire/attributes.h"
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
    FRAMING_REFUSED, /* *refusal says why; it always closes */
};

enum decoding {
    DECODING_REQUEST, /* *request is set */
    DECODING_REPLY,   /* the dialect answered by itself (a WELCOME): send the bytes in `reply` */
    DECODING_REFUSED, /* *refusal says why */
};

/* How far framing has looked, so that it looks at each byte once. Zero at a frame's start. */
struct framing_scan {
    size_t seen;
    uint32_t depth; /* of brackets */
    uint8_t state;
    uint8_t key; /* how much of a key that tells a dialect has been seen */
};

/* A growing answer in the caller's buffer. */
struct reply {
    uint8_t *bytes;
    size_t size; /* of the buffer */
    size_t length;
};

/* One connection as the host's dialect sees it. server_init() makes one. */
struct server_session {
    const struct dialect *dialect; /* NULL until the first bytes told it; a dialect that learns only
                                    * from what comes later that it is another's sets that here */
    bool dialect_known;            /* no more sniffing */
    uint32_t request_limit;        /* bytes: [limits] request_bytes */
    uint32_t peer_cid;             /* from the kernel */
    struct wire_version agreed;    /* TLV wire 1.x: major 0 before WELCOME */
    uint32_t id;                   /* of the frame in hand, echoed in what is said about it; 0 when
                                    * there is none, or its header could not be read */
    struct framing_scan scan;
};

/* One connection as the guest's dialect sees it. Zero it and set the dialect. */
struct client_session {
    const struct dialect *dialect;
    struct wire_version agreed; /* TLV wire 1.x: what WELCOME said */
    uint32_t id;                /* of the request under way */
    enum command command;       /* of the request under way */
    bool progress;              /* it wants PROGRESS */
    uint32_t request_limit;     /* what WELCOME told, 0: nothing told */
    uint32_t local_cid;         /* where the dialect's requests tell it */
    char host[72];              /* the host's agent string, escaped; empty while not told */
    struct framing_scan scan;
};

struct dialect {
    const char *name;                /* such as "tlv-1" */
    const char *title;               /* such as "TLV wire 1.0", for -v and logs */
    bool closes_after_answer;        /* one request a connection */
    bool upgrade_answered_on_accept; /* the end of an upgrade is never told */
    bool has_progress;               /* can say PROGRESS */
    bool tells_cid;                  /* a request holds the guest's own CID */
    bool half_closes;                /* the guest ends its stream behind the request */
    uint16_t carries;                /* bit n: command n can be asked in this dialect */

    /* --- at the host --- */
    /* True if the `length` bytes (at least 1) begin a stream of this dialect: what dialect_sniff
     * asks. */
    bool (*claims)(const uint8_t *bytes, size_t length);
    /* Looks at what has arrived since the last call. `eof`: no more comes. At least one byte is
     * there. Sets session->id as soon as it is known. */
    enum framing (*frame)(struct server_session *session, const uint8_t *bytes, size_t length,
                          bool eof, size_t *frame_length, struct protocol_error *protocol_error);
    /* May overwrite the frame; the request's texts point into it. */
    enum decoding (*decode)(struct server_session *session, uint8_t *frame, size_t length,
                            struct request *request, struct protocol_error *protocol_error,
                            struct reply *reply);
    /* Appends the answer; 0, -ENOBUFS, -ENOMEM, or -EINVAL for an answer that no peer may be sent
     * (a text that is not UTF-8), the reply then being untouched. Appends nothing for what the
     * dialect cannot say (PROGRESS in an old one). */
    int (*encode_answer)(const struct server_session *session, const struct answer *answer,
                         struct reply *reply);

    /* --- at the guest --- */
    /* What is sent first to agree on a version; NULL when the dialect has nothing of the kind.
     * 0 or -ENOBUFS. */
    int (*encode_greeting)(struct client_session *session, struct reply *out);
    /* 0, -EMSGSIZE (too long for this dialect or this host), -EOPNOTSUPP (cannot be asked in it),
     * -EINVAL (a text that is not UTF-8, or holds NUL), -ENOBUFS or -ENOMEM; only 0 changes
     * anything. */
    int (*encode_request)(struct client_session *session, const struct request *request,
                          struct reply *out);
    enum framing (*frame_answer)(struct client_session *session, const uint8_t *bytes,
                                 size_t length, bool eof, size_t *frame_length,
                                 struct protocol_error *protocol_error);
    /* 0, or -EBADMSG with *refusal saying what makes no sense. May overwrite the frame; the
     * answer's texts point into it. `greeting`: the answer to what encode_greeting wrote; then
     * *answer is set only if its type is ANSWER_ERROR, and ANSWER_RESPONSE (of which nothing but
     * the type is set) stands for the agreement. */
    int (*decode_answer)(struct client_session *session, bool greeting, uint8_t *frame,
                         size_t length, struct answer *answer,
                         struct protocol_error *protocol_error);
};

/* The table, the oldest dialect first. */
extern const struct dialect *const dialects[];
extern const size_t dialects_count;

/* From so many first bytes on, more of them change nothing about the dialect. */
enum { DIALECT_SNIFFED = 5 };

/* Whose stream these bytes (at least 1) begin; NULL: nobody's. The first row that claims them has
 * them: a row that knows its own only by later bytes (TLV 0.9, by its major) stands before the one
 * that takes every stream with that first byte. */
const struct dialect *dialect_sniff(const uint8_t *bytes, size_t length);

/* What a host speaks to a peer that has sent nothing, or nothing of any dialect. */
extern const struct dialect *const dialect_default;

/* NULL when there is none of that name. */
const struct dialect *dialect_find(const char *name);

/* What several dialects do with answers.
 *
 * Threads  pure functions.
 */
enum { ANSWER_LINE_MAX = ANSWER_TEXT_MAX + 32 };

/* An error where there are no codes but a text: `code: message`, cut to fit. */
struct text answer_error_line(const struct answer *error, char out[ANSWER_LINE_MAX]);

/* The error that such a text tells. One that does not begin with a code's name is as a whole the
 * message of an internal error. */
struct answer answer_error_of_line(struct text line);

/* -EBADMSG with *refusal set when a response is of another kind than the command is answered with.
 */
MUST_CHECK int answer_judge_kind(enum command command, const struct answer *answer,
                                 struct protocol_error *protocol_error);

#endif
