/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon from start to exit: makes its parts, says READY once every listener accepts, waits for
 * signals, and takes the parts down in reverse.
 *
 * Threads  main thread.
 * Errors   logged here; daemon_run returns the exit status: 0 after SIGTERM or SIGINT, 1 when it
 * could not start.
 */
#ifndef HOST_DAEMON_H
#define HOST_DAEMON_H

#include "host/conf/conf.h"

/* The configuration, read again on SIGHUP. Threads read the one in effect without a lock, so one that
 * was replaced is kept until the daemon ends: a few KiB for each reload that changes something, and
 * nothing for one that does not.
 *
 * No references are counted. To take one, a thread must read the pointer and count in one step, which
 * takes a lock for each request, and each piece of work (a connection between two events, an upgrade
 * of hours, an errand, a message and its repeats) would have to hold and give one on every way out:
 * six parts that can leak or free too early, for memory that an operator changes by hand.
 *
 * Threads  main thread.
 * Errors   logged here, one line for each.
 * Owner    what reload_load returns is freed by reload_done.
 */
struct reload {
    const char *path;
    char *const *listen;  /* as conf_load takes it */
    struct conf **loaded; /* all that were read */
    size_t count;
};

/* `conf` was loaded from `config_path` with `listen`, and is read again from there on SIGHUP. It stays
 * the caller's. */
int daemon_run(const struct conf *conf, const char *config_path, char *const listen[]);

#endif
