/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "host/download/download.h"
#include "host/log.h"
#include "host/message_id.h"
#include "host/upgrade/phase.h"
#include "host/upgrade/upgrade_internal.h"
#include "host/watchdog.h"
#include "wire/clock.h"

enum {
    /* Runs of vsock_host-install for one image: one to install, one to ask for the reboot alone. */
    INSTALL_RUNS_MAX = 2,
    REBOOT_WAIT_MAX_SECONDS = 7 * 24 * 3600, /* whatever a clock that was set may suggest */
};

static size_t copy_mirrors(void *context, char urls[DOWNLOAD_MIRRORS_MAX][URL_MAX + 1])
{
    struct job *job = context;
    lock_take(&job->lock);
    const struct state *state = &job->present->state;
    size_t count = state->url_count;
    memcpy(urls, state->urls, count * sizeof(state->urls[0]));
    lock_give(&job->lock);
    return count;
}

/* To `phase` if it is another one. */
static void enter(struct job *job, enum phase phase)
{
    struct state next;
    job_copy(job, &next);
    if (next.phase == phase) {
        return;
    }
    next.phase = phase;
    next.detail[0] = '\0';
    if (phase == PHASE_VERIFYING && job->progress.total != 0) {
        job->progress.done = job->progress.total;
    }
    (void)job_tell(job, &next); /* logged; a crash begins it anew, from the file */
}

static void on_progress(void *context, uint64_t done, uint64_t total)
{
    struct job *job = context;
    if (job->present->state.phase == PHASE_VERIFYING && (total == 0 || done < total)) {
        enter(job, PHASE_DOWNLOADING); /* the file was not the one: it is fetched again */
    }
    job_tell_progress(job, done, total);
}

static void on_verifying(void *context)
{
    enter(context, PHASE_VERIFYING);
}

static void on_tell(void *context, const char *public_text, const char *journal_text)
{
    job_tell_retry(context, public_text, journal_text);
}

static void begin(struct job *job)
{
    struct state next;
    job_copy(job, &next);
    if (next.phase == PHASE_INSTALLING) {
        enter(job, PHASE_VERIFYING); /* it turned out that the installer was never begun */
    }
    if (next.phase != PHASE_QUEUED) {
        return; /* it goes on from before the daemon was started */
    }
    next.phase = PHASE_DOWNLOADING;
    if (job_tell(job, &next) == 0) {
        job_queue_forget(job, next.sha256); /* the state file has it now */
    }
}

/* True: the verified image is there. False: the upgrade has failed, or the daemon stops. */
static bool fetch(struct job *job)
{
    struct download download = {
        .conf = job->conf,
        .directory_fd = job->directory_fd,
        .stop_fd = job->stop_fd,
        .mirrors = copy_mirrors,
        .progress = on_progress,
        .verifying = on_verifying,
        .tell = on_tell,
        .context = job,
    };
    memcpy(download.sha256, job->present->state.sha256, SHA256_SIZE);
    download_sweep(job->directory_fd, download.sha256);
    begin(job);
    struct download_result result = {.code = ERROR_INTERNAL};
    download_run(&download, &result);
    if (!result.stopped && result.code != ERROR_NONE) {
        job_tell_failure(job, result.code, result.text);
    }
    return !result.stopped && result.code == ERROR_NONE;
}

static void on_line(void *context, const char *line)
{
    const struct job *job = context;
    char hex[SHA256_HEX + 1];
    sha256_format(job->present->state.sha256, hex);
    const struct log_field fields[] = {{"VSOCK_UPGRADE_SHA256", hex}};
    log_event(PRIORITY_INFO, MESSAGE_ID_INSTALLER_OUTPUT, fields, 1, "%s", line);
}

static void explain_error(const char *what, int error, char out[JOB_TEXT_MAX])
{
    (void)snprintf(out, JOB_TEXT_MAX, "%s: %s", what, strerror(-error));
}

/* The present upgrade ends because `what` met an error. */
static void fail(struct job *job, enum error_code code, const char *what, int error)
{
    char text[JOB_TEXT_MAX];
    explain_error(what, error, text);
    job_tell_failure(job, code, text);
}

/* Remembers what tells afterwards whether anything came of it. */
static bool enter_installing(struct job *job, const struct installer *installer)
{
    struct recover_facts facts;
    struct state next;
    if (job->present->state.phase == PHASE_INSTALLING) {
        return true; /* it is the second run: what was remembered is still what counts */
    }
    enter(job, PHASE_VERIFYING);
    int error = installer_facts(installer, NULL, &facts);
    if (error != 0) {
        fail(job, ERROR_INTERNAL, "the installation is not begun: the boot id cannot be read",
             error);
        return false;
    }
    job_copy(job, &next);
    next.phase = PHASE_INSTALLING;
    next.stamp = facts.stamp;
    memcpy(next.version, facts.version, sizeof(next.version));
    error = job_tell(job, &next);
    if (error != 0) {
        fail(job, error == -ENOSPC ? ERROR_NO_SPACE : ERROR_INTERNAL,
             "the installation cannot be recorded, so it is not begun", error);
    }
    return error == 0;
}

static void explain(const struct program_result *result, struct recover_decision *ret)
{
    bool started = result->end != PROGRAM_REFUSED;
    *ret = (struct recover_decision){.action = RECOVER_FAILED,
                                     .code = ERROR_INSTALL_FAILED,
                                     .unseen = result->end == PROGRAM_TIMEOUT || result->unheard};
    (void)snprintf(ret->text, sizeof(ret->text), "%s%.1400s",
                   started ? "vsock_host-install left no record: " : "", result->how);
}

/* What to do once nobody installs; RECOVER_KEEP: nothing, the daemon stops or it is told already.
 */
static enum recover_action await_installer(struct job *job, struct recover_decision *ret)
{
    const struct installer installer = job_installer(job);
    struct recover_facts facts;
    int error = installer_wait(&installer, &job->present->state);
    if (error == -EBUSY) {
        job_tell_unseen(job, ERROR_BUSY,
                        "another installation still lives, or has left a process behind that holds "
                        "its lock; the image is kept");
    }
    if (error == -ETIMEDOUT) {
        job_tell_unseen(job, ERROR_INSTALL_FAILED,
                        "an installer still runs after all the time it may take");
    }
    if (error != 0) {
        return RECOVER_KEEP;
    }
    error = installer_facts(&installer, NULL, &facts);
    if (error != 0) {
        char text[JOB_TEXT_MAX];
        explain_error("how the installation ended is not known: the boot id cannot be read", error,
                      text);
        job_tell_unseen(job, ERROR_INTERNAL, text);
        return RECOVER_KEEP;
    }
    recover_decide(&job->present->state, &facts, ret);
    return ret->action;
}

/* The record decides, not how the program ended or that it was refused: another one may live. */
static enum recover_action install(struct job *job)
{
    const struct installer installer = job_installer(job);
    struct program_result result;
    struct recover_decision decision;
    if (!enter_installing(job, &installer)) {
        return RECOVER_KEEP;
    }
    installer_run(&installer, job->present->state.sha256, on_line, job, &result);
    if (result.end == PROGRAM_LEFT || await_installer(job, &decision) == RECOVER_KEEP) {
        return RECOVER_KEEP;
    }
    if (decision.action == RECOVER_RUN) { /* it wrote nothing down, so it began nothing */
        explain(&result, &decision);
    }
    return job_apply(job, &decision);
}

static void await_reboot(struct job *job)
{
    int64_t ahead = (int64_t)job->present->state.reboot_at - (int64_t)time(NULL);
    ahead = ahead < 0 ? 0 : ahead > REBOOT_WAIT_MAX_SECONDS ? REBOOT_WAIT_MAX_SECONDS : ahead;
    int64_t deadline_ms = clock_deadline(ahead * 1000 + job->reboot_grace_ms);
    watch_idle();
    lock_take(&job->lock);
    while (!job->stopping && clock_ms() < deadline_ms) {
        signal_wait_until(&job->news, &job->lock, deadline_ms);
    }
    bool stopping = job->stopping;
    lock_give(&job->lock);
    watch_step("the end of an upgrade", WATCH_DISK_MS);
    if (!stopping) {
        job_tell_failure(job, ERROR_REBOOT_FAILED,
                         "the image is installed, but the reboot that was scheduled has not come");
    }
}

/* From `action` to the end of the present upgrade, or until the daemon stops. */
static void follow(struct job *job, enum recover_action action)
{
    struct recover_decision decision;
    unsigned runs = 0;
    while (action != RECOVER_KEEP) {
        switch (action) {
        case RECOVER_RUN:
            action = fetch(job) ? RECOVER_INSTALL : RECOVER_KEEP;
            break;
        case RECOVER_WAIT:
            action = await_installer(job, &decision) == RECOVER_KEEP ? RECOVER_KEEP
                                                                     : job_apply(job, &decision);
            break;
        case RECOVER_INSTALL:
            if (runs++ == INSTALL_RUNS_MAX) {
                job_tell_failure(job, ERROR_REBOOT_FAILED,
                                 "the image is installed, but vsock_host-install does not ask for "
                                 "the reboot");
                return;
            }
            action = install(job);
            break;
        case RECOVER_REBOOTING:
            await_reboot(job);
            return;
        case RECOVER_KEEP:
        case RECOVER_UPGRADED:
        case RECOVER_FAILED:
            return;
        }
    }
}

/* A clean stop is no reason to give the upgrade up after some starts. */
static void leave(struct job *job)
{
    struct state state;
    if (job->present == NULL || !phase_resumable(job->present->state.phase)) {
        return;
    }
    job_copy(job, &state);
    state.starts = 0;
    int error = state_write(&state, job->directory_fd, STATE_NAME);
    if (error != 0) {
        log_warning("the state of the upgrade cannot be written: %s", strerror(-error));
    }
}

void *job_run(void *context)
{
    struct job *job = context;
    (void)pthread_setname_np(pthread_self(), "job"); /* only a name */
    watch_enter("job", 0);
    watch_step("taking up an upgrade", WATCH_DISK_MS);
    follow(job, job->first);
    while (job_queue_take(job)) {
        progress_init(&job->progress, 0, 0, clock_ms());
        follow(job, RECOVER_RUN);
    }
    leave(job);
    watch_leave();
    return NULL;
}
