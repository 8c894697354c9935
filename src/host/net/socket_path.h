/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a Unix socket that we listen on, and the claim to its path: PATH.lock beside it, held
 * (flock) as long as we listen. Whoever has the claim may remove what a dead daemon left there; so
 * two that start at one instant cannot unlink each other's socket.
 *
 * Threads  main thread.
 * Errors   0 or -errno; -EADDRINUSE: somebody else listens there, or the path is no socket.
 * Owner    the claim's descriptor and both files, until socket_path_leave.
 * Source   unix(7), flock(2): the kernel gives the claim back when its holder dies.
 */
#ifndef HOST_SOCKET_PATH_H
#define HOST_SOCKET_PATH_H

#include <sys/types.h>

#include "wire/address.h"
#include "wire/attributes.h"

struct socket_path {
    int claim_fd; /* -1: none */
    dev_t device; /* of the socket file that was made */
    ino_t inode;
};

/* Binds fd, which is not listening yet. */
MUST_CHECK int socket_path_bind(int fd, const struct address *address, mode_t mode,
                                struct socket_path *ret);
/* Unlinks the socket if it still is the one that was made, and gives the claim back. */
void socket_path_leave(struct socket_path *path, const struct address *address);

#endif
