/* SPDX-License-Identifier: Apache-2.0 */
/* A host that follows a script for each connection, in threads of this process, and a client setup
 * that connects to it. What it was sent is counted by connection.
 *
 *     scripted_host_start() -> client_ask() with its setup ... -> scripted_host_stop()
 */
#ifndef TESTS_SCRIPTED_HOST_H
#define TESTS_SCRIPTED_HOST_H

#include "compat/client.h"

#include <pthread.h>
#include <stdatomic.h>

enum { SCRIPTED_CONNECTIONS_MAX = 16, SCRIPTED_WORDS_MAX = 2 };

/* One connection: for each word it reads once, or to the end, and then says it. */
struct script {
    int connect_error; /* a positive errno: there is no connection */
    int pause_ms;      /* before the first word */
    bool reads_to_end; /* before the first word */
    bool holds;        /* behind the last word, or instead of one, until the guest closes */
    bool leaves;       /* at once, with what came unread: a reset */
    struct text word[SCRIPTED_WORDS_MAX]; /* no bytes: none */
};

struct scripted_connection {
    struct scripted_host *host;
    const struct script *script;
    int fd;
    pthread_t thread;
    size_t received;   /* bytes */
    char first[64];    /* and the first of them */
    atomic_bool ended; /* the guest has closed it, or half of it */
    bool beside_first; /* the first connection was open when this one's last word was said */
};

struct scripted_host {
    const struct script *script; /* by connection; the last one again for all that follow */
    size_t scripts;
    unsigned tries; /* connections that were asked for */
    unsigned connections;
    struct scripted_connection connection[SCRIPTED_CONNECTIONS_MAX];
    int cid_error[2]; /* what asking for the CID says, the second one for ever: -errno or 0 */
    unsigned cids;    /* times it was asked */
    char trace[8192]; /* every step, a line each */
};

void scripted_host_start(const struct script *script, size_t scripts, struct scripted_host *ret);
struct client_setup scripted_host_setup(struct scripted_host *host);
/* Waits for the threads: the client must be done. */
void scripted_host_stop(struct scripted_host *host);

#endif
