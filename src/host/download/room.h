/* SPDX-License-Identifier: Apache-2.0 */
/* Room on the file system of a download.
 *
 * Threads  any.
 * Units    bytes.
 * Errors   0 or -errno; -ENOSPC: not enough, with `keep_free` left over.
 */
#ifndef HOST_ROOM_H
#define HOST_ROOM_H

#include <stdint.h>

#include "wire/attributes.h"

/* What can be written by us, without what is kept for root. */
MUST_CHECK int room_free(int fd, uint64_t *ret);

/* -ENOSPC if less than `keep_free` is free now. */
MUST_CHECK int room_check(int fd, uint64_t keep_free);

/* Reserves blocks for a file of `total` bytes without changing its length. Where the file system
 * cannot, the room is only checked. */
MUST_CHECK int room_reserve(int fd, uint64_t total, uint64_t keep_free);

#endif
