/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets, and who it is that connects to them.
 *
 * Threads  open, adopt and close: main thread; accept: the acceptor.
 * Errors   0 or -errno; with one line in `problem`: what was tried and what to do.
 * Owner    a listener owns its descriptor and, for unix:PATH, the file that it made.
 * Source   vsock(7), unix(7) SO_PEERCRED, sd_listen_fds(3).
 */
#ifndef HOST_LISTENER_H
#define HOST_LISTENER_H

#include <stdbool.h>

#include "host/conf/conf.h"
#include "host/net/socket_path.h"
#include "wire/address.h"
#include "wire/attributes.h"

struct listener {
    int fd; /* non-blocking; -1: none */
    struct address address;
    struct socket_path path; /* of a Unix socket that we made */
};

struct peer {
    uint32_t cid; /* from the kernel, or [listen] unix_cid */
    bool allowed; /* its CID and, on a Unix socket, its uid are served */
};

/* A path on which nobody answers is taken over; one on which somebody does is -EADDRINUSE. */
MUST_CHECK int listener_open(const struct address *address, mode_t unix_mode, struct listener *ret,
                             char problem[CONF_PROBLEM_MAX]);
/* Takes a socket that systemd made and passed: a stream socket of vsock or Unix that listens. Its file
 * stays systemd's. Takes *fd (sets -1) on success. */
MUST_CHECK int listener_adopt(int *fd, struct listener *ret, char problem[CONF_PROBLEM_MAX]);
void listener_close(struct listener *listener);

/* Takes one connection: the descriptor, or -errno. */
MUST_CHECK int listener_accept(const struct listener *listener, const struct conf *conf,
                               struct peer *ret);

#endif
