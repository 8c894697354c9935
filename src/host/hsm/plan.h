/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be done next, judged from what is there: the running domains and the sticks.
 *
 * The caller looks, asks, does that one thing, and looks again, until it is done. So a stale device
 * that is detached before a stick is attached needs no state, nor does a domain that still shows a
 * device for a moment after it was detached.
 *
 * Threads  pure functions.
 */
#ifndef HOST_HSM_PLAN_H
#define HOST_HSM_PLAN_H

#include "host/hsm/usb.h"

#define HSM_BY_CID "by-cid" /* [hsm] domain: the running domain that has the caller's CID */

enum {
    HSM_NAME_MAX = 256, /* a domain's name, with its NUL: libvirt makes file names of them */
    HSM_DEVICE_XML_MAX = 512,
};

enum hsm_verb { HSM_ATTACH, HSM_DETACH };

struct hsm_snapshot {
    const char *wanted; /* [hsm] domain */
    uint32_t cid;       /* who asks */
    struct hsm_usb_id id;
    struct hsm_usb_tokens usb_tokens;
    bool found; /* the domain */
    char name[HSM_NAME_MAX];
    struct hsm_domain domain;
    bool in_use[HSM_STICKS_MAX]; /* by another running domain */
    char user[HSM_NAME_MAX];     /* the last of those that use one */
};

/* Adds a running domain. */
void hsm_snapshot_add(struct hsm_snapshot *snapshot, const char *name,
                      const struct hsm_domain *domain);

enum hsm_verdict {
    HSM_PLAN_DONE,
    HSM_PLAN_ATTACH,    /* `device` */
    HSM_PLAN_DETACH,    /* `device`: asked for, or stale and in the way */
    HSM_PLAN_NO_DOMAIN, /* none that runs */
    HSM_PLAN_NO_STICK,
    HSM_PLAN_IN_USE, /* every stick, by another domain */
};

struct hsm_plan {
    enum hsm_verdict verdict;
    struct hsm_hostdev device;
    size_t free; /* HSM_PLAN_ATTACH: sticks that could be taken; the first one is */
};

void hsm_plan_make(const struct hsm_snapshot *snapshot, enum hsm_verb verb, struct hsm_plan *ret);

/* The XML by which libvirt is asked to attach or detach the plan's device. */
void hsm_plan_format(const struct hsm_plan *plan, char xml[HSM_DEVICE_XML_MAX]);

#endif
