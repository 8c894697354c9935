/* SPDX-License-Identifier: Apache-2.0 */
/* Writing to a console device without ever waiting long for it.
 *
 * Threads  any.
 * Errors   0 or -errno; -ETIMEDOUT: it took nothing for 1 s.
 * Source   interfaces: consoles are opened O_WRONLY|O_NOCTTY|O_NONBLOCK|O_APPEND.
 */
#ifndef HOST_DEVICE_H
#define HOST_DEVICE_H

#include <stddef.h>

#include "wire/attributes.h"

/* A descriptor, or -errno. */
MUST_CHECK int device_open(const char *path);
/* Gives up early, with -ECANCELED, when `stop_fd` (-1: none) becomes readable. */
MUST_CHECK int device_write(int fd, const char *bytes, size_t length, int stop_fd);

#endif
