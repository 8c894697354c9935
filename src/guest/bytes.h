/* SPDX-License-Identifier: Apache-2.0 */
/* A notify on this guest's own consoles. Failures are nobody's concern: the host has its own.
 *
 * Threads  one thread.
 */
#ifndef GUEST_BYTES_H
#define GUEST_BYTES_H

#include "wire/attributes.h"
#include "wire/message.h"

#include <stddef.h>
#include <stdint.h>

/* Standard input and output within the limits of a run: reading and writing end at the deadline and
 * at a stop signal, without making descriptors non-blocking that other programs share.
 *
 * Threads  one thread.
 * Errors   0 or -errno; -ETIME for the deadline, -ECANCELED for the stop descriptor.
 */
/* Opens what was closed of 0, 1 and 2 as something that cannot be read or written, so that no
 * socket becomes one of them. */
MUST_CHECK int bytes_guard_standard(void);

MUST_CHECK int bytes_write(int fd, const char *bytes, size_t length, int stop_fd,
                           int64_t deadline_ms);

/* Writes to stderr what can be written soon: a reader that stopped reading costs one short wait, and
 * then none until it reads again. What cannot be told is given up. */
void bytes_tell(const char *bytes, size_t length);

/* Reads once, as read(2): 0 bytes are the end. */
MUST_CHECK int bytes_read(int fd, char *out, size_t size, int stop_fd, int64_t deadline_ms,
                          size_t *ret_length);

/* Reads to the end, or until `size` bytes are there. */
MUST_CHECK int bytes_read_all(int fd, char *out, size_t size, int stop_fd, int64_t deadline_ms,
                              size_t *ret_length);

/* Writes newline, message, newline to each of the devices, separated by commas. A device that takes
 * nothing for a second is left; all end at the deadline and at the stop descriptor. */
void echo_message(const char *devices, struct text message, int stop_fd, int64_t deadline_ms);

#endif
