/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_SYSTEMD_LOGIND_H
#define HOST_SYSTEMD_LOGIND_H

#include "wire/attributes.h"

#include <stddef.h>
#include <stdint.h>

/* Schedules a reboot in `delay_ms` (org.freedesktop.login1(5), ScheduleShutdown); root needs no polkit
 * authorization. Blocks for 10 s at most. 0 or -errno with one line in `why`, not escaped. */
MUST_CHECK int logind_schedule_reboot(int64_t delay_ms, char *why, size_t why_size);

#endif
