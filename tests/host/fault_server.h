/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP/1.1 server on 127.0.0.1 with a port of its own, in a thread of the test, that misbehaves
 * as told: each request takes the next fault of a list, the last one stays for all after it.
 *
 * Threads  start, stop and the lists: the test's thread. One request at a time, one a connection.
 */
#ifndef TESTS_FAULT_SERVER_H
#define TESTS_FAULT_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fault_end {
    FAULT_NONE,
    FAULT_CUT,   /* the connection ends in order after `after` bytes of the body */
    FAULT_RESET, /* the same with a reset */
    FAULT_STALL, /* nothing more comes after `after` bytes, until the client goes away */
};

struct fault {
    const char *raw;     /* sent as it is, and nothing else; NULL: an answer is made */
    int status;          /* 0: 200, or 206 where a Range is honoured */
    const char *headers; /* more lines, each with \r\n */
    const uint8_t *body; /* of the whole file; NULL: none */
    size_t length;
    const char *etag; /* NULL: none */
    bool ignores_range;
    bool unmeasured;  /* chunked, without a length */
    bool until_close; /* neither: the end of the connection is the body's */
    enum fault_end end;
    size_t after;
};

enum { FAULT_REQUESTS_MAX = 64, FAULT_HEAD_MAX = 4096 };

struct fault_server {
    const struct fault *faults;
    size_t count;
    atomic_size_t requests;                         /* received so far, and kept in `heads` */
    char heads[FAULT_REQUESTS_MAX][FAULT_HEAD_MAX]; /* as they were received */
    int port;
    int listener;
    int stop_fd;
    pthread_t thread;
};

void fault_server_start(struct fault_server *server, const struct fault *faults, size_t count);
void fault_server_stop(struct fault_server *server);

/* The value of a header of request `index`, from a static buffer; "" if it has none. */
const char *fault_server_header(const struct fault_server *server, size_t index, const char *name);

#endif
