/* SPDX-License-Identifier: Apache-2.0 */
/* One request as a host receives it, in a dialect with one request on a connection. Every call is given
 * its bytes in an allocation of exactly their length. */
#ifndef TESTS_RECEIVED_H
#define TESTS_RECEIVED_H

#include "compat/server.h"
#include "support/golden.h"

enum { RECEIVED_LIMIT = 16384, RECEIVED_CID = 3 };

struct received {
    struct server_session session;
    const char *dialect;                  /* its name */
    struct request request;               /* COMMAND_NONE: it was refused, or is not whole */
    struct protocol_error protocol_error; /* ERROR_NONE: it was not */
    bool closes;                          /* the connection does, behind the answer */
    uint8_t *frame;                       /* what the request's texts point into */
    size_t length;
};

/* All of it in one read, and the end. */
void received_whole(const void *bytes, size_t length, struct received *ret);
/* So many bytes at a time, with no end. */
void received_split(const void *bytes, size_t length, size_t chunk, struct received *ret);
void received_free(struct received *received);

extern const uint8_t received_hash[SHA256_SIZE];

/* A request with the arguments that the golden files have. */
struct request received_request(enum command command);

#endif
