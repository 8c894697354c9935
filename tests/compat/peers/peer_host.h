/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts as they are, or may come to be, in the field: a dialect and its habits each. A host is
 * threads of this process that serve a Unix socket and count what they received, so that a test can
 * say how often something was asked.
 *
 *     peer_host_start() -> ... -> peer_host_stop()
 */
#ifndef PEERS_PEER_HOST_H
#define PEERS_PEER_HOST_H

#include "peer_tlv_1.h"

enum { PEER_HOST_CID = 3, PEER_HOST_DROP_MS = 5000 };

enum peer_host_speaks {
    PEER_HOST_JSON_0,
    PEER_HOST_JSON_1,
    PEER_HOST_TLV_0,
    PEER_HOST_TLV_1,
    PEER_HOST_ACCEPTS_ALL, /* JSON 0, whatever is said */
    PEER_HOST_SILENT,
    PEER_HOST_JUNK, /* a program of another kind, which introduces itself */
};

struct peer_host_habit {
    const char *name;
    enum peer_host_speaks speaks;
    bool reads_to_end;             /* JSON; else one read of at most 4,096 bytes */
    bool one_at_a_time;            /* the next connection waits until this one is done */
    unsigned delay_ms;             /* before each first word on a connection */
    unsigned closes_first;         /* so many connections, the first ones, are closed at once */
    struct peer_versions versions; /* TLV 1: what it speaks */
};

extern const struct peer_host_habit peer_host_habits[];
extern const size_t peer_host_habits_count;

/* NULL when there is none of that name. */
const struct peer_host_habit *peer_host_find(const char *name);

enum peer_failure_kind {
    PEER_FAILURE_NONE,
    PEER_FAILURE_END,    /* reads `bytes` of the request, and ends the stream */
    PEER_FAILURE_RESET,  /* likewise, with what is left unread */
    PEER_FAILURE_SILENT, /* likewise, and says nothing until the host is stopped */
    PEER_FAILURE_ANSWER, /* sends `bytes` of the answer, and ends the stream */
};

struct peer_failure {
    enum peer_failure_kind kind;
    unsigned connection; /* where it happens, from 1 on; all others are served well */
    size_t bytes;
};

struct peer_host_setup {
    const struct peer_host_habit *habit;
    const char *path;
    struct peer_request arguments; /* what upgrade and notify are expected to hold, to the byte */
    struct peer_failure failure;
    unsigned drop_ms; /* JSON that reads to the end: so long it waits for the end; 0: 5 s */
};

struct peer_counts {
    unsigned connections;
    unsigned requests[PEER_COMMANDS]; /* whole ones, exact to the byte */
    unsigned cut;                     /* connections with a piece of a request, at least a byte */
    unsigned strange;                 /* anything else that was said */
};

struct peer_host;

/* NULL on failure, which was told on stderr. The setup is copied; its texts stay the caller's. */
struct peer_host *peer_host_start(const struct peer_host_setup *setup);

/* Ends the connections, and tells what was counted. */
void peer_host_stop(struct peer_host *host, struct peer_counts *ret);

#endif
