/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP request and its response, by libcurl: no redirect is followed; no proxy, netrc, cookie or
 * content encoding is used; no refused address is connected to.
 *
 * Threads  fetch_library_init: main thread, before the first thread. fetch_run blocks its caller;
 *          the sink is called there.
 */
#ifndef HOST_DOWNLOAD_FETCH_H
#define HOST_DOWNLOAD_FETCH_H

#include "host/conf/conf.h"
#include "host/download/response.h"
#include "wire/attributes.h"

#include <stdbool.h>
#include <stdint.h>

/* The stall rule: at least so many bytes per second, averaged over a window. Times are passed in. */
struct stall_detector {
    int64_t window_ms;
    uint64_t bytes_per_second;
    int64_t began_ms; /* the window's start */
    uint64_t bytes;   /* in this window */
};

/* Milliseconds until the window ends, at least 1. */
int64_t stall_detector_left(const struct stall_detector *detector, int64_t now_ms);

/* True if a window has ended with too few bytes in it. Begins the next window. */
bool stall_detector_stalled(struct stall_detector *detector, int64_t now_ms);

/* The receiver of the response. Each function returns 0 to go on, anything else ends the request. */
struct fetch_sink {
    int (*head)(void *context, const struct response *response); /* once, before the first byte */
    int (*body)(void *context, const void *bytes, size_t length);
    int (*pause)(void *context); /* all received bytes were passed on */
    void *context;
};

struct fetch {
    const struct conf *conf; /* [upgrade] */
    const char *url;         /* already judged */
    uint64_t from;           /* 0: without Range */
    const char *if_range;    /* NULL: none */
    int stop_fd;             /* readable: stop */
    struct fetch_sink sink;
};

enum fetch_end {
    FETCH_DONE,     /* the whole response was received */
    FETCH_STOPPED,  /* stop_fd */
    FETCH_DECLINED, /* the sink ended it */
    FETCH_REFUSED_ADDRESS,
    FETCH_NO_ANSWER, /* no connection, or no HTTP */
    FETCH_STALLED,   /* below the stall limit, after a response had begun */
    FETCH_BROKEN,    /* the response was cut */
};

enum { FETCH_DETAIL_MAX = 384 };

struct fetch_result {
    enum fetch_end end;
    char detail[FETCH_DETAIL_MAX]; /* for the journal, one line, not escaped; "" if none */
};

void fetch_library_init(void);
void fetch_run(const struct fetch *fetch, struct fetch_result *ret);

#endif
