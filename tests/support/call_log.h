/* SPDX-License-Identifier: Apache-2.0 */
/* What changing calls did to files, with their bytes, for a replay.
 *
 * Units    a record is one line, NAME\tINODE\tOFFSET\tLENGTH\tPATH\tTO\n, and LENGTH bytes behind it.
 *          OFFSET of an ftruncate is the new length. Calls that failed are left out. */
#ifndef VSOCK_SUPPORT_CALL_LOG_H
#define VSOCK_SUPPORT_CALL_LOG_H

#include "support/changing_call.h"

#include <stdio.h>

/* Where the thread leaves the call, with its result. */
void call_log_add(FILE *log, pid_t thread, const struct changing_call *call, int64_t result);

#endif
