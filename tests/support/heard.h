/* SPDX-License-Identifier: Apache-2.0 */
/* One request as a host hears it, in a dialect that takes one on a connection. Every call is given
 * its bytes in an allocation of exactly their length. */
#ifndef TESTS_HEARD_H
#define TESTS_HEARD_H

#include "compat/server.h"
#include "support/golden.h"

enum { HEARD_LIMIT = 16384, HEARD_CID = 3 };

struct heard {
    struct server_session session;
    const char *dialect;                  /* its name */
    struct request request;               /* COMMAND_NONE: it was refused, or is not whole */
    struct protocol_error protocol_error; /* ERROR_NONE: it was not */
    bool closes;                          /* the connection does, behind the answer */
    uint8_t *frame;                       /* what the request's texts point into */
    size_t length;
};

/* All of it in one read, and the end. */
void heard_whole(const void *bytes, size_t length, struct heard *ret);
/* So many bytes at a time, with no end. */
void heard_split(const void *bytes, size_t length, size_t chunk, struct heard *ret);
void heard_free(struct heard *heard);

#endif
