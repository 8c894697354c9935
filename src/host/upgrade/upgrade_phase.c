/* SPDX-License-Identifier: Apache-2.0 */
#include "host/log.h"
#include "host/message_id.h"
#include "host/systemd/notify.h"
#include "host/upgrade/phase.h"
#include "host/upgrade/upgrade_internal.h"
#include "host/watchdog.h"
#include "wire/clock.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { LOG_INTERVAL_MS = 10 * 1000 /* between two lines of progress in the journal */ };

static void look(const struct pending *pending, struct pending_view *ret)
{
    const struct upgrade_pending *own = (const struct upgrade_pending *)pending;
    lock_take(&own->upgrade->lock);
    state_view(&own->state, ret);
    ret->revision = own->revision;
    lock_give(&own->upgrade->lock);
}

/* Both counts change at once: upgrade_free checks `watchers` and frees what they point to. */
static void drop_reference(struct upgrade_pending *pending, bool of_guest)
{
    struct upgrade *upgrade = pending->upgrade;
    lock_take(&upgrade->lock);
    upgrade->watchers -= of_guest ? 1 : 0;
    bool last = --pending->references == 0;
    lock_give(&upgrade->lock);
    if (last) {
        free(pending);
    }
}

static void unref(struct pending *pending)
{
    drop_reference((struct upgrade_pending *)pending, true);
}

void upgrade_pending_drop(struct upgrade_pending *pending)
{
    if (pending != NULL) {
        drop_reference(pending, false);
    }
}

struct upgrade_pending *upgrade_pending_new(struct upgrade *upgrade, const struct state *state)
{
    static const struct pending_kind kind = {.look = look, .unref = unref, .outlives = true};
    struct upgrade_pending *pending = calloc(1, sizeof *pending);
    if (pending != NULL) {
        pending->pending = (struct pending){.kind = &kind, .command = COMMAND_UPGRADE};
        pending->upgrade = upgrade;
        pending->references = 1;
        pending->state = *state;
    }
    return pending;
}

static void format_line(const struct state *state, const struct progress *progress,
                        char out[STATUS_LINE_MAX])
{
    const struct upgrade_status status = state_status(state);
    status_line_format(&status, progress->rate, progress_left(progress), out);
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
    static const struct {
        enum log_priority priority;
        const char *message_id;
    } events[PHASE_LAST + 1] = {
        [PHASE_IDLE] = {PRIORITY_INFO, MESSAGE_ID_UPGRADE_PHASE},
        [PHASE_QUEUED] = {PRIORITY_INFO, MESSAGE_ID_UPGRADE_PHASE},
        [PHASE_DOWNLOADING] = {PRIORITY_INFO, MESSAGE_ID_UPGRADE_PHASE},
        [PHASE_VERIFYING] = {PRIORITY_INFO, MESSAGE_ID_UPGRADE_PHASE},
        [PHASE_INSTALLING] = {PRIORITY_NOTICE, MESSAGE_ID_UPGRADE_PHASE},
        [PHASE_REBOOTING] = {PRIORITY_NOTICE, MESSAGE_ID_UPGRADE_PHASE},
        [PHASE_FAILED] = {PRIORITY_ERROR, MESSAGE_ID_UPGRADE_FAILED},
        [PHASE_UPGRADED] = {PRIORITY_NOTICE, MESSAGE_ID_UPGRADE_DONE},
    };
    log_state(events[state->phase].priority, events[state->phase].message_id, state, progress);
}

void upgrade_notify_status(const struct state *state, const struct progress *progress)
{
    char line[STATUS_LINE_MAX];
    format_line(state, progress, line);
    notify_status(line);
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

/* All but the urls: other threads may have added some. */
static void set_current(struct upgrade *upgrade, const struct state *next)
{
    lock_take(&upgrade->lock);
    memcpy(&upgrade->current->state, next, offsetof(struct state, url_count));
    upgrade->current->revision = ++upgrade->revision;
    lock_give(&upgrade->lock);
    upgrade_notify_status(next, &upgrade->progress);
}

static void notify_guests(struct upgrade *upgrade)
{
    if (upgrade->running) { /* before that there are none */
        upgrade->wakeup.notify(upgrade->wakeup.context);
    }
}

static int write_current(struct upgrade *upgrade, const struct state *state)
{
    watchdog_expect("recording the state of an upgrade", WATCHDOG_DISK_MS);
    int error = state_write(state, upgrade->directory_fd, STATE_NAME);
    upgrade->recorded_urls = state->url_count; /* after an error: the next phase writes them */
    if (error != 0 && !phase_needs_record(state->phase)) { /* else the upgrade fails with it */
        log_error("%s/%s cannot be written: %s", upgrade->installer.conf->upgrade.directory,
                  STATE_NAME, strerror(-error));
    }
    return error;
}

void upgrade_forget_queued(struct upgrade *upgrade, const uint8_t sha256[SHA256_SIZE])
{
    char name[STATE_QUEUED_NAME_SIZE];
    int error = state_queued_remove(upgrade->directory_fd, sha256);
    if (error != 0) {
        state_queued_name(sha256, name);
        log_warning("%s/%s cannot be removed: %s", atomic_load(&upgrade->next)->upgrade.directory,
                    name, strerror(-error));
    }
}

/* True: the total was not known before. */
static bool set_numbers(const struct upgrade *upgrade, struct state *next)
{
    bool total_new = next->total == 0 && upgrade->progress.total != 0;
    next->done = upgrade->progress.done;
    next->total = upgrade->progress.total;
    next->changed = (uint64_t)time(NULL);
    return total_new;
}

int upgrade_publish(struct upgrade *upgrade, struct state *next)
{
    assert(phase_may_follow(upgrade->current->state.phase, next->phase));
    (void)set_numbers(upgrade, next); /* it is written in any case */
    memcpy(next->boot_id, upgrade->boot_id, sizeof next->boot_id);
    int error = write_current(upgrade, next);
    if (error != 0 && phase_needs_record(next->phase)) {
        return error;
    }
    if (!phase_ended(upgrade->current->state.phase) && phase_ended(next->phase)) {
        /* Now, while a request for the same image still joins this upgrade. */
        upgrade_forget_queued(upgrade, next->sha256);
    }
    progress_init(&upgrade->progress, next->done, next->total, clock_ms());
    set_current(upgrade, next);
    upgrade->logged_ms = clock_ms();
    upgrade_log_phase(next, &upgrade->progress);
    notify_guests(upgrade); /* last: when a guest has its answer all is logged */
    return error;
}

void upgrade_publish_failure(struct upgrade *upgrade, enum error_code code, const char *text,
                             bool outcome_unknown)
{
    struct state next;
    upgrade_copy(upgrade, &next);
    next.phase = PHASE_FAILED;
    next.code = code;
    next.outcome_unknown = outcome_unknown ? 1 : 0;
    (void)snprintf(next.detail, sizeof next.detail, "%s", text);
    (void)upgrade_publish(upgrade, &next); /* logged; the guest gets its answer in any case */
}

void upgrade_publish_progress(struct upgrade *upgrade, uint64_t done, uint64_t total)
{
    struct state next;
    uint64_t rate = upgrade->progress.rate;
    bool due = progress_update(&upgrade->progress, done, total, clock_ms());
    if (!due && upgrade->progress.rate == rate) {
        return;
    }
    upgrade_copy(upgrade, &next);
    if (!due) { /* a stall: only the rate falls, which guests are not sent */
        upgrade_notify_status(&next, &upgrade->progress);
        return;
    }
    if (upgrade->progress.done > next.done) {
        next.detail[0] = '\0'; /* of a try that failed: bytes arrive again */
    }
    bool total_new = set_numbers(upgrade, &next);
    if (total_new || next.url_count != upgrade->recorded_urls) {
        (void)write_current(upgrade,
                            &next); /* for --status; `done` it reads from the partial file */
    }
    set_current(upgrade, &next);
    if (clock_ms() - upgrade->logged_ms >= LOG_INTERVAL_MS) {
        upgrade->logged_ms = clock_ms();
        log_state(PRIORITY_INFO, MESSAGE_ID_UPGRADE_PROGRESS, &next, &upgrade->progress);
    }
    notify_guests(upgrade);
}

void upgrade_publish_retry(struct upgrade *upgrade, const char *public_text,
                           const char *journal_text)
{
    struct state next;
    char hex[SHA256_HEX + 1];
    upgrade_copy(upgrade, &next);
    (void)set_numbers(upgrade, &next); /* a new total was reported at once */
    (void)snprintf(next.detail, sizeof next.detail, "%s", public_text);
    if (next.url_count != upgrade->recorded_urls) {
        (void)write_current(upgrade, &next); /* logged */
    }
    set_current(upgrade, &next);
    sha256_format(next.sha256, hex);
    const struct log_field fields[] = {{"VSOCK_UPGRADE_SHA256", hex}};
    log_event(PRIORITY_WARNING, MESSAGE_ID_UPGRADE_RETRY, fields, 1, "%s", journal_text);
    notify_guests(upgrade);
}
