/* SPDX-License-Identifier: Apache-2.0 */
/* All sockets that guests connect to: those that systemd passed, or else those of [listen] address.
 *
 * Threads  main thread; the acceptor reads the array while it runs.
 * Errors   0 or -errno with one line in `problem`.
 * Owner    listening_open makes, listening_close closes; what was opened before a failure is closed.
 */
#ifndef HOST_LISTENING_H
#define HOST_LISTENING_H

#include "host/net/listener.h"

struct listening {
    struct listener *listeners;
    size_t count;
    bool passed; /* by systemd: [listen] address is not used */
};

/* Before the first thread: it takes what systemd said out of the environment. */
MUST_CHECK int listening_open(const struct conf *conf, struct listening *ret,
                              char problem[CONF_PROBLEM_MAX]);
void listening_close(struct listening *listening);

/* "Listening on ADDRESS, ADDRESS", cut to fit. */
void listening_describe(const struct listening *listening, char *out, size_t size);

#endif
