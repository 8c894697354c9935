/* SPDX-License-Identifier: Apache-2.0 */
/* Standard input, output and error, and the consoles of this guest. Descriptors that other programs
 * share stay blocking. 0 or -errno; -ETIME for the deadline, -ECANCELED for the stop descriptor. */
#ifndef GUEST_BYTES_H
#define GUEST_BYTES_H

#include "wire/attributes.h"
#include "wire/message.h"

#include <stddef.h>
#include <stdint.h>

/* Opens what is closed of 0, 1 and 2 so that it cannot be read or written: no socket gets these
 * numbers. */
MUST_CHECK int bytes_guard_standard(void);

MUST_CHECK int bytes_write(int fd, const char *bytes, size_t length, int stop_fd,
                           int64_t deadline_ms);

/* A reader that stopped reading costs one short wait, and none until it reads again. What cannot be
 * written is lost. */
void bytes_write_stderr(const char *bytes, size_t length);

/* As read(2): 0 bytes are the end. */
MUST_CHECK int bytes_read(int fd, char *out, size_t size, int stop_fd, int64_t deadline_ms,
                          size_t *ret_length);

/* Reads to the end, or until `size` bytes are there. */
MUST_CHECK int bytes_read_all(int fd, char *out, size_t size, int stop_fd, int64_t deadline_ms,
                              size_t *ret_length);

/* Writes newline, message, newline to each of the devices, separated by commas, for at most a second
 * each. Failures are ignored. */
void echo_message(const char *devices, struct text message, int stop_fd, int64_t deadline_ms);

#endif
