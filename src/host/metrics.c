/* SPDX-License-Identifier: Apache-2.0 */
#include "host/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static _Atomic uint64_t counters[METRIC_COUNT];
static _Atomic uint64_t requests[COMMAND_LAST + 1][ERROR_LAST + 1];
static _Atomic uint32_t connections;

#define METRIC_ROW(name, exported, help) {exported, help},
static const struct {
    const char *name;
    const char *help;
} described[METRIC_COUNT] = {METRICS(METRIC_ROW)};

void metrics_count(enum metric metric)
{
    atomic_fetch_add_explicit(&counters[metric], 1, memory_order_relaxed);
}

void metrics_count_request(enum command command, unsigned code)
{
    unsigned number = command;
    if (number <= COMMAND_LAST && code <= ERROR_LAST) {
        atomic_fetch_add_explicit(&requests[number][code], 1, memory_order_relaxed);
    }
}

void metrics_set_connections(uint32_t open)
{
    atomic_store_explicit(&connections, open, memory_order_relaxed);
}

static void write_head(FILE *out, const char *name, const char *type, const char *help)
{
    (void)fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_requests(FILE *out)
{
    write_head(out, "vsock_host_requests_total", "counter", "Requests run, by command and result.");
    for (unsigned command = 1; command <= COMMAND_LAST; command++) {
        for (unsigned code = 0; code <= ERROR_LAST; code++) {
            uint64_t count = atomic_load_explicit(&requests[command][code], memory_order_relaxed);
            if (command_name(command) != NULL && (count > 0 || code == ERROR_NONE)) {
                (void)fprintf(
                    out, "vsock_host_requests_total{command=\"%s\",result=\"%s\"} %" PRIu64 "\n",
                    command_name(command), code == ERROR_NONE ? "ok" : error_name(code), count);
            }
        }
    }
}

static void write_upgrade(FILE *out, const struct upgrade_status *status)
{
    write_head(out, "vsock_host_upgrade_phase", "gauge", "1 for the phase of the upgrade.");
    for (unsigned phase = 0; phase <= PHASE_LAST; phase++) {
        (void)fprintf(out, "vsock_host_upgrade_phase{phase=\"%s\"} %d\n", phase_name(phase),
                      phase == status->phase);
    }
    write_head(out, "vsock_host_upgrade_done_bytes", "gauge",
               "Bytes of the image that are stored.");
    (void)fprintf(out, "vsock_host_upgrade_done_bytes %" PRIu64 "\n", status->done);
    write_head(out, "vsock_host_upgrade_total_bytes", "gauge", "Bytes of the image; 0: not known.");
    (void)fprintf(out, "vsock_host_upgrade_total_bytes %" PRIu64 "\n", status->total);
}

static void write_all(FILE *out, const struct upgrade_status *status)
{
    write_head(out, "vsock_host_info", "gauge", "The release.");
    (void)fprintf(out, "vsock_host_info{version=\"%s\"} 1\n", VSOCK_VERSION);
    write_head(out, "vsock_host_connections", "gauge", "Connections open now.");
    (void)fprintf(out, "vsock_host_connections %" PRIu32 "\n",
                  atomic_load_explicit(&connections, memory_order_relaxed));
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        write_head(out, described[i].name, "counter", described[i].help);
        (void)fprintf(out, "%s %" PRIu64 "\n", described[i].name,
                      atomic_load_explicit(&counters[i], memory_order_relaxed));
    }
    write_requests(out);
    write_upgrade(out, status);
}

int metrics_write(const char *path, const struct upgrade_status *status)
{
    char *temporary = NULL;
    if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
        return -ENOMEM;
    }
    int fd = mkostemp(temporary, O_CLOEXEC);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
    int error = out == NULL ? -errno : 0;
    if (out != NULL) {
        write_all(out, status);
        /* The collector runs as another user. */
        bool bad = fflush(out) != 0 || fchmod(fd, 0644) != 0;
        bad = fclose(out) != 0 || bad;
        error = bad || rename(temporary, path) != 0 ? -errno : 0;
    } else if (fd >= 0) {
        close(fd);
    }
    if (error != 0 && fd >= 0) {
        (void)unlink(temporary); /* the first error is reported */
    }
    free(temporary);
    return error;
}
