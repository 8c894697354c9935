/* SPDX-License-Identifier: Apache-2.0 */
/* What a server's response means for a download. Pure functions.
 *
 * Source   RFC 9110, sections 8.8 (validators), 13.1.5 (If-Range), 14 (ranges), 15 (status codes).
 */
#ifndef HOST_DOWNLOAD_RESPONSE_H
#define HOST_DOWNLOAD_RESPONSE_H

#include "wire/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A Content-Range header (RFC 9110, section 14.4), such as "bytes 500-999/1000". */
#define CONTENT_RANGE_UNKNOWN UINT64_MAX /* the total of "bytes 500-999/ *" */

struct content_range {
    uint64_t first;
    uint64_t last; /* at least `first`, less than `total` */
    uint64_t total;
};

/* 0 or -EINVAL. Takes only the form of a 206; "bytes * /1000" of a 416 is -EINVAL. */
MUST_CHECK int content_range_parse(const char *value, struct content_range *ret);

enum {
    RESPONSE_VALIDATOR_MAX = 256,
    RESPONSE_LOCATION_MAX = 4096,
    RESPONSE_FIELD_MAX = 128,
    RESPONSE_TEXT_MAX = 256,
};

/* The head of a response. A field that is absent, repeated or too long is "", but a repeated or too long
 * encoding is "(several)". */
struct response {
    int status;
    bool has_length;
    uint64_t length;                        /* of this response's body */
    char validator[RESPONSE_VALIDATOR_MAX]; /* strong ETag, else a Last-Modified that is strong */
    char content_range[RESPONSE_FIELD_MAX];
    char content_encoding[RESPONSE_FIELD_MAX];
    char location[RESPONSE_LOCATION_MAX];
};

/* The request, and what is known of the file. */
struct response_asked {
    uint64_t from;         /* 0: the whole file, without a Range */
    uint64_t total;        /* 0: not known */
    bool same_url;         /* the stored part came from this url */
    const char *validator; /* of the stored part; "" if none */
};

enum response_verdict {
    RESPONSE_WHOLE,         /* the body is the whole file */
    RESPONSE_REST,          /* the body continues the stored part */
    RESPONSE_REDIRECT,      /* see `location` */
    RESPONSE_START_AGAIN,   /* the stored part does not fit: ask for the whole file */
    RESPONSE_RANGE_REFUSED, /* 416: the same, but only once */
    RESPONSE_OTHER_FILE,    /* another mirror, whose file has another size */
    RESPONSE_REFUSED,       /* final, from this server */
    RESPONSE_TRY_AGAIN,     /* a later try may succeed */
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

/* False if a line of the head has a bare carriage return, which some parsers take for the end of the
 * line (RFC 9112, 2.2). */
bool response_is_one_line(const char *line, size_t length);

#endif
