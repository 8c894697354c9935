/* SPDX-License-Identifier: Apache-2.0 */
#include "host/download/download.h"
#include "host/download/partial.h"
#include "host/log.h"
#include "host/message_id.h"
#include "host/upgrade/phase.h"
#include "host/upgrade/upgrade_internal.h"
#include "host/watchdog.h"
#include "wire/clock.h"

#include <errno.h>
#include <stdio.h>

enum {
    /* Runs of vsock_host-install for one image: one to install, one to request only the reboot. */
    INSTALL_RUNS_MAX = 2,
    REBOOT_WAIT_MAX_SECONDS = 7 * 24 * 3600, /* the clock may have been set */
};

static size_t copy_mirrors(void *context, char urls[DOWNLOAD_MIRRORS_MAX][URL_MAX + 1])
{
    struct upgrade *upgrade = context;
    lock_take(&upgrade->lock);
    const struct state *state = &upgrade->current->state;
    size_t count = state->url_count;
    memcpy(urls, state->urls, count * sizeof state->urls[0]);
    lock_give(&upgrade->lock);
    return count;
}

/* To `phase` if it is another one. */
static void enter_phase(struct upgrade *upgrade, enum phase phase)
{
    struct state next;
    upgrade_copy(upgrade, &next);
    if (next.phase == phase) {
        return;
    }
    next.phase = phase;
    next.detail[0] = '\0';
    if (phase == PHASE_VERIFYING && upgrade->progress.total != 0) {
        upgrade->progress.done = upgrade->progress.total;
    }
    (void)upgrade_publish(upgrade,
                          &next); /* logged; after a crash it resumes from the partial file */
}

static void on_progress(void *context, uint64_t done, uint64_t total)
{
    struct upgrade *upgrade = context;
    if (upgrade->current->state.phase == PHASE_VERIFYING && (total == 0 || done < total)) {
        enter_phase(upgrade, PHASE_DOWNLOADING); /* the hash was wrong: it is fetched again */
    }
    upgrade_publish_progress(upgrade, done, total);
}

static void on_verifying(void *context)
{
    enter_phase(context, PHASE_VERIFYING);
}

static void on_retry(void *context, const char *public_text, const char *journal_text)
{
    upgrade_publish_retry(context, public_text, journal_text);
}

static void start_download(struct upgrade *upgrade)
{
    struct state next;
    upgrade_copy(upgrade, &next);
    if (next.phase == PHASE_INSTALLING) {
        enter_phase(upgrade, PHASE_VERIFYING); /* the installer was never started */
    }
    if (next.phase != PHASE_QUEUED) {
        return; /* it resumes */
    }
    next.phase = PHASE_DOWNLOADING;
    if (upgrade_publish(upgrade, &next) == 0) {
        upgrade_forget_queued(upgrade, next.sha256); /* the state file has it now */
    }
}

/* True: the verified image is there. False: the upgrade has failed, or the daemon stops. */
static bool fetch_image(struct upgrade *upgrade)
{
    struct download download = {
        .conf = upgrade->installer.conf,
        .directory_fd = upgrade->directory_fd,
        .stop_fd = upgrade->installer.stop_fd,
        .mirrors = copy_mirrors,
        .progress = on_progress,
        .verifying = on_verifying,
        .report_retry = on_retry,
        .context = upgrade,
    };
    struct download_result result = {.code = ERROR_INTERNAL};
    memcpy(download.sha256, upgrade->current->state.sha256, SHA256_SIZE);
    partial_sweep(upgrade->directory_fd, download.sha256);
    start_download(upgrade);
    download_run(&download, &result);
    if (!result.stopped && result.code != ERROR_NONE) {
        upgrade_publish_failure(upgrade, result.code, result.text, false);
    }
    return !result.stopped && result.code == ERROR_NONE;
}

/* An error is the reason why the installation failed, which is logged as the end of the upgrade: the line
 * is a notice then, so that one failure is one line at warning or above. */
static void on_line(void *context, enum log_priority priority, const char *line)
{
    const struct upgrade *upgrade = context;
    char hex[SHA256_HEX + 1];
    sha256_format(upgrade->current->state.sha256, hex);
    const struct log_field fields[] = {{"VSOCK_UPGRADE_SHA256", hex}};
    log_event(priority == PRIORITY_ERROR ? PRIORITY_NOTICE : priority, MESSAGE_ID_INSTALLER_OUTPUT,
              fields, 1, "%s", line);
}

/* The current upgrade fails because `what` met an error. */
static void fail_with(struct upgrade *upgrade, enum error_code code, const char *what, int error,
                      bool outcome_unknown)
{
    char text[PENDING_TEXT_MAX];
    (void)snprintf(text, sizeof text, "%.*s: %s", (int)sizeof text / 2, what, strerror(-error));
    upgrade_publish_failure(upgrade, code, text, outcome_unknown);
}

/* Stores what shows afterwards whether the installation had an effect. */
static bool enter_installing(struct upgrade *upgrade)
{
    struct recover_facts facts;
    struct state next;
    if (upgrade->current->state.phase == PHASE_INSTALLING) {
        return true; /* the second run: what the first one stored is still valid */
    }
    enter_phase(upgrade, PHASE_VERIFYING);
    int error = installer_facts(&upgrade->installer, NULL, &facts);
    if (error != 0) {
        fail_with(upgrade, ERROR_INTERNAL,
                  "the installation is not started: the boot id cannot be read", error, false);
        return false;
    }
    upgrade_copy(upgrade, &next);
    next.phase = PHASE_INSTALLING;
    next.stamp = facts.stamp;
    memcpy(next.version, facts.version, sizeof next.version);
    error = upgrade_publish(upgrade, &next);
    if (error != 0) {
        char what[PENDING_TEXT_MAX];
        (void)snprintf(what, sizeof what,
                       "the installation is not started: %.1024s/" STATE_NAME " cannot be written",
                       upgrade->installer.conf->upgrade.directory);
        fail_with(upgrade, error == -ENOSPC ? ERROR_NO_SPACE : ERROR_INTERNAL, what, error, false);
    }
    return error == 0;
}

/* vsock_host-install wrote no record, so it did nothing. */
static void explain_silence(const struct helper_result *result, struct recover_decision *ret)
{
    bool started = result->end != HELPER_REFUSED;
    *ret = (struct recover_decision){.action = RECOVER_FAILED,
                                     .code = ERROR_INSTALL_FAILED,
                                     .outcome_unknown =
                                         result->end == HELPER_TIMEOUT || result->outcome_unknown};
    (void)snprintf(ret->text, sizeof ret->text, "%s%.1400s",
                   started ? "vsock_host-install left no record: " : "", result->how);
}

/* What to do once no installation runs; RECOVER_KEEP: nothing, the daemon stops or the end is
 * published. */
static enum recover_action await_installer(struct upgrade *upgrade, struct recover_decision *ret)
{
    struct recover_facts facts;
    int error = installer_wait(&upgrade->installer, &upgrade->current->state);
    if (error == -EBUSY) {
        upgrade_publish_failure(upgrade, ERROR_BUSY,
                                "another installation runs, or has left a process that holds its "
                                "lock; the image is kept",
                                true);
    }
    if (error == -ETIMEDOUT) {
        upgrade_publish_failure(upgrade, ERROR_INSTALL_FAILED,
                                "an installer still runs after its time limit", true);
    }
    if (error != 0) {
        return RECOVER_KEEP;
    }
    error = installer_facts(&upgrade->installer, NULL, &facts);
    if (error != 0) {
        fail_with(upgrade, ERROR_INTERNAL,
                  "outcome of the installation unknown: the boot id cannot be read", error, true);
        return RECOVER_KEEP;
    }
    recover_decide(&upgrade->current->state, &facts, ret);
    return ret->action;
}

/* The record decides, not how the program ended or that it was refused: another one may run. */
static enum recover_action install_image(struct upgrade *upgrade)
{
    struct helper_result result;
    struct recover_decision decision;
    if (!enter_installing(upgrade)) {
        return RECOVER_KEEP;
    }
    installer_run(&upgrade->installer, upgrade->current->state.sha256, on_line, upgrade, &result);
    if (result.end == HELPER_LEFT || await_installer(upgrade, &decision) == RECOVER_KEEP) {
        return RECOVER_KEEP;
    }
    if (decision.action == RECOVER_RUN) {
        explain_silence(&result, &decision);
    }
    return upgrade_apply(upgrade, &decision);
}

static void await_reboot(struct upgrade *upgrade)
{
    int64_t ahead = (int64_t)upgrade->current->state.reboot_at - (int64_t)time(NULL);
    ahead = ahead < 0 ? 0 : ahead > REBOOT_WAIT_MAX_SECONDS ? REBOOT_WAIT_MAX_SECONDS : ahead;
    int64_t deadline_ms = clock_deadline(ahead * 1000 + upgrade->reboot_grace_ms);
    watchdog_idle();
    lock_take(&upgrade->lock);
    while (!upgrade->stopping && clock_ms() < deadline_ms) {
        signal_wait_until(&upgrade->changed, &upgrade->lock, deadline_ms);
    }
    bool stopping = upgrade->stopping;
    lock_give(&upgrade->lock);
    watchdog_expect("the end of an upgrade", WATCHDOG_DISK_MS);
    if (!stopping) {
        upgrade_publish_failure(upgrade, ERROR_REBOOT_FAILED,
                                "the image is installed, but the scheduled reboot did not come",
                                false);
    }
}

/* From `action` to the end of the current upgrade, or until the daemon stops. */
static void run_upgrade(struct upgrade *upgrade, enum recover_action action)
{
    struct recover_decision decision;
    unsigned runs = 0;
    while (action != RECOVER_KEEP) {
        switch (action) {
        case RECOVER_RUN:
            action = fetch_image(upgrade) ? RECOVER_INSTALL : RECOVER_KEEP;
            break;
        case RECOVER_WAIT:
            action = await_installer(upgrade, &decision) == RECOVER_KEEP
                         ? RECOVER_KEEP
                         : upgrade_apply(upgrade, &decision);
            break;
        case RECOVER_INSTALL:
            if (runs++ == INSTALL_RUNS_MAX) {
                upgrade_publish_failure(
                    upgrade, ERROR_REBOOT_FAILED,
                    "the image is installed, but vsock_host-install does not request the reboot",
                    false);
                return;
            }
            action = install_image(upgrade);
            break;
        case RECOVER_REBOOTING:
            await_reboot(upgrade);
            return;
        case RECOVER_KEEP:
        case RECOVER_UPGRADED:
        case RECOVER_FAILED:
            return;
        }
    }
}

/* A clean stop does not count as a start that found the upgrade unfinished. */
static void reset_starts(struct upgrade *upgrade)
{
    struct state state;
    if (upgrade->current == NULL || !phase_resumable(upgrade->current->state.phase)) {
        return;
    }
    upgrade_copy(upgrade, &state);
    state.starts = 0;
    int error = state_write(&state, upgrade->directory_fd, STATE_NAME);
    if (error != 0) {
        log_warning("%s/%s cannot be written: %s", upgrade->installer.conf->upgrade.directory,
                    STATE_NAME, strerror(-error));
    }
}

void *upgrade_thread_run(void *context)
{
    struct upgrade *upgrade = context;
    (void)pthread_setname_np(pthread_self(), "job"); /* only a name */
    watchdog_enter("job", 0);
    watchdog_expect("resuming an upgrade", WATCHDOG_DISK_MS);
    run_upgrade(upgrade, upgrade->first);
    while (upgrade_queue_take(upgrade)) {
        progress_init(&upgrade->progress, 0, 0, clock_ms());
        run_upgrade(upgrade, RECOVER_RUN);
    }
    reset_starts(upgrade);
    watchdog_leave();
    return NULL;
}
