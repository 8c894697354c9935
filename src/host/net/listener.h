/* SPDX-License-Identifier: Apache-2.0 */
/* All sockets that guests connect to: those that systemd passed, or else those of [listen] address.
 *
 * Threads  main thread; the acceptor reads the array while it runs.
 * Errors   0 or -errno with one line in `problem`.
 * Owner    listener_set_open makes, listener_set_close closes; what was opened before a failure is closed.
 */
#ifndef HOST_NET_LISTENER_H
#define HOST_NET_LISTENER_H

#include "host/conf/conf.h"
#include "wire/address.h"
#include "wire/attributes.h"

#include <stdbool.h>
#include <sys/types.h>

/* The file of a Unix socket that we listen on, and the claim to its path: PATH.lock beside it, held
 * (flock) as long as we listen. Whoever has the claim may remove what a dead daemon left there; so
 * two that start at one instant cannot unlink each other's socket.
 *
 * Threads  main thread.
 * Errors   0 or -errno; -EADDRINUSE: somebody else listens there, or the path is no socket.
 * Owner    the claim's descriptor and both files, until socket_path_leave.
 * Source   unix(7), flock(2): the kernel gives the claim back when its holder dies.
 */
struct socket_path {
    int claim_fd; /* -1: none */
    dev_t device; /* of the socket file that was made */
    ino_t inode;
};

/* Listening sockets, and who it is that connects to them.
 *
 * Threads  open, adopt and close: main thread; accept: the acceptor.
 * Errors   0 or -errno; with one line in `problem`: what was tried and what to do.
 * Owner    a listener owns its descriptor and, for unix:PATH, the file that it made.
 * Source   vsock(7), unix(7) SO_PEERCRED, sd_listen_fds(3).
 */
struct listener {
    int fd; /* non-blocking; -1: none */
    struct address address;
    struct socket_path path; /* of a Unix socket that we made */
};

struct peer {
    uint32_t cid; /* from the kernel, or [listen] unix_cid */
    bool allowed; /* its CID and, on a Unix socket, its uid are served */
};

/* Takes one connection: the descriptor, or -errno. */
MUST_CHECK int listener_accept(const struct listener *listener, const struct conf *conf,
                               struct peer *ret);

struct listener_set {
    struct listener *listeners;
    size_t count;
    bool passed; /* by systemd: [listen] address is not used */
};

/* Before the first thread: it takes what systemd said out of the environment. */
MUST_CHECK int listener_set_open(const struct conf *conf, struct listener_set *ret,
                                 char problem[CONF_PROBLEM_MAX]);
void listener_set_close(struct listener_set *listener_set);

/* "Listening on ADDRESS, ADDRESS", cut to fit. */
void listener_set_describe(const struct listener_set *listener_set, char *out, size_t size);

#endif
