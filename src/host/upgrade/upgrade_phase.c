/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "host/log.h"
#include "host/message_id.h"
#include "host/systemd/notify.h"
#include "host/upgrade/phase.h"
#include "host/upgrade/status_line.h"
#include "host/upgrade/upgrade_internal.h"
#include "host/watchdog.h"
#include "wire/clock.h"

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
    struct job_view view;
    job_view_state(state, &view);
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
    (void)snprintf(done, sizeof(done), "%" PRIu64, state->done);
    (void)snprintf(total, sizeof(total), "%" PRIu64, state->total);
    (void)snprintf(rate, sizeof(rate), "%" PRIu64, progress->rate);
    (void)snprintf(left, sizeof(left), "%" PRIu64, progress_left(progress));
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
    log_event(priority, message_id, fields, sizeof(fields) / sizeof(fields[0]), "%s", line);
}

void job_log_phase(const struct state *state, const struct progress *progress)
{
    log_state(phase_events[state->phase].priority, phase_events[state->phase].message_id, state,
              progress);
}

static void ring(struct job *job)
{
    if (job->running) { /* before that nobody listens */
        job->bell.rang(job->bell.context);
    }
}

void job_set_phase_locked(struct job *job, struct job_ticket *ticket, enum phase to)
{
    assert(phase_may_follow(ticket->state.phase, to));
    ticket->state.phase = to;
    ticket->state.changed = (uint64_t)time(NULL);
    ticket->revision = ++job->revision;
}

void job_copy(struct job *job, struct state *ret)
{
    lock_take(&job->lock);
    *ret = job->present->state;
    lock_give(&job->lock);
}

/* All but the urls, to which others may have added. */
static void publish(struct job *job, const struct state *next)
{
    lock_take(&job->lock);
    struct job_ticket *present = job->present;
    memcpy(&present->state, next, offsetof(struct state, url_count));
    present->revision = ++job->revision;
    lock_give(&job->lock);
}

static void show(struct job *job, const struct state *state)
{
    char line[STATUS_LINE_MAX];
    format_line(state, &job->progress, line);
    service_status(line);
}

void job_show(struct job *job)
{
    const struct progress nothing = {.rate = PROGRESS_UNKNOWN};
    char line[STATUS_LINE_MAX];
    struct state state;
    lock_take(&job->lock);
    bool shown = job->present != NULL && (!phase_ended(job->present->state.phase) ||
                                          job->present->state.phase == PHASE_REBOOTING);
    if (shown) {
        state = job->present->state;
    }
    lock_give(&job->lock);
    if (shown) {
        format_line(&state, &nothing, line);
        service_status(line);
    }
}

static int record(struct job *job, const struct state *state)
{
    watch_step("recording the state of an upgrade", WATCH_DISK_MS);
    int error = state_write(state, job->directory_fd, STATE_NAME);
    job->recorded_urls = state->url_count; /* after a failure: the next phase writes them */
    if (error != 0) {
        log_error("the state of the upgrade cannot be written to %s/%s: %s",
                  job->conf->upgrade.directory, STATE_NAME, strerror(-error));
    }
    return error;
}

int job_tell(struct job *job, struct state *next)
{
    assert(phase_may_follow(job->present->state.phase, next->phase));
    next->done = job->progress.done;
    next->total = job->progress.total;
    next->changed = (uint64_t)time(NULL);
    memcpy(next->boot_id, job->boot_id, sizeof(next->boot_id));
    int error = record(job, next);
    if (error != 0 && phase_needs_record(next->phase)) {
        return error;
    }
    if (!phase_ended(job->present->state.phase) && phase_ended(next->phase)) {
        job_queue_forget(job, next->sha256); /* while whoever asks for the same joins this one */
    }
    publish(job, next);
    progress_init(&job->progress, next->done, next->total, clock_ms());
    job->logged_ms = clock_ms();
    show(job, next);
    job_log_phase(next, &job->progress);
    ring(job); /* last: who waits may find all of it */
    return error;
}

static void tell_failure(struct job *job, enum error_code code, const char *text, bool unseen)
{
    struct state next;
    job_copy(job, &next);
    next.phase = PHASE_FAILED;
    next.code = code;
    next.unseen = unseen ? 1 : 0;
    (void)snprintf(next.detail, sizeof(next.detail), "%s", text);
    (void)job_tell(job, &next); /* logged; the guest is told in any case */
}

void job_tell_failure(struct job *job, enum error_code code, const char *text)
{
    tell_failure(job, code, text, false);
}

void job_tell_unseen(struct job *job, enum error_code code, const char *text)
{
    tell_failure(job, code, text, true);
}

/* True: the total was not known before. */
static bool take_numbers(const struct job *job, struct state *next)
{
    bool total_new = next->total == 0 && job->progress.total != 0;
    next->done = job->progress.done;
    next->total = job->progress.total;
    next->changed = (uint64_t)time(NULL);
    return total_new;
}

void job_tell_progress(struct job *job, uint64_t done, uint64_t total)
{
    struct state next;
    uint64_t rate = job->progress.rate;
    bool news = progress_take(&job->progress, done, total, clock_ms());
    if (!news && job->progress.rate == rate) {
        return;
    }
    job_copy(job, &next);
    if (!news) { /* a stall: only the rate, which nobody is sent, falls */
        show(job, &next);
        return;
    }
    if (job->progress.done > next.done) {
        next.detail[0] = '\0'; /* of a try that failed: bytes arrive again */
    }
    bool total_new = take_numbers(job, &next);
    if (total_new || next.url_count != job->recorded_urls) {
        (void)record(job, &next); /* for --status, which finds how far it is by the file's length */
    }
    publish(job, &next);
    show(job, &next);
    if (clock_ms() - job->logged_ms >= LOG_INTERVAL_MS) {
        job->logged_ms = clock_ms();
        log_state(PRIORITY_INFO, MESSAGE_ID_UPGRADE_PROGRESS, &next, &job->progress);
    }
    ring(job);
}

void job_tell_retry(struct job *job, const char *public_text, const char *journal_text)
{
    struct state next;
    char hex[SHA256_HEX + 1];
    job_copy(job, &next);
    (void)take_numbers(job, &next); /* a new total was told at once */
    (void)snprintf(next.detail, sizeof(next.detail), "%s", public_text);
    if (next.url_count != job->recorded_urls) {
        (void)record(job, &next);
    }
    publish(job, &next);
    show(job, &next);
    sha256_format(next.sha256, hex);
    const struct log_field fields[] = {{"VSOCK_UPGRADE_SHA256", hex}};
    log_event(PRIORITY_WARNING, MESSAGE_ID_UPGRADE_RETRY, fields, 1, "%s", journal_text);
    ring(job);
}
