/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon from start to exit: makes its parts, sends READY=1 once every listener accepts, waits for
 * signals, and takes the parts down in reverse order.
 *
 * Threads  main thread.
 * Errors   logged here; daemon_run returns the exit status: 0 after SIGTERM or SIGINT, 1 when it could
 *          not start.
 */
#ifndef HOST_DAEMON_H
#define HOST_DAEMON_H

#include "host/conf/conf.h"

/* `conf` was loaded from `config_path` with `listen`, and is loaded again from there on SIGHUP. It stays
 * the caller's. `hsm_results`: the folder of operation_new. */
int daemon_run(const struct conf *conf, const char *config_path, char *const listen[],
               const char *hsm_results);

#endif
