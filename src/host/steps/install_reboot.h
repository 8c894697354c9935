/* SPDX-License-Identifier: Apache-2.0 */
/* Asking for the reboot: by [reboot] command, which is run at once and has 60 s, or through logind,
 * which reboots after [reboot] delay_seconds.
 *
 * Threads  one.
 * Errors   0, or -1 with ERROR_REBOOT_FAILED and the reason in `failure`.
 */
#ifndef HOST_INSTALL_REBOOT_H
#define HOST_INSTALL_REBOOT_H

#include "host/conf/conf.h"
#include "host/steps/install_failure.h"

enum { INSTALL_REBOOT_MS = 60000 };

/* `reboot_at`: Unix seconds, when the reboot is due. The command has `limit_ms`. */
MUST_CHECK int install_reboot(const struct conf *conf, int64_t limit_ms, uint64_t *reboot_at,
                              struct install_failure *failure);

#endif
