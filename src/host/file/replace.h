/* SPDX-License-Identifier: Apache-2.0 */
/* Replacing a small file as a whole: after a power cut at any instant its name holds the old bytes
 * or the new ones.
 *
 * Threads  any; two writers of one name must not run at once (they share a temporary name).
 * Errors   0 or -errno; the old file is then still there, unless only the last fsync failed.
 */
#ifndef HOST_REPLACE_H
#define HOST_REPLACE_H

#include <stddef.h>
#include <sys/types.h>

#include "wire/attributes.h"

/* Writes `name`.new in the directory, fsync, rename over `name`, fsync of the directory. The mode
 * is exact: the umask does not count. */
MUST_CHECK int replace_write(int directory_fd, const char *name, const void *bytes, size_t length,
                             mode_t mode);

#endif
