/* SPDX-License-Identifier: Apache-2.0 */
#include "host/hsm/run.h"

#include "host/hsm/domain_xml.h"
#include "host/hsm/libvirt.h"
#include "host/hsm/limit.h"
#include "host/hsm/usb.h"
#include "wire/clock.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct run {
    const struct hsm_order *order;
    struct hsm_virt *virt;
    struct hsm_snapshot snapshot;
    struct hsm_plan plan;
    unsigned unreadable; /* running domains of the snapshot whose XML could not be read */
    bool detached;
    bool attached;
    int64_t settle_ms; /* until then a state may be brief */
    char words[HSM_WORDS_MAX];
    struct hsm_result *result;
};

enum next { NEXT_SNAPSHOT, NEXT_WAIT, NEXT_END };

PRINTF_LIKE(3, 4)
static enum next set_result(struct run *run, enum error_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(run->result->text, HSM_TEXT_MAX, format, arguments); /* cut, if it must be */
    va_end(arguments);
    run->result->code = code;
    return NEXT_END;
}

/* For a state that may be brief: it ends the run only after the settle time. */
static enum next wait_settled(const struct run *run)
{
    return clock_ms() < run->settle_ms ? NEXT_WAIT : NEXT_END;
}

static void on_domain(void *context, const char *name, const char *xml)
{
    struct run *run = context;
    struct hsm_domain domain;
    if (strlen(name) >= HSM_NAME_MAX || hsm_domain_xml_parse(xml, strlen(xml), &domain) != 0) {
        run->unreadable++;
        return;
    }
    hsm_snapshot_add(&run->snapshot, name, &domain);
}

/* Tokens first: hsm_snapshot_add compares each domain with them. */
static int take_snapshot(struct run *run)
{
    const struct conf *conf = run->order->conf;
    struct hsm_snapshot *snapshot = &run->snapshot;
    *snapshot = (struct hsm_snapshot){
        .wanted = conf->hsm.domain,
        .cid = run->order->cid,
        .id = {conf->hsm.vendor, conf->hsm.product},
    };
    run->unreadable = 0;
    int error = hsm_usb_tokens_read(run->order->usb_folder, snapshot->id, &snapshot->usb_tokens);
    if (error != 0) {
        (void)snprintf(run->words, sizeof run->words, "cannot read %s: %s", run->order->usb_folder,
                       strerror(-error));
        return -EOPNOTSUPP;
    }
    hsm_limit_stage(HSM_LISTING);
    return hsm_libvirt_each_running(run->virt, on_domain, run, run->words);
}

static enum next set_failure(struct run *run, int error, const char *what)
{
    switch (error) {
    case -ENOTCONN:
    case -ENOENT:
        return set_result(run, ERROR_UNAVAILABLE, "%s: %s", what, run->words);
    case -EBUSY:
        (void)set_result(run, ERROR_UNAVAILABLE, "%s: %s", what, run->words);
        return wait_settled(run);
    case -EOPNOTSUPP:
        return set_result(run, ERROR_INTERNAL, "%s: %s", what, run->words);
    default:
        (void)set_result(run, ERROR_TIMEOUT, "%s failed for %g s: %s", what,
                         (double)run->order->conf->hsm.timeout_ms / 1000, run->words);
        return NEXT_WAIT;
    }
}

static enum next set_no_domain(struct run *run)
{
    const char *wanted = run->snapshot.wanted;
    if (run->unreadable > 0) {
        return set_result(run, ERROR_INTERNAL, "the XML of %u running domains cannot be read",
                          run->unreadable);
    }
    if (strcmp(wanted, HSM_BY_CID) == 0) {
        return set_result(run, ERROR_UNAVAILABLE, "no running domain has the CID %u",
                          run->snapshot.cid);
    }
    return set_result(run, ERROR_UNAVAILABLE, "the domain %s %s", wanted,
                      hsm_libvirt_knows(run->virt, wanted) ? "is not running" : "does not exist");
}

static enum next set_done(struct run *run)
{
    const char *name = run->snapshot.name;
    if (run->order->verb == HSM_ATTACH) {
        return set_result(run, ERROR_NONE,
                          run->attached ? "the HSM is attached to %s" : "%s has the HSM already",
                          name);
    }
    return !run->detached ? set_result(run, ERROR_NONE, "%s has no HSM", name)
                          : set_result(run, ERROR_NONE, "the HSM is detached from %s", name);
}

static enum next change_device(struct run *run)
{
    char xml[HSM_DEVICE_XML_MAX];
    const struct hsm_usb_address *at = &run->plan.device.address;
    bool attach = run->plan.verdict == HSM_PLAN_ATTACH;
    hsm_plan_format(&run->plan, xml);
    hsm_limit_stage(attach ? HSM_ATTACHING : HSM_DETACHING);
    if (attach && run->plan.free > 1) {
        (void)snprintf(run->result->note, HSM_TEXT_MAX,
                       "%zu USB tokens %04x:%04x are free; the first is attached: bus %u device %u",
                       run->plan.free, run->snapshot.id.vendor, run->snapshot.id.product, at->bus,
                       at->device);
    }
    int error = attach ? hsm_libvirt_attach(run->virt, run->snapshot.name, xml, run->words)
                       : hsm_libvirt_detach(run->virt, run->snapshot.name, xml, run->words);
    if (error != 0) {
        return set_failure(run, error, attach ? "attaching the HSM" : "detaching the HSM");
    }
    run->attached = run->attached || attach;
    run->detached = run->detached || !attach;
    (void)set_result(run, ERROR_TIMEOUT, "libvirt %s the HSM, but the XML of %s does not show it",
                     attach ? "attached" : "detached", run->snapshot.name);
    return NEXT_SNAPSHOT;
}

static enum next do_next(struct run *run)
{
    const struct hsm_snapshot *snapshot = &run->snapshot;
    int error = take_snapshot(run);
    if (error != 0) {
        return set_failure(run, error, "listing the domains");
    }
    hsm_plan_make(snapshot, run->order->verb, &run->plan);
    switch (run->plan.verdict) {
    case HSM_PLAN_NO_DOMAIN:
        return set_no_domain(run);
    case HSM_PLAN_NO_TOKEN:
        (void)set_result(run, ERROR_UNAVAILABLE, "no USB token %04x:%04x is plugged in",
                         snapshot->id.vendor, snapshot->id.product);
        return wait_settled(run);
    case HSM_PLAN_IN_USE:
        (void)set_result(run, ERROR_UNAVAILABLE,
                         "every USB token %04x:%04x is in use by the domain %s",
                         snapshot->id.vendor, snapshot->id.product, snapshot->user);
        return wait_settled(run);
    case HSM_PLAN_ATTACH:
    case HSM_PLAN_DETACH:
        return change_device(run);
    case HSM_PLAN_DONE:
    default:
        return set_done(run);
    }
}

static void wait_ms(int64_t ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&pause, NULL); /* a shorter one does no harm */
}

/* After a change the next snapshot, which should show it, is taken sooner. */
static void run_to_end(struct run *run)
{
    for (;;) {
        enum next next = do_next(run);
        int64_t pause_ms = next == NEXT_SNAPSHOT ? HSM_PAUSE_MS / 10 : HSM_PAUSE_MS;
        if (next == NEXT_END || clock_ms() + pause_ms >= run->order->deadline_ms) {
            return; /* the last result stays */
        }
        wait_ms(pause_ms);
    }
}

void hsm_run(const struct hsm_order *order, struct hsm_result *ret)
{
    struct hsm_result result = {.code = ERROR_INTERNAL};
    struct run run = {
        .order = order,
        .settle_ms = clock_deadline(HSM_SETTLE_MS),
        .result = &result,
    };
    hsm_limit_stage(HSM_CONNECTING);
    int error = hsm_libvirt_open(order->conf->hsm.uri, &run.virt, run.words);
    if (error != 0) {
        (void)set_failure(&run, error, "libvirt cannot be reached");
    } else {
        run_to_end(&run);
    }
    run.virt = hsm_libvirt_close(run.virt);
    *ret = result;
}
