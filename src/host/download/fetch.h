/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP request and its answer, by libcurl: the only file that knows how. It follows no
 * redirect, uses no proxy, no netrc, no cookies and no content encoding, and connects to no address
 * that is refused.
 *
 * Threads  fetch_library_init: main thread, before the first thread. fetch_run blocks its caller;
 *          the sink is called there.
 * Units    bytes; milliseconds where conf has them.
 * Errors   how it ended is in the result; nothing is logged.
 */
#ifndef HOST_FETCH_H
#define HOST_FETCH_H

#include "host/conf/conf.h"
#include "host/download/response.h"
#include "wire/attributes.h"

/* Who takes the answer. Each function returns 0 to go on, anything else to end the request. */
struct fetch_sink {
    int (*head)(void *context, const struct response *response); /* once, before the first byte */
    int (*body)(void *context, const void *bytes, size_t length);
    int (*pause)(void *context); /* all that has come was given; more is waited for */
    void *context;
};

struct fetch {
    const struct conf *conf; /* [upgrade] */
    const char *url;         /* judged already */
    uint64_t from;           /* 0: no Range is asked for */
    const char *if_range;    /* NULL: none */
    int stop_fd;             /* readable: stop */
    struct fetch_sink sink;
};

enum fetch_end {
    FETCH_DONE,     /* the whole answer came */
    FETCH_STOPPED,  /* stop_fd */
    FETCH_DECLINED, /* the sink ended it */
    FETCH_REFUSED_ADDRESS,
    FETCH_NO_ANSWER, /* no connection, or nothing that is HTTP: not to be told apart by a guest */
    FETCH_STALLED,   /* too slow for too long, once an answer had begun */
    FETCH_BROKEN,    /* the answer broke off */
};

enum { FETCH_DETAIL_MAX = 384 };

struct fetch_result {
    enum fetch_end end;
    char detail[FETCH_DETAIL_MAX]; /* for the journal, one line, not escaped; "" if all is well */
};

void fetch_library_init(void);
void fetch_run(const struct fetch *fetch, struct fetch_result *ret);

#endif
