/* SPDX-License-Identifier: Apache-2.0 */
/* Attaching or detaching: looks, does the one thing that hsm_plan.h says, and looks again, until it
 * is done or cannot be.
 *
 * What may be the state of a moment (a stick that the kernel has not found yet, one that another
 * domain is letting go) is looked at for HSM_MOMENT_MS before it is told. An attach or detach that
 * failed, as it may right after plugging in, is tried again until the deadline.
 *
 * Threads  one; blocks.
 * Units    *_ms: milliseconds; deadlines on CLOCK_MONOTONIC.
 * Errors   values that the guest is told. Logs nothing.
 */
#ifndef HOST_HSM_RUN_H
#define HOST_HSM_RUN_H

#include "host/conf/conf.h"
#include "host/hsm/plan.h"

enum { HSM_MOMENT_MS = 2000, HSM_PAUSE_MS = 200, HSM_TEXT_MAX = 1536 };

struct hsm_order {
    const struct conf *conf;
    enum hsm_verb verb;
    uint32_t cid;
    int64_t deadline_ms;
    const char *usb_folder; /* HSM_USB_FOLDER, or a test's */
};

struct hsm_result {
    enum error_code code; /* ERROR_NONE: done */
    char text[HSM_TEXT_MAX];
    char note[HSM_TEXT_MAX]; /* "", or what an operator should know in either case */
};

void hsm_run(const struct hsm_order *order, struct hsm_result *ret);

#endif
