/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of the process, and their text file for Prometheus' node_exporter.
 *
 * Threads  count, set: any thread (relaxed atomics).  write: main thread.
 * Errors   metrics_write: 0 or -errno.
 * Source   the Prometheus text exposition format; node_exporter's textfile collector reads *.prom
 * files that must be replaced as a whole.
 */
#ifndef HOST_METRICS_H
#define HOST_METRICS_H

#include "wire/attributes.h"
#include "wire/message.h"

#include <stdint.h>

enum metric {
    METRIC_ACCEPTED,      /* connections taken */
    METRIC_TURNED_AWAY,   /* connections told busy at a limit */
    METRIC_ACCEPT_FAILED, /* accepts that failed */
    METRIC_TIMEOUTS,      /* connections that were too late */
    METRIC_COUNT
};

void metrics_count(enum metric metric);
/* A request that was run; `code` is ERROR_NONE when it went well. */
void metrics_count_request(enum command command, unsigned code);
void metrics_set_connections(uint32_t open);

/* Replaces the file. `status` is where the upgrade stands. */
MUST_CHECK int metrics_write(const char *path, const struct upgrade_status *status);

#endif
