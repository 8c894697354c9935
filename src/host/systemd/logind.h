/* SPDX-License-Identifier: Apache-2.0 */
/* The reboot that is asked of logind, over the system bus.
 *
 * Threads  any; the call blocks for 10 s at most once the bus is there.
 * Errors   0 or -errno, with the reason in words.
 * Source   org.freedesktop.login1(5), ScheduleShutdown. Root needs no leave of polkit's, whoever
 *          else is logged in.
 */
#ifndef HOST_LOGIND_H
#define HOST_LOGIND_H

#include "wire/attributes.h"

#include <stddef.h>
#include <stdint.h>

/* Asks for a reboot at `delay_ms` from now. On failure `why` holds one line, not escaped, of what
 * the bus said. */
MUST_CHECK int logind_schedule_reboot(int64_t delay_ms, char *why, size_t why_size);

#endif
