/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "host/download/download.h"
#include "host/log.h"
#include "host/upgrade/status_line.h"
#include "host/upgrade/upgrade_internal.h"
#include "wire/clock.h"

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

/* None of the requests so far is to be begun any more, even if its file cannot be removed. */
static void settle_requests(struct job *job, struct state *next)
{
    lock_take(&job->lock);
    next->request = job->requests;
    lock_give(&job->lock);
}

static void tell_rebooting(struct job *job, uint64_t reboot_at)
{
    struct state next;
    char at[TIME_TEXT_SIZE];
    download_sweep(job->directory_fd, NULL); /* what could not be removed when it was to be */
    job_copy(job, &next);
    if (next.phase == PHASE_REBOOTING) {
        job_queue_end(job); /* known since before the daemon was started */
        return;
    }
    settle_requests(job, &next);
    format_time(reboot_at, at);
    next.phase = PHASE_REBOOTING;
    next.reboot_at = reboot_at;
    (void)snprintf(next.detail, sizeof(next.detail), "the machine reboots at %s", at);
    (void)job_tell(job, &next); /* logged; the record of vsock_host-install says it too */
    job_queue_end(job);
}

static void tell_upgraded(struct job *job)
{
    struct state next;
    download_sweep(job->directory_fd, NULL); /* as above */
    job_copy(job, &next);
    bool expected = next.phase != PHASE_FAILED; /* else others were begun, or may be, after it */
    if (expected) {
        settle_requests(job, &next);
    }
    next.phase = PHASE_UPGRADED;
    next.code = ERROR_NONE;
    next.unseen = 0;
    next.detail[0] = '\0';
    (void)job_tell(job, &next); /* logged; it is found out again at the next start */
    if (expected) {
        job_queue_end(job);
    }
}

/* Who ended vsock_host-install, or rebooted the machine under it, left the image where it was. */
static void sweep_installation(const struct job *job)
{
    const struct installer installer = job_installer(job);
    installer_sweep(&installer, job->present->state.sha256);
}

enum recover_action job_apply(struct job *job, const struct recover_decision *decision)
{
    switch (decision->action) {
    case RECOVER_FAILED:
        sweep_installation(job);
        if (decision->unseen) {
            job_tell_unseen(job, decision->code, decision->text);
        } else {
            job_tell_failure(job, decision->code, decision->text);
        }
        return RECOVER_KEEP;
    case RECOVER_UPGRADED:
        sweep_installation(job);
        tell_upgraded(job);
        return RECOVER_KEEP;
    case RECOVER_REBOOTING:
        tell_rebooting(job, decision->reboot_at);
        return RECOVER_REBOOTING;
    case RECOVER_KEEP:
    case RECOVER_RUN:
    case RECOVER_INSTALL:
    case RECOVER_WAIT:
        return decision->action;
    }
    return RECOVER_KEEP;
}

static int count_start(struct job *job, char problem[CONF_PROBLEM_MAX])
{
    struct state *state = &job->present->state;
    char hash[SHORT_HASH_SIZE];
    state->starts++;
    int error = state_write(state, job->directory_fd, STATE_NAME);
    if (error != 0) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "%s/%s cannot be written: %s",
                       job->conf->upgrade.directory, STATE_NAME, strerror(-error));
        return error;
    }
    short_hash(state->sha256, hash);
    log_notice("upgrade %s goes on from where it was left, %s", hash, phase_name(state->phase));
    return 0;
}

static int settle(struct job *job, char problem[CONF_PROBLEM_MAX])
{
    struct recover_facts facts;
    struct recover_decision decision;
    const struct installer installer = job_installer(job);
    const struct state *state = &job->present->state;
    int error = installer_facts(&installer, state->phase == PHASE_INSTALLING ? state->sha256 : NULL,
                                &facts);
    if (error != 0) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "the boot id cannot be read: %s",
                       strerror(-error));
        return error;
    }
    facts.starting = true;
    recover_decide(state, &facts, &decision);
    job->first = job_apply(job, &decision);
    bool again = job->first == RECOVER_RUN || job->first == RECOVER_INSTALL;
    return again ? count_start(job, problem) : 0;
}

void job_set_aside(const struct job *job, const char *name, const char *aside, const char *lost)
{
    const char *directory = job->conf->upgrade.directory;
    if (renameat(job->directory_fd, name, job->directory_fd, aside) != 0) {
        log_warning("%s/%s is damaged, and cannot be set aside: %s", directory, name,
                    strerror(errno));
        return;
    }
    log_warning("%s/%s is damaged: it is set aside as %s, and %s is lost", directory, name, aside,
                lost);
}

static int read_state(struct job *job, char problem[CONF_PROBLEM_MAX])
{
    struct state state;
    int error = state_read(job->directory_fd, STATE_NAME, &state);
    if (error == -EBADMSG) {
        job_set_aside(job, STATE_NAME, STATE_BAD_NAME, "what it said of an upgrade");
        return 0;
    }
    if (error == -ENOENT) {
        return 0;
    }
    if (error == 0) {
        state_count_stored(&state, job->directory_fd);
        progress_init(&job->progress, state.done, state.total, clock_ms());
        job->recorded_urls = state.url_count;
        job->present = job_ticket_new(job, &state);
        error = job->present == NULL ? -ENOMEM : 0;
    }
    if (error != 0) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "%s/%s cannot be read: %s",
                       job->conf->upgrade.directory, STATE_NAME, strerror(-error));
    }
    return error;
}

int job_restore(struct job *job, char problem[CONF_PROBLEM_MAX])
{
    job->first = RECOVER_KEEP;
    int error = read_state(job, problem);
    if (error == 0) {
        error = job_queue_restore(job, problem); /* first: a reboot that came drops what waits */
    }
    return error == 0 && job->present != NULL ? settle(job, problem) : error;
}
