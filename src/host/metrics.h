/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of the process, and their text file for Prometheus' node_exporter.
 *
 * Threads  count, set: any thread (relaxed atomics).  write: main thread.
 * Source   the Prometheus text exposition format; node_exporter's textfile collector reads *.prom files,
 *          which must be replaced as a whole.
 */
#ifndef HOST_METRICS_H
#define HOST_METRICS_H

#include "wire/attributes.h"
#include "wire/message.h"

#include <stdint.h>

/* One row a counter: name, exported name, help. A new counter is a row here and one in docs/hostos.md. */
#define METRICS(ROW)                                                               \
    ROW(ACCEPTED, "vsock_host_connections_total", "Connections accepted.")         \
    ROW(TURNED_AWAY, "vsock_host_connections_turned_away_total",                   \
        "Connections answered busy or closed at a limit.")                         \
    ROW(ACCEPT_FAILED, "vsock_host_accept_failures_total", "Accepts that failed.") \
    ROW(TIMEOUTS, "vsock_host_timeouts_total", "Connections that missed a deadline.")

#define METRIC_ENUMERATOR(name, exported, help) METRIC_##name,
enum metric { METRICS(METRIC_ENUMERATOR) METRIC_COUNT };
#undef METRIC_ENUMERATOR

void metrics_count(enum metric metric);
/* A request that was run; `code` is ERROR_NONE when it succeeded. */
void metrics_count_request(enum command command, unsigned code);
void metrics_set_connections(uint32_t open);

/* Replaces the file. 0 or -errno. */
MUST_CHECK int metrics_write(const char *path, const struct upgrade_status *status);

#endif
