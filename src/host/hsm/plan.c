/* SPDX-License-Identifier: Apache-2.0 */
#include "host/hsm/plan.h"

#include <stdio.h>
#include <string.h>

/* The index of the token at this address, or the number of tokens. */
static size_t find_token(const struct hsm_snapshot *snapshot, const struct hsm_hostdev *device)
{
    size_t at = 0;
    while (at < snapshot->usb_tokens.count &&
           !(device->has_address &&
             hsm_same_address(snapshot->usb_tokens.token[at], device->address))) {
        at++;
    }
    return at;
}

static bool is_plugged_in(const struct hsm_snapshot *snapshot, const struct hsm_hostdev *device)
{
    return find_token(snapshot, device) < snapshot->usb_tokens.count;
}

/* A device that was given by its address alone is ours if a token is there. */
static bool is_ours(const struct hsm_snapshot *snapshot, const struct hsm_hostdev *device)
{
    return device->has_id ? hsm_same_id(device->id, snapshot->id) : is_plugged_in(snapshot, device);
}

static bool is_wanted(const struct hsm_snapshot *snapshot, const char *name,
                      const struct hsm_domain *domain)
{
    if (strcmp(snapshot->wanted, HSM_BY_CID) == 0) {
        return domain->has_cid && domain->cid == snapshot->cid;
    }
    return strcmp(snapshot->wanted, name) == 0;
}

void hsm_snapshot_add(struct hsm_snapshot *snapshot, const char *name,
                      const struct hsm_domain *domain)
{
    if (!snapshot->found && is_wanted(snapshot, name, domain)) {
        snapshot->found = true;
        snapshot->domain = *domain;
        (void)snprintf(snapshot->name, sizeof snapshot->name, "%s", name); /* never longer */
        return;
    }
    for (size_t i = 0; i < domain->count; i++) {
        size_t at = find_token(snapshot, &domain->usb[i]);
        if (at < snapshot->usb_tokens.count) {
            snapshot->in_use[at] = true;
            (void)snprintf(snapshot->user, sizeof snapshot->user, "%s", name);
        }
    }
}

/* The first device of ours that the domain holds, NULL if none. */
static const struct hsm_hostdev *find_held(const struct hsm_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->domain.count; i++) {
        if (is_ours(snapshot, &snapshot->domain.usb[i])) {
            return &snapshot->domain.usb[i];
        }
    }
    return NULL;
}

/* True if the domain holds a token that is plugged in. A device without an address counts as one. */
static bool has_token(const struct hsm_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->domain.count; i++) {
        const struct hsm_hostdev *device = &snapshot->domain.usb[i];
        if (is_ours(snapshot, device) &&
            (!device->has_address || is_plugged_in(snapshot, device))) {
            return true;
        }
    }
    return false;
}

static void plan_attach(const struct hsm_snapshot *snapshot, struct hsm_plan *plan)
{
    const struct hsm_hostdev *stale = find_held(snapshot);
    for (size_t i = snapshot->usb_tokens.count; i-- > 0;) {
        if (!snapshot->in_use[i]) {
            plan->free++;
            plan->device =
                (struct hsm_hostdev){true, true, snapshot->id, snapshot->usb_tokens.token[i]};
        }
    }
    if (snapshot->usb_tokens.count == 0) {
        plan->verdict = HSM_PLAN_NO_TOKEN;
    } else if (has_token(snapshot)) {
        plan->verdict = HSM_PLAN_DONE;
    } else if (plan->free == 0) {
        plan->verdict = HSM_PLAN_IN_USE;
    } else if (stale != NULL) {
        plan->verdict = HSM_PLAN_DETACH;
        plan->device = *stale;
    } else {
        plan->verdict = HSM_PLAN_ATTACH;
    }
}

void hsm_plan_make(const struct hsm_snapshot *snapshot, enum hsm_verb verb, struct hsm_plan *ret)
{
    struct hsm_plan plan = {.verdict = HSM_PLAN_DONE};
    if (!snapshot->found) {
        plan.verdict = HSM_PLAN_NO_DOMAIN;
    } else if (verb == HSM_ATTACH) {
        plan_attach(snapshot, &plan);
    } else {
        const struct hsm_hostdev *held = find_held(snapshot);
        if (held != NULL) {
            plan.verdict = HSM_PLAN_DETACH;
            plan.device = *held;
        }
    }
    *ret = plan;
}

void hsm_plan_format(const struct hsm_plan *plan, char xml[HSM_DEVICE_XML_MAX])
{
    const struct hsm_hostdev *device = &plan->device;
    char id[128] = "";
    char address[64] = "";
    if (device->has_id) {
        (void)snprintf(id, sizeof id, "<vendor id='0x%04x'/><product id='0x%04x'/>",
                       device->id.vendor, device->id.product);
    }
    if (device->has_address) {
        (void)snprintf(address, sizeof address, "<address bus='%u' device='%u'/>",
                       device->address.bus, device->address.device);
    }
    (void)snprintf(xml, HSM_DEVICE_XML_MAX,
                   "<hostdev mode='subsystem' type='usb' managed='yes'><source>%s%s</source>%s"
                   "</hostdev>",
                   id, address,
                   plan->verdict == HSM_PLAN_ATTACH ? "<address type='usb' bus='0' port='2'/>"
                                                    : "");
}
