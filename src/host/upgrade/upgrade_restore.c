/* SPDX-License-Identifier: Apache-2.0 */
#include "host/download/download.h"
#include "host/download/partial.h"
#include "host/log.h"
#include "host/upgrade/status_line.h"
#include "host/upgrade/upgrade_internal.h"
#include "wire/clock.h"

#include <errno.h>
#include <stdio.h>

/* "2026-11-22 21:12:31 UTC" */
enum { TIME_TEXT_SIZE = 40 };
static void format_time(uint64_t unix_seconds, char out[TIME_TEXT_SIZE])
{
    time_t seconds = (time_t)unix_seconds;
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL ||
        strftime(out, TIME_TEXT_SIZE, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0) {
        (void)snprintf(out, TIME_TEXT_SIZE, "an unknown time");
    }
}

/* No request so far is started any more, even if its file cannot be removed. */
static void skip_requests(struct upgrade *upgrade, struct state *next)
{
    lock_take(&upgrade->lock);
    next->request = upgrade->requests;
    lock_give(&upgrade->lock);
}

static void publish_rebooting(struct upgrade *upgrade, uint64_t reboot_at)
{
    struct state next;
    char at[TIME_TEXT_SIZE];
    partial_sweep(upgrade->directory_fd, NULL); /* what could not be removed before */
    upgrade_copy(upgrade, &next);
    if (next.phase == PHASE_REBOOTING) {
        upgrade_queue_end(upgrade); /* an earlier daemon published it */
        return;
    }
    skip_requests(upgrade, &next);
    format_time(reboot_at, at);
    next.phase = PHASE_REBOOTING;
    next.reboot_at = reboot_at;
    (void)snprintf(next.detail, sizeof next.detail, "the machine reboots at %s", at);
    (void)upgrade_publish(upgrade, &next); /* logged; the record of vsock_host-install has it too */
    upgrade_queue_end(upgrade);
}

static void publish_upgraded(struct upgrade *upgrade)
{
    struct state next;
    partial_sweep(upgrade->directory_fd, NULL); /* what could not be removed before */
    upgrade_copy(upgrade, &next);
    bool expected = next.phase != PHASE_FAILED; /* else later requests are valid */
    if (expected) {
        skip_requests(upgrade, &next);
    }
    next.phase = PHASE_UPGRADED;
    next.code = ERROR_NONE;
    next.outcome_unknown = 0;
    next.detail[0] = '\0';
    (void)upgrade_publish(upgrade, &next); /* logged; the next start decides the same */
    if (expected) {
        upgrade_queue_end(upgrade);
    }
}

enum recover_action upgrade_apply(struct upgrade *upgrade, const struct recover_decision *decision)
{
    switch (decision->action) {
    case RECOVER_FAILED:
        /* vsock_host-install was ended before it removed the image, or the machine was rebooted. */
        installer_sweep(&upgrade->installer, upgrade->current->state.sha256);
        upgrade_publish_failure(upgrade, decision->code, decision->text, decision->outcome_unknown);
        return RECOVER_KEEP;
    case RECOVER_UPGRADED:
        installer_sweep(&upgrade->installer, upgrade->current->state.sha256);
        publish_upgraded(upgrade);
        return RECOVER_KEEP;
    case RECOVER_REBOOTING:
        publish_rebooting(upgrade, decision->reboot_at);
        return RECOVER_REBOOTING;
    case RECOVER_KEEP:
    case RECOVER_RUN:
    case RECOVER_INSTALL:
    case RECOVER_WAIT:
        return decision->action;
    }
    return RECOVER_KEEP;
}

static int count_start(struct upgrade *upgrade, char problem[CONF_PROBLEM_MAX])
{
    struct state *state = &upgrade->current->state;
    char hash[SHORT_HASH_SIZE];
    state->starts++;
    int error = state_write(state, upgrade->directory_fd, STATE_NAME);
    if (error != 0) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "%s/%s cannot be written: %s",
                       upgrade->installer.conf->upgrade.directory, STATE_NAME, strerror(-error));
        return error;
    }
    short_hash(state->sha256, hash);
    log_notice("upgrade %s resumes in phase %s", hash, phase_name(state->phase));
    return 0;
}

static int decide_first(struct upgrade *upgrade, char problem[CONF_PROBLEM_MAX])
{
    struct recover_facts facts;
    struct recover_decision decision;
    const struct state *state = &upgrade->current->state;
    int error = installer_facts(&upgrade->installer,
                                state->phase == PHASE_INSTALLING ? state->sha256 : NULL, &facts);
    if (error != 0) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "the boot id cannot be read: %s",
                       strerror(-error));
        return error;
    }
    facts.starting = true;
    recover_decide(state, &facts, &decision);
    upgrade->first = upgrade_apply(upgrade, &decision);
    bool resumes = upgrade->first == RECOVER_RUN || upgrade->first == RECOVER_INSTALL;
    return resumes ? count_start(upgrade, problem) : 0;
}

static int read_state(struct upgrade *upgrade, char problem[CONF_PROBLEM_MAX])
{
    struct state state;
    int error = state_read(upgrade->directory_fd, STATE_NAME, &state);
    if (error == -EBADMSG) {
        upgrade_set_aside(upgrade, STATE_NAME, STATE_BAD_NAME, "the state of the last upgrade");
        return 0;
    }
    if (error == -ENOENT) {
        return 0;
    }
    if (error == 0) {
        state_count_stored(&state, upgrade->directory_fd);
        progress_init(&upgrade->progress, state.done, state.total, clock_ms());
        upgrade->recorded_urls = state.url_count;
        upgrade->current = upgrade_pending_new(upgrade, &state);
        error = upgrade->current == NULL ? -ENOMEM : 0;
    }
    if (error != 0) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "%s/%s cannot be read: %s",
                       upgrade->installer.conf->upgrade.directory, STATE_NAME, strerror(-error));
    }
    return error;
}

int upgrade_restore(struct upgrade *upgrade, char problem[CONF_PROBLEM_MAX])
{
    upgrade->first = RECOVER_KEEP;
    int error = read_state(upgrade, problem);
    if (error == 0) { /* the queue first: publish_upgraded ends it */
        error = upgrade_queue_restore(upgrade, problem);
    }
    return error == 0 && upgrade->current != NULL ? decide_first(upgrade, problem) : error;
}
