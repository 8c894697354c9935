/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's side: one typed request in, one typed outcome out. Finding the dialect, connecting
 * again while the host cannot be reached, and asking at most once what changes something stay
 * inside.
 *
 *     client_init() -> client_ask()... -> client_done()
 *
 * Threads  a client belongs to one thread; callbacks run in it.
 * Units    *_ms: CLOCK_MONOTONIC milliseconds; CLOCK_NEVER for no deadline.
 * Errors   an outcome is a value; nothing is logged. A host's bytes reach a text escaped.
 * Owner    an outcome's answer is valid until the next call on its client.
 */
#ifndef COMPAT_CLIENT_H
#define COMPAT_CLIENT_H

#include "compat/dialect.h"
#include "compat/stream.h"

enum {
    CLIENT_TEXT_MAX = 512,
    CLIENT_NAMES_MAX = 128,
};

enum client_result {
    CLIENT_ANSWERED,      /* answer: the response to the request, or the host's error */
    CLIENT_SATISFIED,     /* the progress callback had seen enough; the request goes on */
    CLIENT_NO_CONNECTION, /* error: why the last try failed */
    CLIENT_TIME_OVER,     /* the deadline, or a host that stayed silent too long */
    CLIENT_NO_PROTOCOL,   /* no common version, or nonsense before the request was sent */
    CLIENT_NOT_CARRIED,   /* the dialect has no such command */
    CLIENT_TOO_LONG,      /* the request, for this dialect or this host */
    CLIENT_BROKEN,        /* after the request was sent: the connection, or the answer's sense */
    CLIENT_STOPPED,       /* the stop descriptor */
};

struct client_outcome {
    enum client_result result;
    bool sent;            /* the host may have read the request's first byte */
    bool tells_status;    /* get-upgrade-status can be asked of this host, as far as is known */
    bool ended;           /* CLIENT_BROKEN: the connection did, not the answer's sense */
    bool only_accepted;   /* CLIENT_ANSWERED: this host does not tell how what was asked ends */
    int error;            /* a positive errno, or 0 */
    struct answer answer; /* of CLIENT_ANSWERED; an ERROR that explains CLIENT_NO_PROTOCOL */
    char text[CLIENT_TEXT_MAX]; /* what happened, one line; empty where the result says it all */
};

struct client_setup {
    const struct dialect *dialect; /* fixed; NULL: found by the search */
    bool unix_path;                /* the address is a Unix socket */
    int stop_fd;                   /* readable: stop; -1: none */
    int64_t deadline_ms;           /* for everything */
    int64_t connect_ms;            /* how long connecting is tried again in one client_ask */

    /* 0 and a non-blocking descriptor, -errno, -ETIME (deadline) or -ECANCELED (stop). */
    int (*connect)(void *context, int64_t deadline_ms, int *ret_fd);
    /* The CID of this machine, which some dialects tell: 0 or -errno. */
    int (*local_cid)(void *context, uint32_t *ret);
    /* Each step, one line without its newline. */
    void (*trace)(void *context, const char *line);
    /* Before a pause: the last try ended so, and there will be another. */
    void (*again)(void *context, const struct client_outcome *outcome);
    /* PROGRESS. False: seen enough. */
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
    struct link link;   /* that requests go to */
    struct link probe;  /* open while the search listens to two */
    bool knows_version; /* the search has heard the answer to get-vsock-version: */
    struct release_version version;
};

void client_init(struct client *client, const struct client_setup *setup);
void client_done(struct client *client);

/* Asks on the connection that is open, or on a new one. A request that changes something is sent on
 * one connection only; a query whose connection broke is asked again within the limits. */
void client_ask(struct client *client, const struct request *request,
                struct client_outcome *outcome);

/* What --protocol takes. "auto" is found with *ret NULL; -ENOENT for a name that is none. */
MUST_CHECK int client_find_protocol(const char *name, const struct dialect **ret);

/* "auto, tlv-1" and so on, for messages. */
void client_protocol_names(char out[CLIENT_NAMES_MAX]);

#endif
