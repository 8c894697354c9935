/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of vsock_host-hsm.
 *
 * Threads  one; the struct points into argv.
 * Errors   0, or -EINVAL with one line in `problem`; the caller prints it and exits with status 2.
 */
#ifndef HOST_HSM_MAIN_H
#define HOST_HSM_MAIN_H

#include "host/hsm/plan.h"
#include "host/process/helper_main.h"

struct hsm_options {
    enum command_line_action action;
    const char *config_path;
    enum hsm_verb verb;
    uint32_t cid;
};

extern const char hsm_options_help[];

#endif
