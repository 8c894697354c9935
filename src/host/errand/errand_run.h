/* SPDX-License-Identifier: Apache-2.0 */
/* What each errand does: the HSM by the step program vsock_host-hsm, the guest's upgrade by its unit.
 *
 * Threads  errand_run blocks its caller, the errand thread, within the limits below.
 * Errors   values that the guest is told.
 */
#ifndef HOST_ERRAND_RUN_H
#define HOST_ERRAND_RUN_H

#include "host/conf/conf.h"
#include "host/ticket.h"

enum {
    /* vsock_host-hsm keeps [hsm] timeout_seconds by itself; this much later it is killed, or no
     * longer waited for. */
    ERRAND_HSM_MARGIN_MS = 10 * 1000,
    /* For a unit to stop and to start again: systemd's defaults for either are 90 s. */
    ERRAND_GUEST_UPGRADE_MS = 200 * 1000,
    /* A service of Type=simple counts as started before it has done anything: it is looked at once
     * more after this time. */
    ERRAND_SETTLE_MS = 1000,
};

/* Where the units of vsock_host-hsm leave their line. */
#define ERRAND_RESULTS "/run/vsock_host-hsm"

struct errand_order {
    const struct conf *conf;
    char *config_path;
    const char *results; /* ERRAND_RESULTS, or a test's folder */
    int stop_fd;         /* readable: the daemon does not wait any longer */
    enum command command;
    uint32_t cid; /* who asked */
};

/* ERROR_NONE or what the guest is told; `text` has one line in either case, escaped. */
enum error_code errand_run(const struct errand_order *order, char text[TICKET_TEXT_MAX]);

#endif
