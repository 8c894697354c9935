/* SPDX-License-Identifier: Apache-2.0 */
/* A notify on this guest's own consoles. Failures are nobody's concern: the host has its own.
 *
 * Threads  one thread.
 */
#ifndef GUEST_ECHO_H
#define GUEST_ECHO_H

#include "wire/message.h"

#include <stdint.h>

/* Writes newline, message, newline to each of the devices, separated by commas. A device that takes
 * nothing for a second is left; all end at the deadline and at the stop descriptor. */
void echo_message(const char *devices, struct text message, int stop_fd, int64_t deadline_ms);

#endif
