/* SPDX-License-Identifier: Apache-2.0 */
/* What a server's answer means for a download that asked for a file, or for the rest of one.
 *
 * Threads  pure functions.
 * Units    bytes.
 * Source   RFC 9110, sections 8.8 (validators), 13.1.5 (If-Range), 14 (ranges), 15 (status codes).
 */
#ifndef HOST_DOWNLOAD_RESPONSE_H
#define HOST_DOWNLOAD_RESPONSE_H

#include "wire/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The Content-Range header of an answer, such as "bytes 500-999/1000".
 *
 * Threads  pure functions.
 * Errors   0 or -EINVAL; *ret is written only on 0.
 * Source   RFC 9110, section 14.4.
 */
#define CONTENT_RANGE_UNKNOWN UINT64_MAX /* the total of "bytes 500-999/ *" */

struct content_range {
    uint64_t first;
    uint64_t last; /* at least `first`, less than `total` */
    uint64_t total;
};

/* Takes only the form that comes with bytes; "bytes * /1000", which comes with 416, is -EINVAL. */
MUST_CHECK int content_range_parse(const char *value, struct content_range *ret);

enum {
    RESPONSE_VALIDATOR_MAX = 256,
    RESPONSE_LOCATION_MAX = 4096,
    RESPONSE_FIELD_MAX = 128,
    RESPONSE_TEXT_MAX = 256,
};

/* The head of an answer. A field that is absent, repeated or too long is "", except for an
 * encoding, which then is something that nobody expects. */
struct response {
    int status;
    bool has_length;
    uint64_t length;                        /* of this answer's body */
    char validator[RESPONSE_VALIDATOR_MAX]; /* strong ETag, else a Last-Modified that is strong */
    char content_range[RESPONSE_FIELD_MAX];
    char content_encoding[RESPONSE_FIELD_MAX];
    char location[RESPONSE_LOCATION_MAX];
};

/* What was asked for, and what is known of the file so far. */
struct response_asked {
    uint64_t from;         /* 0: the whole file, without a Range */
    uint64_t total;        /* 0: not known */
    bool same_url;         /* what is there came from this very url */
    const char *validator; /* of what is there; "" if none */
};

enum response_verdict {
    RESPONSE_WHOLE,         /* the body is the file from its first byte on */
    RESPONSE_REST,          /* the body goes on where what is there ends */
    RESPONSE_REDIRECT,      /* see `location` */
    RESPONSE_START_AGAIN,   /* what is there is of no use here: ask for the whole file */
    RESPONSE_RANGE_REFUSED, /* 416: the same, but only once */
    RESPONSE_OTHER_FILE,    /* another mirror that has a file of another size */
    RESPONSE_REFUSED,       /* final, from this server */
    RESPONSE_TRY_AGAIN,     /* it may be better later */
};

struct response_judgement {
    enum response_verdict verdict;
    uint64_t total;               /* WHOLE, REST: of the file, 0: not known */
    char text[RESPONSE_TEXT_MAX]; /* one line for people, escaped; "" for WHOLE, REST, REDIRECT */
};

void response_judge(const struct response_asked *asked, const struct response *response,
                    struct response_judgement *ret);

/* True for an ETag that may be sent back in If-Range: quoted, not weak, printable. */
bool response_is_strong_etag(const char *etag);

/* True if a line of the head has a carriage return before its line feed alone: one elsewhere ends the
 * line for some and not for others (RFC 9112, 2.2). */
bool response_is_one_line(const char *line, size_t length);

#endif
