/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's end: what compat/client.h, negotiate.h and exchange.h work on. */
#ifndef COMPAT_CLIENT_TYPES_H
#define COMPAT_CLIENT_TYPES_H

#include "compat/dialect.h"
#include "compat/stream.h"

enum { CLIENT_TEXT_MAX = 512 };

enum client_result {
    CLIENT_ANSWERED,      /* answer: the response to the request, or the host's error */
    CLIENT_SATISFIED,     /* the progress callback returned false; the host continues */
    CLIENT_NO_CONNECTION, /* error: why the last try failed */
    CLIENT_TIME_OVER,     /* the deadline passed, or the host did not answer the greeting */
    CLIENT_NO_PROTOCOL,   /* no common version, or invalid bytes before the request was sent */
    CLIENT_NOT_CARRIED,   /* the dialect has no such command */
    CLIENT_TOO_LONG,      /* the request, for this dialect or this host */
    CLIENT_BROKEN,        /* after the request: the connection ended, or an invalid answer came */
    CLIENT_STOPPED,       /* the stop descriptor became readable */
};

struct client_outcome {
    enum client_result result;
    bool sent;            /* the host may have read the request's first byte */
    bool has_status;      /* the dialect has get-upgrade-status, or is not known */
    bool ended;           /* CLIENT_BROKEN: the connection ended */
    bool only_accepted;   /* CLIENT_ANSWERED: this host does not report the end of an upgrade */
    int error;            /* a positive errno, or 0 */
    struct answer answer; /* of CLIENT_ANSWERED; an ERROR that explains CLIENT_NO_PROTOCOL */
    char text[CLIENT_TEXT_MAX]; /* one line; empty where the result needs no words */
};

struct client_setup {
    const struct dialect *dialect; /* fixed; NULL: negotiated */
    bool unix_path;                /* the address is a Unix socket */
    int stop_fd;                   /* readable: stop; -1: none */
    int64_t deadline_ms;           /* for everything */
    int64_t connect_ms;            /* how long connecting is tried again in one client_ask */

    /* 0 and a non-blocking descriptor, -errno, -ETIME (deadline) or -ECANCELED (stop). */
    int (*connect)(void *context, int64_t deadline_ms, int *ret_fd);
    /* The CID of this machine, for has_sender_cid: 0 or -errno. */
    int (*local_cid)(void *context, uint32_t *ret);
    /* Each step, one line without its newline. */
    void (*trace)(void *context, const char *line);
    /* Before the pause between two tries: how the last one ended. */
    void (*again)(void *context, const struct client_outcome *outcome);
    /* PROGRESS. False: do not wait any longer. */
    bool (*progress)(void *context, const struct upgrade_status *status);
    void *context;
};

/* One connection, and what the dialect knows about it. */
struct link {
    struct client_session session;
    struct stream stream;
};

struct client {
    struct client_setup setup;
    struct retry retry;
    struct link link;   /* for requests */
    struct link probe;  /* for get-vsock-version in JSON, open during the negotiation */
    bool knows_version; /* the probe has been answered with: */
    struct release_version version;
};

#endif
