/* SPDX-License-Identifier: Apache-2.0 */
#include "host/log.h"
#include "host/message_id.h"
#include "host/systemd/notify.h"
#include "host/upgrade/phase.h"
#include "host/upgrade/status_line.h"
#include "host/upgrade/upgrade_internal.h"
#include "host/watchdog.h"
#include "wire/clock.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum { LOG_INTERVAL_MS = 10 * 1000 /* between two lines of progress in the journal */ };

/* How each phase is entered into the journal. */
static const struct {
    enum log_priority priority;
    const char *message_id;
} phase_events[PHASE_LAST + 1] = {
    [PHASE_IDLE] = {PRIORITY_INFO, MESSAGE_ID_UPGRADE_PHASE},
    [PHASE_QUEUED] = {PRIORITY_INFO, MESSAGE_ID_UPGRADE_PHASE},
    [PHASE_DOWNLOADING] = {PRIORITY_INFO, MESSAGE_ID_UPGRADE_PHASE},
    [PHASE_VERIFYING] = {PRIORITY_INFO, MESSAGE_ID_UPGRADE_PHASE},
    [PHASE_INSTALLING] = {PRIORITY_NOTICE, MESSAGE_ID_UPGRADE_PHASE},
    [PHASE_REBOOTING] = {PRIORITY_NOTICE, MESSAGE_ID_UPGRADE_PHASE},
    [PHASE_FAILED] = {PRIORITY_ERROR, MESSAGE_ID_UPGRADE_FAILED},
    [PHASE_UPGRADED] = {PRIORITY_NOTICE, MESSAGE_ID_UPGRADE_DONE},
};

static void format_line(const struct state *state, const struct progress *progress,
                        char out[STATUS_LINE_MAX])
{
    struct upgrade_view view;
    upgrade_view_state(state, &view);
    status_line_format(&view.status, progress->rate, progress_left(progress), out);
}

static void log_state(enum log_priority priority, const char *message_id, const struct state *state,
                      const struct progress *progress)
{
    enum { NUMBER_SIZE = 24 };
    char line[STATUS_LINE_MAX];
    char hex[SHA256_HEX + 1];
    char done[NUMBER_SIZE];
    char total[NUMBER_SIZE];
    char rate[NUMBER_SIZE];
    char left[NUMBER_SIZE];
    format_line(state, progress, line);
    sha256_format(state->sha256, hex);
    (void)snprintf(done, sizeof done, "%" PRIu64, state->done);
    (void)snprintf(total, sizeof total, "%" PRIu64, state->total);
    (void)snprintf(rate, sizeof rate, "%" PRIu64, progress->rate);
    (void)snprintf(left, sizeof left, "%" PRIu64, progress_left(progress));
    bool moving = state->phase == PHASE_DOWNLOADING;
    const struct log_field fields[] = {
        {"VSOCK_UPGRADE_PHASE", phase_name(state->phase)},
        {"VSOCK_UPGRADE_SHA256", hex},
        {"VSOCK_UPGRADE_DONE", done},
        {"VSOCK_UPGRADE_TOTAL", total},
        {"VSOCK_UPGRADE_RESULT", state->code != ERROR_NONE ? error_name(state->code) : NULL},
        {"VSOCK_UPGRADE_RATE", moving && progress->rate != PROGRESS_UNKNOWN ? rate : NULL},
        {"VSOCK_UPGRADE_SECONDS_LEFT",
         moving && progress_left(progress) != PROGRESS_UNKNOWN ? left : NULL},
    };
    log_event(priority, message_id, fields, sizeof fields / sizeof fields[0], "%s", line);
}

void upgrade_log_phase(const struct state *state, const struct progress *progress)
{
    log_state(phase_events[state->phase].priority, phase_events[state->phase].message_id, state,
              progress);
}

static void ring(struct upgrade *upgrade)
{
    if (upgrade->running) { /* before that nobody listens */
        upgrade->wakeup.notify(upgrade->wakeup.context);
    }
}

void upgrade_set_phase_locked(struct upgrade *upgrade, struct upgrade_pending *pending,
                              enum phase to)
{
    assert(phase_may_follow(pending->state.phase, to));
    pending->state.phase = to;
    pending->state.changed = (uint64_t)time(NULL);
    pending->revision = ++upgrade->revision;
}

void upgrade_copy(struct upgrade *upgrade, struct state *ret)
{
    lock_take(&upgrade->lock);
    *ret = upgrade->current->state;
    lock_give(&upgrade->lock);
}

/* All but the urls, to which others may have added. */
static void publish(struct upgrade *upgrade, const struct state *next)
{
    lock_take(&upgrade->lock);
    struct upgrade_pending *current = upgrade->current;
    memcpy(&current->state, next, offsetof(struct state, url_count));
    current->revision = ++upgrade->revision;
    lock_give(&upgrade->lock);
}

static void show(struct upgrade *upgrade, const struct state *state)
{
    char line[STATUS_LINE_MAX];
    format_line(state, &upgrade->progress, line);
    notify_status(line);
}

void upgrade_show(struct upgrade *upgrade)
{
    const struct progress nothing = {.rate = PROGRESS_UNKNOWN};
    char line[STATUS_LINE_MAX];
    struct state state;
    lock_take(&upgrade->lock);
    bool shown = upgrade->current != NULL && (!phase_ended(upgrade->current->state.phase) ||
                                              upgrade->current->state.phase == PHASE_REBOOTING);
    if (shown) {
        state = upgrade->current->state;
    }
    lock_give(&upgrade->lock);
    if (shown) {
        format_line(&state, &nothing, line);
        notify_status(line);
    }
}

static int record(struct upgrade *upgrade, const struct state *state)
{
    watchdog_expect("recording the state of an upgrade", WATCHDOG_DISK_MS);
    int error = state_write(state, upgrade->directory_fd, STATE_NAME);
    upgrade->recorded_urls = state->url_count; /* after a failure: the next phase writes them */
    if (error != 0) {
        log_error("the state of the upgrade cannot be written to %s/%s: %s",
                  upgrade->conf->upgrade.directory, STATE_NAME, strerror(-error));
    }
    return error;
}

int upgrade_publish(struct upgrade *upgrade, struct state *next)
{
    assert(phase_may_follow(upgrade->current->state.phase, next->phase));
    next->done = upgrade->progress.done;
    next->total = upgrade->progress.total;
    next->changed = (uint64_t)time(NULL);
    memcpy(next->boot_id, upgrade->boot_id, sizeof next->boot_id);
    int error = record(upgrade, next);
    if (error != 0 && phase_needs_record(next->phase)) {
        return error;
    }
    if (!phase_ended(upgrade->current->state.phase) && phase_ended(next->phase)) {
        upgrade_queue_forget(upgrade,
                             next->sha256); /* while whoever asks for the same joins this one */
    }
    publish(upgrade, next);
    progress_init(&upgrade->progress, next->done, next->total, clock_ms());
    upgrade->logged_ms = clock_ms();
    show(upgrade, next);
    upgrade_log_phase(next, &upgrade->progress);
    ring(upgrade); /* last: who waits may find all of it */
    return error;
}

static void tell_failure(struct upgrade *upgrade, enum error_code code, const char *text,
                         bool outcome_unknown)
{
    struct state next;
    upgrade_copy(upgrade, &next);
    next.phase = PHASE_FAILED;
    next.code = code;
    next.outcome_unknown = outcome_unknown ? 1 : 0;
    (void)snprintf(next.detail, sizeof next.detail, "%s", text);
    (void)upgrade_publish(upgrade, &next); /* logged; the guest is told in any case */
}

void upgrade_publish_failure(struct upgrade *upgrade, enum error_code code, const char *text)
{
    tell_failure(upgrade, code, text, false);
}

void upgrade_publish_unknown(struct upgrade *upgrade, enum error_code code, const char *text)
{
    tell_failure(upgrade, code, text, true);
}

/* True: the total was not known before. */
static bool take_numbers(const struct upgrade *upgrade, struct state *next)
{
    bool total_new = next->total == 0 && upgrade->progress.total != 0;
    next->done = upgrade->progress.done;
    next->total = upgrade->progress.total;
    next->changed = (uint64_t)time(NULL);
    return total_new;
}

void upgrade_publish_progress(struct upgrade *upgrade, uint64_t done, uint64_t total)
{
    struct state next;
    uint64_t rate = upgrade->progress.rate;
    bool changed = progress_take(&upgrade->progress, done, total, clock_ms());
    if (!changed && upgrade->progress.rate == rate) {
        return;
    }
    upgrade_copy(upgrade, &next);
    if (!changed) { /* a stall: only the rate, which nobody is sent, falls */
        show(upgrade, &next);
        return;
    }
    if (upgrade->progress.done > next.done) {
        next.detail[0] = '\0'; /* of a try that failed: bytes arrive again */
    }
    bool total_new = take_numbers(upgrade, &next);
    if (total_new || next.url_count != upgrade->recorded_urls) {
        (void)record(upgrade,
                     &next); /* for --status, which finds how far it is by the file's length */
    }
    publish(upgrade, &next);
    show(upgrade, &next);
    if (clock_ms() - upgrade->logged_ms >= LOG_INTERVAL_MS) {
        upgrade->logged_ms = clock_ms();
        log_state(PRIORITY_INFO, MESSAGE_ID_UPGRADE_PROGRESS, &next, &upgrade->progress);
    }
    ring(upgrade);
}

void upgrade_publish_retry(struct upgrade *upgrade, const char *public_text,
                           const char *journal_text)
{
    struct state next;
    char hex[SHA256_HEX + 1];
    upgrade_copy(upgrade, &next);
    (void)take_numbers(upgrade, &next); /* a new total was told at once */
    (void)snprintf(next.detail, sizeof next.detail, "%s", public_text);
    if (next.url_count != upgrade->recorded_urls) {
        (void)record(upgrade, &next);
    }
    publish(upgrade, &next);
    show(upgrade, &next);
    sha256_format(next.sha256, hex);
    const struct log_field fields[] = {{"VSOCK_UPGRADE_SHA256", hex}};
    log_event(PRIORITY_WARNING, MESSAGE_ID_UPGRADE_RETRY, fields, 1, "%s", journal_text);
    ring(upgrade);
}
