/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUEST_DECODE_H
#define GUEST_DECODE_H

#include "guest/report.h"

#include <stdint.h>

/* Explains the captured bytes of a file on stdout; NULL or -: stdin. */
void decode_run(const char *file, int64_t deadline_ms, struct report *ret);

#endif
