/* SPDX-License-Identifier: Apache-2.0 */
/* The lock that keeps a second installation from starting while one lives: held by
 * vsock_host-install and inherited by its installer (host/file/install_state.h asks about it).
 *
 * Errors   0 or -errno; -EBUSY somebody holds it.
 * Owner    the caller closes the descriptor; the lock ends with its last copy.
 */
#ifndef HOST_INSTALL_LOCK_H
#define HOST_INSTALL_LOCK_H

#include "wire/attributes.h"

MUST_CHECK int install_lock_take(int directory_fd, int *ret);

#endif
