/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds a stream of bytes to one side of a dialect, as a socket would, and writes down what came of
 * it. Every call is given its bytes in an allocation of exactly their length.
 *
 * Two drives of the same bytes must come to the same events, however the bytes were split.
 */
#ifndef TESTS_DRIVE_H
#define TESTS_DRIVE_H

#include "compat/server.h"

enum { DRIVE_EVENTS_MAX = 64, DRIVE_WHOLE = 1 << 30 };

enum drive_kind {
    DRIVE_REQUEST, /* a typed request, or at the guest an answer */
    DRIVE_REPLY,   /* the dialect answered by itself, or at the guest: WELCOME */
    DRIVE_REFUSED,
};

struct drive_event {
    enum drive_kind kind;
    size_t frame_length;   /* 0 when framing refused */
    uint32_t id;           /* of the session then */
    enum command command;  /* DRIVE_REQUEST at the host */
    enum answer_type type; /* DRIVE_REQUEST at the guest */
    enum error_code code;  /* DRIVE_REFUSED; at the guest also of an ERROR */
    bool closes;           /* DRIVE_REFUSED */
};

struct drive {
    struct drive_event event[DRIVE_EVENTS_MAX];
    size_t count;
    size_t left;                /* bytes that no frame took */
    struct protocol_error last; /* the last DRIVE_REFUSED */
    struct request asked;       /* the last DRIVE_REQUEST; its texts are gone */
};

/* `chunk`: bytes at a time, or DRIVE_WHOLE. The stream ends (`eof`) behind the last byte. */
void drive_host(struct server_session *session, const uint8_t *bytes, size_t length, size_t chunk,
                struct drive *ret);
void drive_guest(struct client_session *session, const uint8_t *bytes, size_t length, size_t chunk,
                 struct drive *ret);

bool drive_equal(const struct drive *a, const struct drive *b);

/* A session that has agreed on wire 1.0, and at the guest has sent `command` with this id. */
struct server_session host_agreed(void);
struct client_session guest_agreed(enum command command, uint32_t id);

#endif
