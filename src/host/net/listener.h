/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets that guests connect to: those that systemd passed, or else those of [listen] address;
 * and who it is that connects.
 *
 * Threads  open and close: main thread; accept: the acceptor.
 * Errors   0 or -errno; listener_set_open with one line in `problem`: what was tried and what to do.
 * Owner    a listener owns its descriptor and, for unix:PATH, the files that it made.
 * Source   vsock(7), unix(7) SO_PEERCRED, flock(2), sd_listen_fds(3).
 */
#ifndef HOST_NET_LISTENER_H
#define HOST_NET_LISTENER_H

#include "host/conf/conf.h"
#include "wire/address.h"
#include "wire/attributes.h"

#include <stdbool.h>
#include <sys/types.h>

struct listener {
    int fd; /* non-blocking */
    struct address address;
    /* Of a Unix socket that we made: the claim to its path is PATH.lock beside it, locked (flock) as
     * long as we listen. Only the holder of the claim removes what a dead daemon left there, so two
     * daemons that start at once cannot unlink each other's socket. */
    int claim_fd; /* -1: none */
    dev_t device; /* of the socket file */
    ino_t inode;
};

struct peer {
    uint32_t cid; /* from the kernel, or [listen] unix_cid */
    bool allowed; /* its CID and, on a Unix socket, its uid are served */
};

/* Accepts one connection: the descriptor, or -errno. */
MUST_CHECK int listener_accept(const struct listener *listener, const struct conf *conf,
                               struct peer *ret);

struct listener_set {
    struct listener *listeners;
    size_t count;
    bool passed; /* by systemd: [listen] address is not used */
};

/* Before the first thread: it removes systemd's variables from the environment. */
MUST_CHECK int listener_set_open(const struct conf *conf, struct listener_set *ret,
                                 char problem[CONF_PROBLEM_MAX]);
void listener_set_close(struct listener_set *listener_set);

/* "Listening on ADDRESS, ADDRESS", cut to fit. */
void listener_set_describe(const struct listener_set *listener_set, char *out, size_t size);

#endif
