/* SPDX-License-Identifier: Apache-2.0 */
/* The mark that vsock_host-install was started, for as long as it lives: a shared lock on the
 * [upgrade] directory, held by a descriptor that it inherits and does not know of.
 *
 * Between its start and its own lock (host/file/install_state.h) a daemon that is started anew finds
 * neither lock nor record, and would take an installation that is only late for one that was never
 * begun. The lock is an open-file-description lock (fcntl(2), F_OFD_SETLK) on a directory, so that it
 * leaves nothing behind. A unit inherits nothing and has no mark: systemd is asked about it
 * (host/systemd/unit_pending.h).
 *
 * Threads  any.
 * Errors   0 or -errno. begun_lives: what cannot be found out counts as not there.
 * Owner    the caller closes the descriptor; the mark stays while the program has it.
 */
#ifndef HOST_BEGUN_H
#define HOST_BEGUN_H

#include <stdbool.h>

#include "wire/attributes.h"

/* A descriptor to be inherited, with the mark. */
MUST_CHECK int begun_mark(const char *directory, int *ret);

bool begun_lives(const char *directory);

#endif
