/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/log.h"
#include "host/upgrade/phase.h"
#include "host/upgrade/status_line.h"
#include "host/upgrade/upgrade_internal.h"
#include "host/watchdog.h"

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

static enum error_code refuse(enum error_code code, char why[JOB_TEXT_MAX], const char *format, ...)
    PRINTF_LIKE(3, 4);

static enum error_code refuse(enum error_code code, char why[JOB_TEXT_MAX], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why, JOB_TEXT_MAX, format, arguments);
    va_end(arguments);
    return code;
}

static enum error_code take_url(struct job *job, struct text url, struct state *state,
                                char why[JOB_TEXT_MAX])
{
    if (url.length == 0 || url.length > URL_MAX) {
        return refuse(ERROR_INVALID_ARGUMENT, why, "the url has %zu bytes; 1 to %d are allowed",
                      url.length, URL_MAX);
    }
    memcpy(state->urls[0], url.bytes, url.length);
    state->urls[0][url.length] = '\0';
    state->url_count = 1;
    const struct conf *conf = atomic_load(&job->next);
    const struct url_policy policy = {
        .schemes = conf->upgrade.schemes.items,
        .allowed_prefixes = conf->upgrade.allowed_prefixes.items,
    };
    int error = url_policy_judge(&policy, state->urls[0], why, JOB_TEXT_MAX);
    if (error == -ENOMEM) {
        return ERROR_INTERNAL; /* asked again, it may be taken */
    }
    return error != 0 ? ERROR_INVALID_ARGUMENT : ERROR_NONE;
}

static bool is_active(const struct job_ticket *ticket)
{
    return ticket != NULL && !phase_ended(ticket->state.phase);
}

static bool is_rebooting(const struct job_ticket *ticket)
{
    return ticket != NULL && ticket->state.phase == PHASE_REBOOTING;
}

static bool same_hash(const struct job_ticket *ticket, const struct job_ticket *other)
{
    return memcmp(ticket->state.sha256, other->state.sha256, SHA256_SIZE) == 0;
}

/* The upgrade to the same image that runs, waits, or has the reboot pending. */
static struct job_ticket *find_locked(struct job *job, const struct job_ticket *fresh)
    REQUIRES_LOCK(job->lock)
{
    struct job_ticket *present = job->present;
    if ((is_active(present) || is_rebooting(present)) && same_hash(present, fresh)) {
        return present;
    }
    struct job_ticket *waiting = job->queue;
    while (waiting != NULL && !same_hash(waiting, fresh)) {
        waiting = waiting->next;
    }
    return waiting;
}

static enum error_code append_locked(struct job *job, struct job_ticket *fresh,
                                     char why[JOB_TEXT_MAX]) REQUIRES_LOCK(job->lock)
{
    char hash[SHORT_HASH_SIZE];
    if (is_rebooting(job->present)) {
        short_hash(job->present->state.sha256, hash);
        return refuse(ERROR_BUSY, why, "the reboot into upgrade %s is pending; ask again after it",
                      hash);
    }
    unsigned waiting = 0;
    struct job_ticket **end = &job->queue;
    for (; *end != NULL; end = &(*end)->next) {
        waiting++;
    }
    unsigned running = is_active(job->present) ? 1 : 0;
    if (running + waiting > atomic_load(&job->next)->upgrade.queue) {
        const struct job_ticket *first = running != 0 ? job->present : job->queue;
        short_hash(first->state.sha256, hash);
        return refuse(ERROR_BUSY, why,
                      "upgrade %s is %s, and as many wait behind it as may ([upgrade] queue = %u); "
                      "ask again later",
                      hash, phase_name(first->state.phase), atomic_load(&job->next)->upgrade.queue);
    }
    fresh->references++;
    fresh->state.request = ++job->requests;
    *end = fresh;
    job_set_phase_locked(job, fresh, PHASE_QUEUED);
    return ERROR_NONE;
}

/* *ret: a ticket of an upgrade that is there already, or `fresh` itself. */
static enum error_code place_locked(struct job *job, struct job_ticket *fresh,
                                    struct job_ticket **ret, char why[JOB_TEXT_MAX])
    REQUIRES_LOCK(job->lock)
{
    if (job->stopping) {
        return refuse(ERROR_SHUTTING_DOWN, why, "the host is stopping; ask again");
    }
    if (job->watchers >= atomic_load(&job->next)->upgrade.watchers) {
        return refuse(ERROR_BUSY, why,
                      "%u requests wait for upgrades, as many as may ([upgrade] watchers = %u)",
                      job->watchers, atomic_load(&job->next)->upgrade.watchers);
    }
    struct job_ticket *ticket = find_locked(job, fresh);
    enum error_code code = ERROR_NONE;
    if (ticket != NULL) {
        (void)state_add_url(&ticket->state, fresh->state.urls[0]); /* full or known: no matter */
    } else {
        code = append_locked(job, fresh, why);
        ticket = fresh;
    }
    if (code == ERROR_NONE) {
        ticket->references++;
        job->watchers++;
        *ret = ticket;
    }
    return code;
}

static struct job_ticket **find_link_locked(struct job *job, const struct job_ticket *ticket)
    REQUIRES_LOCK(job->lock)
{
    struct job_ticket **link = &job->queue;
    while (*link != NULL && *link != ticket) {
        link = &(*link)->next;
    }
    return link;
}

/* It cannot be remembered, so it is not begun. */
static void withdraw_locked(struct job *job, struct job_ticket **link, int error)
    REQUIRES_LOCK(job->lock)
{
    struct job_ticket *ticket = *link;
    *link = ticket->next;
    ticket->references--; /* the queue's; the caller has another */
    ticket->state.code = error == -ENOSPC ? ERROR_NO_SPACE : ERROR_INTERNAL;
    (void)snprintf(ticket->state.detail, sizeof(ticket->state.detail),
                   "the request cannot be recorded: %s", strerror(-error));
    job_set_phase_locked(job, ticket, PHASE_FAILED);
}

/* Takes the result of the recording. False: the upgrade is no longer in the queue, because a reboot
 * became pending meanwhile: job_queue_end ends it and tells. */
static bool take_result(struct job *job, struct job_ticket *ticket, int error, struct state *ret)
{
    lock_take(&job->lock);
    struct job_ticket **link = find_link_locked(job, ticket);
    bool waits = *link != NULL;
    if (waits && error != 0) {
        withdraw_locked(job, link, error);
    }
    *ret = ticket->state;
    lock_give(&job->lock);
    return waits;
}

/* Lets the job thread begin it. */
static void release(struct job *job, struct job_ticket *ticket)
{
    lock_take(&job->lock);
    ticket->recorded = true;
    int error = pthread_cond_broadcast(&job->news);
    lock_give(&job->lock);
    assert(error == 0);
    (void)error; /* NDEBUG */
}

/* Writes the queue's file, then lets the job thread begin. Whoever joins in between finds the
 * upgrade in the queue, and shares its end. */
static void record(struct job *job, struct job_ticket *ticket)
{
    char name[STATE_QUEUED_NAME_SIZE];
    const struct progress nothing = {.rate = PROGRESS_UNKNOWN};
    struct state state;
    lock_take(&job->lock);
    state = ticket->state;
    lock_give(&job->lock);
    state_queued_name(state.sha256, name);
    watch_step("recording an upgrade", WATCH_DISK_MS);
    int error = state_write(&state, job->directory_fd, name);
    if (error != 0) {
        job_queue_forget(job, state.sha256); /* while nobody else can be writing it */
    }
    if (!take_result(job, ticket, error, &state)) {
        job_queue_forget(job, state.sha256); /* it may have been written after the queue's end */
        return;
    }
    job_log_phase(&state, &nothing);
    release(job, ticket);
    if (error != 0) {
        job->bell.rang(job->bell.context);
    }
}

enum error_code job_submit(struct job *job, const struct request *request, struct job_ticket **ret,
                           char why[JOB_TEXT_MAX])
{
    struct state state = {.phase = PHASE_IDLE};
    memcpy(state.sha256, request->sha256, SHA256_SIZE);
    memcpy(state.boot_id, job->boot_id, sizeof(state.boot_id));
    enum error_code code = take_url(job, request->url, &state, why);
    if (code != ERROR_NONE) {
        return code;
    }
    struct job_ticket *fresh = job_ticket_new(job, &state);
    if (fresh == NULL) {
        return refuse(ERROR_INTERNAL, why, "the host is out of memory");
    }
    struct job_ticket *ticket = NULL;
    lock_take(&job->lock);
    code = place_locked(job, fresh, &ticket, why);
    lock_give(&job->lock);
    if (code == ERROR_NONE && ticket == fresh) {
        record(job, fresh);
    }
    job_ticket_drop(fresh);
    if (code == ERROR_NONE) {
        *ret = ticket;
    }
    return code;
}
