/* SPDX-License-Identifier: Apache-2.0 */
/* Decides the next action from a snapshot of the running domains and the USB tokens.
 *
 * The caller takes a snapshot, does the one action, and repeats until the plan is done. So a stale
 * device that is detached before a token is attached needs no state, nor does a domain that still
 * shows a device shortly after it was detached.
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
    uint32_t cid;       /* of the caller */
    struct hsm_usb_id id;
    struct hsm_usb_tokens usb_tokens;
    bool found; /* the wanted domain, in `name` and `domain` */
    char name[HSM_NAME_MAX];
    struct hsm_domain domain;
    bool in_use[HSM_TOKENS_MAX]; /* by another running domain */
    char user[HSM_NAME_MAX];     /* the last domain that uses one */
};

/* Adds a running domain. */
void hsm_snapshot_add(struct hsm_snapshot *snapshot, const char *name,
                      const struct hsm_domain *domain);

enum hsm_verdict {
    HSM_PLAN_DONE,
    HSM_PLAN_ATTACH,    /* `device` */
    HSM_PLAN_DETACH,    /* `device`: requested, or stale and in the way */
    HSM_PLAN_NO_DOMAIN, /* the wanted one does not run */
    HSM_PLAN_NO_TOKEN,
    HSM_PLAN_IN_USE, /* every token, by another domain */
};

struct hsm_plan {
    enum hsm_verdict verdict;
    struct hsm_hostdev device;
    size_t free; /* HSM_PLAN_ATTACH: tokens not in use; the first one is attached */
};

void hsm_plan_make(const struct hsm_snapshot *snapshot, enum hsm_verb verb, struct hsm_plan *ret);

/* The plan's device as XML for libvirt. */
void hsm_plan_format(const struct hsm_plan *plan, char xml[HSM_DEVICE_XML_MAX]);

#endif
