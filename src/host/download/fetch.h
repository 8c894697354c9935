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
#ifndef HOST_DOWNLOAD_FETCH_H
#define HOST_DOWNLOAD_FETCH_H

#include "host/conf/conf.h"
#include "host/download/response.h"
#include "wire/attributes.h"

#include <stdbool.h>
#include <stdint.h>

/* The stall rule: at least so many bytes per second, looked at over a window of time.
 *
 * Threads  pure functions; the time is passed in.
 * Units    milliseconds, bytes.
 */
struct stall_detector {
    int64_t window_ms;
    uint64_t bytes_per_second;
    int64_t began_ms; /* the window's start */
    uint64_t bytes;   /* in this window */
};

static inline struct stall_detector stall_detector_of(int64_t window_ms, uint64_t bytes_per_second,
                                                      int64_t now_ms)
{
    return (struct stall_detector){window_ms, bytes_per_second, now_ms, 0};
}

static inline void stall_detector_count(struct stall_detector *stall_detector, uint64_t bytes)
{
    stall_detector->bytes += bytes;
}

/* Time that we ourselves took is not the server's. */
static inline void stall_detector_forgive(struct stall_detector *stall_detector, int64_t ms)
{
    stall_detector->began_ms += ms;
}

/* Milliseconds until the window ends, at least 1. */
static inline int64_t stall_detector_left(const struct stall_detector *stall_detector,
                                          int64_t now_ms)
{
    int64_t left = stall_detector->began_ms + stall_detector->window_ms - now_ms;
    return left > 0 ? left : 1;
}

/* True if a window has ended with too little in it. One that had enough is followed by the next. */
static inline bool stall_detector_stalled(struct stall_detector *stall_detector, int64_t now_ms)
{
    int64_t took = now_ms - stall_detector->began_ms;
    if (took < stall_detector->window_ms) {
        return false;
    }
    /* Bytes of one window and a millisecond of a year are both far from overflow. */
    bool stalled = stall_detector->bytes * 1000 < stall_detector->bytes_per_second * (uint64_t)took;
    stall_detector->began_ms = now_ms;
    stall_detector->bytes = 0;
    return stalled;
}

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
