/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_guest decode: captured bytes of a file or of stdin, explained on stdout.
 *
 * Threads  one thread.
 */
#ifndef GUEST_DECODE_H
#define GUEST_DECODE_H

#include "guest/report.h"

#include <stdint.h>

/* `file`: NULL or - for stdin. Ends at the deadline, with what has come until then explained. */
void decode_run(const char *file, int64_t deadline_ms, struct report *ret);

#endif
