/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_guest decode: captured bytes of a file or of stdin, explained on stdout.
 *
 * Threads  one thread.
 */
#ifndef GUEST_DECODE_H
#define GUEST_DECODE_H

#include "guest/report.h"

/* `file`: NULL or - for stdin. */
void decode_run(const char *file, struct report *ret);

#endif
