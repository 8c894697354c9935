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
    unsigned unreadable; /* running domains whose XML could not be read, at this look */
    unsigned detached;   /* devices */
    bool attached;
    int64_t moment_ms; /* until then a state may be one of a moment */
    char words[HSM_WORDS_MAX];
    struct hsm_result *result;
};

enum next { NEXT_LOOK, NEXT_WAIT, NEXT_END };

PRINTF_LIKE(3, 4)
static enum next tell(struct run *run, enum error_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(run->result->text, HSM_TEXT_MAX, format, arguments); /* cut, if it must be */
    va_end(arguments);
    run->result->code = code;
    return NEXT_END;
}

/* Likewise, but only once it has been so for a moment. */
PRINTF_LIKE(2, 3)
static enum next tell_later(struct run *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(run->result->text, HSM_TEXT_MAX, format, arguments); /* cut, if it must be */
    va_end(arguments);
    run->result->code = ERROR_UNAVAILABLE;
    return clock_ms() < run->moment_ms ? NEXT_WAIT : NEXT_END;
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

/* Sticks first: which domain uses which one is judged while the domains are read. */
static int look(struct run *run)
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
        (void)snprintf(run->words, sizeof run->words, "%s: %s", run->order->usb_folder,
                       strerror(-error));
        return -EOPNOTSUPP;
    }
    hsm_limit_stage(HSM_LOOKING);
    return hsm_libvirt_each_running(run->virt, on_domain, run, run->words);
}

static enum next tell_failure(struct run *run, int error, const char *what)
{
    switch (error) {
    case -ENOTCONN:
    case -ENOENT:
        return tell(run, ERROR_UNAVAILABLE, "%s: %s", what, run->words);
    case -EBUSY:
        return tell_later(run, "%s: %s", what, run->words);
    case -EOPNOTSUPP:
        return tell(run, ERROR_INTERNAL, "%s: %s", what, run->words);
    default:
        (void)tell(run, ERROR_TIMEOUT, "%s failed until the limit of %g s: %s", what,
                   (double)run->order->conf->hsm.timeout_ms / 1000, run->words);
        return NEXT_WAIT;
    }
}

static enum next tell_no_domain(struct run *run)
{
    const char *wanted = run->snapshot.wanted;
    if (run->unreadable > 0) {
        return tell(run, ERROR_INTERNAL, "the XML of %u running domains cannot be read",
                    run->unreadable);
    }
    if (strcmp(wanted, HSM_BY_CID) == 0) {
        return tell(run, ERROR_UNAVAILABLE, "no running domain has the CID %u", run->snapshot.cid);
    }
    return tell(run, ERROR_UNAVAILABLE, "the domain %s %s", wanted,
                hsm_libvirt_knows(run->virt, wanted) ? "is not running" : "does not exist");
}

static enum next tell_done(struct run *run)
{
    const char *name = run->snapshot.name;
    if (run->order->verb == HSM_ATTACH) {
        return tell(run, ERROR_NONE,
                    run->attached ? "the HSM is attached to %s" : "%s has the HSM already", name);
    }
    return run->detached == 0 ? tell(run, ERROR_NONE, "%s has no HSM", name)
                              : tell(run, ERROR_NONE, "the HSM is detached from %s", name);
}

static enum next change(struct run *run)
{
    char xml[HSM_DEVICE_XML_MAX];
    const struct hsm_usb_address *at = &run->plan.device.address;
    bool attach = run->plan.verdict == HSM_PLAN_ATTACH;
    hsm_plan_format(&run->plan, xml);
    hsm_limit_stage(attach ? HSM_ATTACHING : HSM_DETACHING);
    if (attach && run->plan.free > 1) {
        (void)snprintf(run->result->note, HSM_TEXT_MAX,
                       "%zu sticks %04x:%04x are free; the first is taken: bus %u device %u",
                       run->plan.free, run->snapshot.id.vendor, run->snapshot.id.product, at->bus,
                       at->device);
    }
    int error = attach ? hsm_libvirt_attach(run->virt, run->snapshot.name, xml, run->words)
                       : hsm_libvirt_detach(run->virt, run->snapshot.name, xml, run->words);
    if (error != 0) {
        return tell_failure(run, error, attach ? "attaching the HSM" : "detaching the HSM");
    }
    run->attached = run->attached || attach;
    run->detached += attach ? 0 : 1;
    (void)tell(run, ERROR_TIMEOUT, "libvirt %s the HSM, and %s does not show it",
               attach ? "attached" : "detached", run->snapshot.name);
    return NEXT_LOOK;
}

static enum next act(struct run *run)
{
    const struct hsm_snapshot *snapshot = &run->snapshot;
    int error = look(run);
    if (error != 0) {
        return tell_failure(run, error, "looking at the domains");
    }
    hsm_plan_make(snapshot, run->order->verb, &run->plan);
    switch (run->plan.verdict) {
    case HSM_PLAN_NO_DOMAIN:
        return tell_no_domain(run);
    case HSM_PLAN_NO_STICK:
        return tell_later(run, "no USB stick %04x:%04x is plugged in", snapshot->id.vendor,
                          snapshot->id.product);
    case HSM_PLAN_IN_USE:
        return tell_later(run, "every USB stick %04x:%04x is in use, by the domain %s",
                          snapshot->id.vendor, snapshot->id.product, snapshot->user);
    case HSM_PLAN_ATTACH:
    case HSM_PLAN_DETACH:
        return change(run);
    case HSM_PLAN_DONE:
    default:
        return tell_done(run);
    }
}

static void wait_ms(int64_t ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&pause, NULL); /* a shorter one does no harm */
}

/* A change that worked is looked at soon, to see that it shows; all else after a pause. */
static void repeat(struct run *run)
{
    for (;;) {
        enum next next = act(run);
        int64_t pause_ms = next == NEXT_LOOK ? HSM_PAUSE_MS / 10 : HSM_PAUSE_MS;
        if (next == NEXT_END || clock_ms() + pause_ms >= run->order->deadline_ms) {
            return; /* what was told last is the result */
        }
        wait_ms(pause_ms);
    }
}

void hsm_run(const struct hsm_order *order, struct hsm_result *ret)
{
    struct hsm_result result = {.code = ERROR_INTERNAL};
    struct run run = {
        .order = order,
        .moment_ms = clock_deadline(HSM_MOMENT_MS),
        .result = &result,
    };
    hsm_limit_stage(HSM_CONNECTING);
    int error = hsm_libvirt_open(order->conf->hsm.uri, &run.virt, run.words);
    if (error != 0) {
        (void)tell_failure(&run, error, "libvirt cannot be reached");
    } else {
        repeat(&run);
    }
    run.virt = hsm_libvirt_close(run.virt);
    *ret = result;
}
