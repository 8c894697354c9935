/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets, and who it is that connects to them.
 *
 * Threads  open and close: main thread; accept: the acceptor.
 * Errors   0 or -errno; listener_open says in `problem` what was tried and what to do.
 * Owner    a listener owns its descriptor and, for unix:PATH, the file: it is unlinked at close if
 *          it still is the one that was made.
 * Source   vsock(7), unix(7) SO_PEERCRED.
 */
#ifndef HOST_LISTENER_H
#define HOST_LISTENER_H

#include <stdbool.h>
#include <sys/stat.h>

#include "host/conf/conf.h"
#include "wire/address.h"
#include "wire/attributes.h"

struct listener {
    int fd; /* non-blocking; -1: none */
    struct address address;
    dev_t device; /* of the socket file that was made */
    ino_t inode;
};

struct peer {
    uint32_t cid; /* from the kernel, or [listen] unix_cid */
    bool allowed; /* its CID and, on a Unix socket, its uid are served */
};

/* A path on which nobody answers is taken over; one on which somebody does is -EADDRINUSE. */
MUST_CHECK int listener_open(const struct address *address, mode_t unix_mode, struct listener *ret,
                             char problem[CONF_PROBLEM_MAX]);
void listener_close(struct listener *listener);

/* Takes one connection: the descriptor, or -errno. */
MUST_CHECK int listener_accept(const struct listener *listener, const struct conf *conf,
                               struct peer *ret);

#endif
