/* SPDX-License-Identifier: Apache-2.0 */
/* Where the log goes, decided from what is known of stderr.
 *
 * Threads  a pure function.
 * Source   systemd.exec(5), JOURNAL_STREAM.
 */
#ifndef HOST_LOG_TARGET_H
#define HOST_LOG_TARGET_H

#include <sys/stat.h>

#include "host/log/log.h"

/* `journal_stream` is the environment's JOURNAL_STREAM, or NULL; `stderr_stat` is NULL when stderr
 * is closed. A JOURNAL_STREAM that names another file was inherited from another service. */
bool log_target_is_journal(enum log_target target, const char *journal_stream,
                           const struct stat *stderr_stat);

#endif
