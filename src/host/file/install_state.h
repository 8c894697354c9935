/* SPDX-License-Identifier: Apache-2.0 */
/* What the [install] directory tells about an installation: the record, and if one lives.
 *
 * vsock_host-install holds an exclusive lock on the file "lock" from before its first record to its
 * end, and its installer inherits it: while either lives, none else is started. The lock is an
 * open-file-description lock (fcntl(2), F_OFD_SETLK), so that asking about it takes nothing.
 *
 * Threads  any.
 * Errors   0 or -errno; install_state_read: -EBADMSG the record is damaged. No record, no lock file
 *          and no lock are states, not errors.
 */
#ifndef HOST_INSTALL_STATE_H
#define HOST_INSTALL_STATE_H

#include <stdbool.h>

#include "host/file/record.h"
#include "wire/attributes.h"

#define INSTALL_LOCK_NAME    "lock"
#define INSTALL_PRIVATE_NAME "image" /* the folder that holds the image meanwhile */

struct install_state {
    bool alive;    /* the lock was held, just before the record was read */
    bool recorded; /* `record` is set */
    struct record record;
};

/* `alive` is found first: a record RECORD_STARTED with nobody alive is one whose writer and whose
 * installer have ended without telling how. */
MUST_CHECK int install_state_read(int directory_fd, struct install_state *ret);

/* Removes the image that an installation which is over has left, unless one lives, or the daemon's user
 * may not (as with [steps] method = unit). */
void install_state_sweep(int directory_fd, const uint8_t sha256[SHA256_SIZE]);

#endif
