/* SPDX-License-Identifier: Apache-2.0 */
/* Attaches or detaches: takes a snapshot, does the one action of plan.h, and repeats, until the plan is
 * done or cannot be.
 *
 * A state that may be brief (a token that the kernel has not found yet, one that another domain is
 * releasing) is reported only after HSM_SETTLE_MS. An attach or detach that failed, as it may right
 * after plugging in, is tried again until the deadline.
 *
 * Units    *_ms: milliseconds; deadlines on CLOCK_MONOTONIC.
 */
#ifndef HOST_HSM_RUN_H
#define HOST_HSM_RUN_H

#include "host/conf/conf.h"
#include "host/hsm/plan.h"
#include "wire/message.h"

enum { HSM_SETTLE_MS = 2000, HSM_PAUSE_MS = 200, HSM_TEXT_MAX = 1536 };

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
    char note[HSM_TEXT_MAX]; /* "", or a notice for the log */
};

void hsm_run(const struct hsm_order *order, struct hsm_result *ret);

#endif
