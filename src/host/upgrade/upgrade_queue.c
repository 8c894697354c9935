/* SPDX-License-Identifier: Apache-2.0 */
#include "host/log.h"
#include "host/upgrade/phase.h"
#include "host/upgrade/upgrade_internal.h"
#include "host/watchdog.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool upgrade_queue_take(struct upgrade *upgrade)
{
    struct upgrade_pending *last = NULL;
    watchdog_idle();
    lock_take(&upgrade->lock);
    while (!upgrade->stopping && (upgrade->queue == NULL || !upgrade->queue->recorded)) {
        signal_wait(&upgrade->changed, &upgrade->lock);
    }
    bool taken = !upgrade->stopping;
    if (taken) {
        last = upgrade->current;
        upgrade->current = upgrade->queue;
        upgrade->queue = upgrade->queue->next;
    }
    lock_give(&upgrade->lock);
    upgrade->installer.conf = atomic_load(&upgrade->next);
    watchdog_expect("starting an upgrade", WATCHDOG_DISK_MS);
    upgrade_pending_drop(last);
    return taken;
}

static void end_one(struct upgrade_pending *pending, const char *text)
{
    struct upgrade *upgrade = pending->upgrade;
    struct state ended;
    upgrade_forget_queued(upgrade,
                          pending->state.sha256); /* first: after a crash it must not start */
    lock_take(&upgrade->lock);
    pending->state.code = ERROR_BUSY;
    (void)snprintf(pending->state.detail, sizeof pending->state.detail, "%s", text);
    upgrade_set_phase_locked(upgrade, pending, PHASE_FAILED);
    ended = pending->state;
    lock_give(&upgrade->lock);
    upgrade_forget_queued(upgrade,
                          ended.sha256); /* again: record() may have written it meanwhile */
    upgrade_log_phase(&ended, &upgrade->progress);
    upgrade_pending_drop(pending);
}

void upgrade_queue_end(struct upgrade *upgrade)
{
    char hash[SHORT_HASH_SIZE];
    char text[PENDING_TEXT_MAX];
    short_hash(upgrade->current->state.sha256, hash);
    (void)snprintf(text, sizeof text,
                   upgrade->current->state.phase == PHASE_UPGRADED
                       ? "the machine was rebooted into upgrade %s; ask again"
                       : "the reboot into upgrade %s is pending; ask again after it",
                   hash);
    lock_take(&upgrade->lock);
    struct upgrade_pending *pending = upgrade->queue;
    upgrade->queue = NULL;
    lock_give(&upgrade->lock);
    bool any = pending != NULL;
    while (pending != NULL) {
        struct upgrade_pending *next = pending->next;
        end_one(pending, text);
        pending = next;
    }
    if (any && upgrade->running) {
        upgrade->wakeup.notify(upgrade->wakeup.context);
    }
}

void upgrade_set_aside(const struct upgrade *upgrade, const char *name, const char *aside,
                       const char *lost)
{
    const char *directory = upgrade->installer.conf->upgrade.directory;
    if (renameat(upgrade->directory_fd, name, upgrade->directory_fd, aside) != 0) {
        log_warning("%s/%s is damaged and cannot be renamed to %s: %s", directory, name, aside,
                    strerror(errno));
        return;
    }
    log_warning("%s/%s is damaged: it is set aside as %s, and %s is lost", directory, name, aside,
                lost);
}

static int compare_age(const void *a, const void *b)
{
    return state_compare_age(&(*(struct upgrade_pending *const *)a)->state,
                             &(*(struct upgrade_pending *const *)b)->state);
}

/* *ret NULL: damaged, or obsolete and removed. */
static int restore_one(struct upgrade *upgrade, const uint8_t sha256[SHA256_SIZE],
                       struct upgrade_pending **ret)
{
    char name[STATE_QUEUED_NAME_SIZE];
    struct state state;
    state_queued_name(sha256, name);
    int error = state_read(upgrade->directory_fd, name, &state);
    *ret = NULL;
    if (error == -EBADMSG) {
        upgrade_set_aside(upgrade, name, QUEUED_BAD_NAME, "the upgrade that was queued");
        return 0;
    }
    if (error != 0) {
        return error;
    }
    upgrade->requests = state.request > upgrade->requests ? state.request : upgrade->requests;
    if (!state_waits(&state, sha256) ||
        (upgrade->current != NULL && state_is_stale(&state, &upgrade->current->state))) {
        log_notice("%s/%s is removed: that request is obsolete",
                   upgrade->installer.conf->upgrade.directory, name);
        upgrade_forget_queued(upgrade, sha256);
        return 0;
    }
    *ret = upgrade_pending_new(upgrade, &state);
    if (*ret == NULL) {
        return -ENOMEM;
    }
    (*ret)->recorded = true;
    return 0;
}

int upgrade_queue_restore(struct upgrade *upgrade, char problem[CONF_PROBLEM_MAX])
{
    uint8_t hashes[STATE_QUEUE_MAX][SHA256_SIZE];
    struct upgrade_pending *pendings[STATE_QUEUE_MAX];
    char name[STATE_QUEUED_NAME_SIZE] = ".";
    size_t found = 0;
    size_t count = 0;
    upgrade->requests = upgrade->current != NULL ? upgrade->current->state.request : 0;
    int error = state_queued_list(upgrade->directory_fd, true, hashes, STATE_QUEUE_MAX, &found);
    for (size_t i = 0; i < found && error == 0; i++) {
        state_queued_name(hashes[i], name);
        error = restore_one(upgrade, hashes[i], &pendings[count]);
        count += error == 0 && pendings[count] != NULL ? 1 : 0;
    }
    qsort(pendings, count, sizeof(struct upgrade_pending *), compare_age);
    struct upgrade_pending **end = &upgrade->queue;
    for (size_t i = 0; i < count; i++) { /* after an error too: upgrade_free frees them */
        *end = pendings[i];
        end = &pendings[i]->next;
    }
    if (error != 0) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "%s/%s cannot be read: %s",
                       upgrade->installer.conf->upgrade.directory, name, strerror(-error));
    }
    return error;
}

static enum error_code refuse(enum error_code code, char why[PENDING_TEXT_MAX], const char *format,
                              ...) PRINTF_LIKE(3, 4);

static enum error_code refuse(enum error_code code, char why[PENDING_TEXT_MAX], const char *format,
                              ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why, PENDING_TEXT_MAX, format, arguments);
    va_end(arguments);
    return code;
}

bool upgrade_is_active(const struct upgrade_pending *pending)
{
    return pending != NULL && !phase_ended(pending->state.phase);
}

static bool is_rebooting(const struct upgrade_pending *pending)
{
    return pending != NULL && pending->state.phase == PHASE_REBOOTING;
}

static bool same_hash(const struct upgrade_pending *pending, const struct upgrade_pending *other)
{
    return memcmp(pending->state.sha256, other->state.sha256, SHA256_SIZE) == 0;
}

/* The upgrade to the same image that runs, is queued, or has its reboot pending. */
static struct upgrade_pending *find_locked(struct upgrade *upgrade,
                                           const struct upgrade_pending *fresh)
    REQUIRES_LOCK(upgrade->lock)
{
    struct upgrade_pending *current = upgrade->current;
    if ((upgrade_is_active(current) || is_rebooting(current)) && same_hash(current, fresh)) {
        return current;
    }
    struct upgrade_pending *waiting = upgrade->queue;
    while (waiting != NULL && !same_hash(waiting, fresh)) {
        waiting = waiting->next;
    }
    return waiting;
}

static enum error_code append_locked(struct upgrade *upgrade, struct upgrade_pending *fresh,
                                     char why[PENDING_TEXT_MAX]) REQUIRES_LOCK(upgrade->lock)
{
    char hash[SHORT_HASH_SIZE];
    if (is_rebooting(upgrade->current)) {
        short_hash(upgrade->current->state.sha256, hash);
        return refuse(ERROR_BUSY, why, "the reboot into upgrade %s is pending; ask again after it",
                      hash);
    }
    unsigned waiting = 0;
    struct upgrade_pending **end = &upgrade->queue;
    for (; *end != NULL; end = &(*end)->next) {
        waiting++;
    }
    unsigned running = upgrade_is_active(upgrade->current) ? 1 : 0;
    if (running + waiting > atomic_load(&upgrade->next)->upgrade.queue) {
        const struct upgrade_pending *first = running != 0 ? upgrade->current : upgrade->queue;
        short_hash(first->state.sha256, hash);
        return refuse(
            ERROR_BUSY, why,
            "upgrade %s is %s, and the queue is full ([upgrade] queue = %u); ask again later", hash,
            phase_name(first->state.phase), atomic_load(&upgrade->next)->upgrade.queue);
    }
    fresh->references++;
    fresh->state.request = ++upgrade->requests;
    *end = fresh;
    upgrade_set_phase_locked(upgrade, fresh, PHASE_QUEUED);
    return ERROR_NONE;
}

/* *ret: an upgrade that is there already, or `fresh`; with a reference for the guest. */
static enum error_code place_locked(struct upgrade *upgrade, struct upgrade_pending *fresh,
                                    struct upgrade_pending **ret, char why[PENDING_TEXT_MAX])
    REQUIRES_LOCK(upgrade->lock)
{
    if (upgrade->stopping) {
        return refuse(ERROR_SHUTTING_DOWN, why, "the host is stopping; ask again");
    }
    if (upgrade->watchers >= atomic_load(&upgrade->next)->upgrade.watchers) {
        return refuse(
            ERROR_BUSY, why,
            "%u requests wait for upgrades already ([upgrade] watchers = %u); ask again later",
            upgrade->watchers, atomic_load(&upgrade->next)->upgrade.watchers);
    }
    struct upgrade_pending *pending = find_locked(upgrade, fresh);
    enum error_code code = ERROR_NONE;
    if (pending != NULL) {
        (void)state_add_url(&pending->state, fresh->state.urls[0]); /* it need not be added */
    } else {
        code = append_locked(upgrade, fresh, why);
        pending = fresh;
    }
    if (code == ERROR_NONE) {
        pending->references++;
        upgrade->watchers++;
        *ret = pending;
    }
    return code;
}

/* Sets the result of the recording. False: the upgrade is no longer in the queue, because a reboot
 * became pending meanwhile; upgrade_queue_end ends it. */
static bool finish_recording(struct upgrade *upgrade, struct upgrade_pending *pending,
                             const char *name, int error, struct state *ret)
{
    struct state *state = &pending->state;
    lock_take(&upgrade->lock);
    struct upgrade_pending **link = &upgrade->queue;
    while (*link != NULL && *link != pending) {
        link = &(*link)->next;
    }
    bool queued = *link != NULL;
    if (queued && error != 0) { /* a restart would lose it, so it is not started */
        *link = pending->next;
        pending->references--; /* the queue's; the caller has another */
        state->code = error == -ENOSPC ? ERROR_NO_SPACE : ERROR_INTERNAL;
        (void)snprintf(state->detail, sizeof state->detail,
                       "the request cannot be recorded: %s/%s cannot be written: %s",
                       atomic_load(&upgrade->next)->upgrade.directory, name, strerror(-error));
        upgrade_set_phase_locked(upgrade, pending, PHASE_FAILED);
    }
    *ret = *state;
    lock_give(&upgrade->lock);
    return queued;
}

/* Writes the file in the queue, then lets the job thread start the upgrade. A guest that joins in
 * between finds the upgrade in the queue, and gets the same end. */
static void record(struct upgrade *upgrade, struct upgrade_pending *pending)
{
    char name[STATE_QUEUED_NAME_SIZE];
    const struct progress nothing = {.rate = PROGRESS_UNKNOWN};
    struct state state;
    assert(pending != NULL);
    lock_take(&upgrade->lock);
    state = pending->state;
    lock_give(&upgrade->lock);
    state_queued_name(state.sha256, name);
    watchdog_expect("recording an upgrade", WATCHDOG_DISK_MS);
    int error = state_write(&state, upgrade->directory_fd, name);
    if (error != 0) {
        upgrade_forget_queued(upgrade, state.sha256); /* while no other request can write it */
    }
    if (!finish_recording(upgrade, pending, name, error, &state)) {
        upgrade_forget_queued(upgrade, state.sha256); /* it may be newer than the queue's end */
        return;
    }
    upgrade_log_phase(&state, &nothing); /* before the job thread logs the next phase */
    lock_take(&upgrade->lock);
    pending->recorded = true;
    int failed = pthread_cond_broadcast(&upgrade->changed);
    lock_give(&upgrade->lock);
    assert(failed == 0);
    (void)failed; /* NDEBUG */
    if (error != 0) {
        upgrade->wakeup.notify(upgrade->wakeup.context);
    }
}

enum error_code upgrade_queue_add(struct upgrade *upgrade, struct upgrade_pending *fresh,
                                  struct pending **ret, char why[PENDING_TEXT_MAX])
{
    struct upgrade_pending *pending = NULL;
    lock_take(&upgrade->lock);
    enum error_code code = place_locked(upgrade, fresh, &pending, why);
    lock_give(&upgrade->lock);
    if (code != ERROR_NONE) {
        return code;
    }
    if (pending == fresh) {
        record(upgrade, fresh);
    }
    *ret = &pending->pending;
    return ERROR_NONE;
}
