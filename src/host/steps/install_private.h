/* SPDX-License-Identifier: Apache-2.0 */
/* The directory "image" in [install] directory, mode 0700: where an image is while it is installed,
 * and where there is none otherwise.
 *
 * Errors   0 or -errno.
 */
#ifndef HOST_INSTALL_PRIVATE_H
#define HOST_INSTALL_PRIVATE_H

#include "wire/attributes.h"

/* Made if need be; what an earlier run that was killed left in it is removed. To be called with the
 * lock held. */
MUST_CHECK int install_private_open(int directory_fd, int *ret);

#endif
