/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/log/log.h"
#include "host/upgrade/job_inner.h"
#include "host/upgrade/phase.h"
#include "host/upgrade/status_line.h"
#include "host/watch/watch.h"

void job_queue_forget(struct job *job, const uint8_t sha256[SHA256_SIZE])
{
    char name[STATE_QUEUED_NAME_SIZE];
    state_queued_name(sha256, name);
    if (unlinkat(job->directory_fd, name, 0) != 0 && errno != ENOENT) {
        log_warning("%s/%s cannot be removed: %s", atomic_load(&job->next)->upgrade.directory, name,
                    strerror(errno));
    }
}

bool job_queue_take(struct job *job)
{
    struct job_ticket *last = NULL;
    watch_idle();
    lock_take(&job->lock);
    while (!job->stopping && (job->queue == NULL || !job->queue->recorded)) {
        signal_wait(&job->news, &job->lock);
    }
    bool taken = !job->stopping;
    if (taken) {
        last = job->present;
        job->present = job->queue;
        job->queue = job->queue->next;
    }
    lock_give(&job->lock);
    job->conf = atomic_load(&job->next);
    watch_step("beginning an upgrade", WATCH_DISK_MS);
    job_ticket_drop(last);
    return taken;
}

static struct job_ticket *take_all(struct job *job)
{
    lock_take(&job->lock);
    struct job_ticket *all = job->queue;
    job->queue = NULL;
    lock_give(&job->lock);
    return all;
}

static void end_one(struct job_ticket *ticket, const char *text)
{
    struct job *job = ticket->job;
    job_queue_forget(job, ticket->state.sha256); /* first: it must not begin after the reboot */
    lock_take(&job->lock);
    ticket->state.code = ERROR_BUSY;
    (void)snprintf(ticket->state.detail, sizeof(ticket->state.detail), "%s", text);
    job_set_phase_locked(job, ticket, PHASE_FAILED);
    struct state ended = ticket->state;
    lock_give(&job->lock);
    job_queue_forget(job, ended.sha256); /* again: it may have been about to be recorded */
    job_log_phase(&ended, &job->progress);
    job_ticket_drop(ticket);
}

void job_queue_end(struct job *job)
{
    char hash[SHORT_HASH_SIZE];
    char text[JOB_TEXT_MAX];
    short_hash(job->present->state.sha256, hash);
    (void)snprintf(text, sizeof(text),
                   job->present->state.phase == PHASE_UPGRADED
                       ? "the machine was rebooted into upgrade %s; ask again"
                       : "the reboot into upgrade %s is pending; ask again after it",
                   hash);
    struct job_ticket *ticket = take_all(job);
    bool any = ticket != NULL;
    while (ticket != NULL) {
        struct job_ticket *next = ticket->next;
        end_one(ticket, text);
        ticket = next;
    }
    if (any && job->running) {
        job->bell.rang(job->bell.context);
    }
}

static int by_age(const void *a, const void *b)
{
    return state_compare_age(&(*(struct job_ticket *const *)a)->state,
                             &(*(struct job_ticket *const *)b)->state);
}

/* *ret NULL: damaged, or of no use any more, and its file is removed. */
static int restore_one(struct job *job, const uint8_t sha256[SHA256_SIZE], struct job_ticket **ret)
{
    char name[STATE_QUEUED_NAME_SIZE];
    struct state state;
    state_queued_name(sha256, name);
    int error = state_read(job->directory_fd, name, &state);
    *ret = NULL;
    if (error == -EBADMSG) {
        job_set_aside(job, name, QUEUED_BAD_NAME, "the upgrade that waited");
        return 0;
    }
    if (error != 0) {
        return error;
    }
    job->requests = state.request > job->requests ? state.request : job->requests;
    if (!state_waits(&state, sha256) ||
        (job->present != NULL && state_is_stale(&state, &job->present->state))) {
        log_notice("the upgrade that waits in %s/%s is dropped: it is of no use any more",
                   job->conf->upgrade.directory, name);
        job_queue_forget(job, sha256);
        return 0;
    }
    *ret = job_ticket_new(job, &state);
    if (*ret == NULL) {
        return -ENOMEM;
    }
    (*ret)->recorded = true;
    return 0;
}

static void link_all(struct job *job, struct job_ticket **tickets, size_t count)
{
    qsort(tickets, count, sizeof(struct job_ticket *), by_age);
    struct job_ticket **end = &job->queue;
    for (size_t i = 0; i < count; i++) {
        *end = tickets[i];
        end = &tickets[i]->next;
    }
}

int job_queue_restore(struct job *job, char problem[CONF_PROBLEM_MAX])
{
    uint8_t hashes[STATE_QUEUE_MAX][SHA256_SIZE];
    struct job_ticket *tickets[STATE_QUEUE_MAX];
    char name[STATE_QUEUED_NAME_SIZE] = ".";
    size_t found = 0;
    size_t count = 0;
    job->requests = job->present != NULL ? job->present->state.request : 0;
    int error = state_queued_restore(job->directory_fd, hashes, STATE_QUEUE_MAX, &found);
    for (size_t i = 0; i < found && error == 0; i++) {
        state_queued_name(hashes[i], name);
        error = restore_one(job, hashes[i], &tickets[count]);
        count += error == 0 && tickets[count] != NULL ? 1 : 0;
    }
    link_all(job, tickets, count);
    if (error != 0) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "%s/%s cannot be read: %s",
                       job->conf->upgrade.directory, name, strerror(-error));
    }
    return error;
}
