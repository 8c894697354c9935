/* SPDX-License-Identifier: Apache-2.0 */
#include "host/hsm/plan.h"

#include <stdio.h>
#include <string.h>

/* The index of the stick at this address, or the number of sticks. */
static size_t find_stick(const struct hsm_scene *scene, const struct hsm_hostdev *device)
{
    size_t at = 0;
    while (at < scene->sticks.count &&
           !(device->has_address && hsm_same_address(scene->sticks.stick[at], device->address))) {
        at++;
    }
    return at;
}

static bool is_plugged_in(const struct hsm_scene *scene, const struct hsm_hostdev *device)
{
    return find_stick(scene, device) < scene->sticks.count;
}

/* One that was given by its address alone is ours if a stick is there. */
static bool is_ours(const struct hsm_scene *scene, const struct hsm_hostdev *device)
{
    return device->has_id ? hsm_same_id(device->id, scene->id) : is_plugged_in(scene, device);
}

static bool is_wanted(const struct hsm_scene *scene, const char *name,
                      const struct hsm_domain *domain)
{
    if (strcmp(scene->wanted, HSM_BY_CID) == 0) {
        return domain->has_cid && domain->cid == scene->cid;
    }
    return strcmp(scene->wanted, name) == 0;
}

void hsm_scene_add(struct hsm_scene *scene, const char *name, const struct hsm_domain *domain)
{
    if (!scene->found && is_wanted(scene, name, domain)) {
        scene->found = true;
        scene->domain = *domain;
        (void)snprintf(scene->name, sizeof(scene->name), "%s", name); /* never longer */
        return;
    }
    for (size_t i = 0; i < domain->count; i++) {
        size_t at = find_stick(scene, &domain->usb[i]);
        if (at < scene->sticks.count) {
            scene->in_use[at] = true;
            (void)snprintf(scene->user, sizeof(scene->user), "%s", name);
        }
    }
}

/* The first device of ours that the domain holds, NULL if none. */
static const struct hsm_hostdev *find_held(const struct hsm_scene *scene)
{
    for (size_t i = 0; i < scene->domain.count; i++) {
        if (is_ours(scene, &scene->domain.usb[i])) {
            return &scene->domain.usb[i];
        }
    }
    return NULL;
}

/* True if one of them is a stick that is plugged in. One without an address cannot be told from it. */
static bool has_stick(const struct hsm_scene *scene)
{
    for (size_t i = 0; i < scene->domain.count; i++) {
        const struct hsm_hostdev *device = &scene->domain.usb[i];
        if (is_ours(scene, device) && (!device->has_address || is_plugged_in(scene, device))) {
            return true;
        }
    }
    return false;
}

static void plan_attach(const struct hsm_scene *scene, struct hsm_plan *plan)
{
    const struct hsm_hostdev *stale = find_held(scene);
    for (size_t i = scene->sticks.count; i-- > 0;) {
        if (!scene->in_use[i]) {
            plan->free++;
            plan->device = (struct hsm_hostdev){true, true, scene->id, scene->sticks.stick[i]};
        }
    }
    if (scene->sticks.count == 0) {
        plan->verdict = HSM_PLAN_NO_STICK;
    } else if (has_stick(scene)) {
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

void hsm_plan_make(const struct hsm_scene *scene, enum hsm_verb verb, struct hsm_plan *ret)
{
    struct hsm_plan plan = {.verdict = HSM_PLAN_DONE};
    if (!scene->found) {
        plan.verdict = HSM_PLAN_NO_DOMAIN;
    } else if (verb == HSM_ATTACH) {
        plan_attach(scene, &plan);
    } else {
        const struct hsm_hostdev *held = find_held(scene);
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
        (void)snprintf(id, sizeof(id), "<vendor id='0x%04x'/><product id='0x%04x'/>",
                       device->id.vendor, device->id.product);
    }
    if (device->has_address) {
        (void)snprintf(address, sizeof(address), "<address bus='%u' device='%u'/>",
                       device->address.bus, device->address.device);
    }
    (void)snprintf(xml, HSM_DEVICE_XML_MAX,
                   "<hostdev mode='subsystem' type='usb' managed='yes'><source>%s%s</source>%s"
                   "</hostdev>",
                   id, address,
                   plan->verdict == HSM_PLAN_ATTACH ? "<address type='usb' bus='0' port='2'/>"
                                                    : "");
}
