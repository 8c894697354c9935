/* SPDX-License-Identifier: Apache-2.0 */
#include "host/log.h"
#include "host/upgrade/phase.h"
#include "host/upgrade/status_line.h"
#include "host/upgrade/upgrade_internal.h"
#include "host/watchdog.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void upgrade_queue_forget(struct upgrade *upgrade, const uint8_t sha256[SHA256_SIZE])
{
    char name[STATE_QUEUED_NAME_SIZE];
    state_queued_name(sha256, name);
    if (unlinkat(upgrade->directory_fd, name, 0) != 0 && errno != ENOENT) {
        log_warning("%s/%s cannot be removed: %s", atomic_load(&upgrade->next)->upgrade.directory,
                    name, strerror(errno));
    }
}

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
    upgrade->conf = atomic_load(&upgrade->next);
    watchdog_expect("beginning an upgrade", WATCHDOG_DISK_MS);
    upgrade_pending_drop(last);
    return taken;
}

static struct upgrade_pending *take_all(struct upgrade *upgrade)
{
    lock_take(&upgrade->lock);
    struct upgrade_pending *all = upgrade->queue;
    upgrade->queue = NULL;
    lock_give(&upgrade->lock);
    return all;
}

static void end_one(struct upgrade_pending *pending, const char *text)
{
    struct upgrade *upgrade = pending->upgrade;
    upgrade_queue_forget(upgrade,
                         pending->state.sha256); /* first: it must not begin after the reboot */
    lock_take(&upgrade->lock);
    pending->state.code = ERROR_BUSY;
    (void)snprintf(pending->state.detail, sizeof pending->state.detail, "%s", text);
    upgrade_set_phase_locked(upgrade, pending, PHASE_FAILED);
    struct state ended = pending->state;
    lock_give(&upgrade->lock);
    upgrade_queue_forget(upgrade, ended.sha256); /* again: it may have been about to be recorded */
    upgrade_log_phase(&ended, &upgrade->progress);
    upgrade_pending_drop(pending);
}

void upgrade_queue_end(struct upgrade *upgrade)
{
    char hash[SHORT_HASH_SIZE];
    char text[UPGRADE_TEXT_MAX];
    short_hash(upgrade->current->state.sha256, hash);
    (void)snprintf(text, sizeof text,
                   upgrade->current->state.phase == PHASE_UPGRADED
                       ? "the machine was rebooted into upgrade %s; ask again"
                       : "the reboot into upgrade %s is pending; ask again after it",
                   hash);
    struct upgrade_pending *pending = take_all(upgrade);
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

static int by_age(const void *a, const void *b)
{
    return state_compare_age(&(*(struct upgrade_pending *const *)a)->state,
                             &(*(struct upgrade_pending *const *)b)->state);
}

/* *ret NULL: damaged, or of no use any more, and its file is removed. */
static int restore_one(struct upgrade *upgrade, const uint8_t sha256[SHA256_SIZE],
                       struct upgrade_pending **ret)
{
    char name[STATE_QUEUED_NAME_SIZE];
    struct state state;
    state_queued_name(sha256, name);
    int error = state_read(upgrade->directory_fd, name, &state);
    *ret = NULL;
    if (error == -EBADMSG) {
        upgrade_set_aside(upgrade, name, QUEUED_BAD_NAME, "the upgrade that waited");
        return 0;
    }
    if (error != 0) {
        return error;
    }
    upgrade->requests = state.request > upgrade->requests ? state.request : upgrade->requests;
    if (!state_waits(&state, sha256) ||
        (upgrade->current != NULL && state_is_stale(&state, &upgrade->current->state))) {
        log_notice("the upgrade that waits in %s/%s is dropped: it is of no use any more",
                   upgrade->conf->upgrade.directory, name);
        upgrade_queue_forget(upgrade, sha256);
        return 0;
    }
    *ret = upgrade_pending_new(upgrade, &state);
    if (*ret == NULL) {
        return -ENOMEM;
    }
    (*ret)->recorded = true;
    return 0;
}

static void link_all(struct upgrade *upgrade, struct upgrade_pending **pendings, size_t count)
{
    qsort(pendings, count, sizeof(struct upgrade_pending *), by_age);
    struct upgrade_pending **end = &upgrade->queue;
    for (size_t i = 0; i < count; i++) {
        *end = pendings[i];
        end = &pendings[i]->next;
    }
}

int upgrade_queue_restore(struct upgrade *upgrade, char problem[CONF_PROBLEM_MAX])
{
    uint8_t hashes[STATE_QUEUE_MAX][SHA256_SIZE];
    struct upgrade_pending *pendings[STATE_QUEUE_MAX];
    char name[STATE_QUEUED_NAME_SIZE] = ".";
    size_t found = 0;
    size_t count = 0;
    upgrade->requests = upgrade->current != NULL ? upgrade->current->state.request : 0;
    int error = state_queued_restore(upgrade->directory_fd, hashes, STATE_QUEUE_MAX, &found);
    for (size_t i = 0; i < found && error == 0; i++) {
        state_queued_name(hashes[i], name);
        error = restore_one(upgrade, hashes[i], &pendings[count]);
        count += error == 0 && pendings[count] != NULL ? 1 : 0;
    }
    link_all(upgrade, pendings, count);
    if (error != 0) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "%s/%s cannot be read: %s",
                       upgrade->conf->upgrade.directory, name, strerror(-error));
    }
    return error;
}

static enum error_code refuse(enum error_code code, char why[UPGRADE_TEXT_MAX], const char *format,
                              ...) PRINTF_LIKE(3, 4);

static enum error_code refuse(enum error_code code, char why[UPGRADE_TEXT_MAX], const char *format,
                              ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why, UPGRADE_TEXT_MAX, format, arguments);
    va_end(arguments);
    return code;
}

static enum error_code take_url(struct upgrade *upgrade, struct text url, struct state *state,
                                char why[UPGRADE_TEXT_MAX])
{
    if (url.length == 0 || url.length > URL_MAX) {
        return refuse(ERROR_INVALID_ARGUMENT, why, "the url has %zu bytes; 1 to %d are allowed",
                      url.length, URL_MAX);
    }
    memcpy(state->urls[0], url.bytes, url.length);
    state->urls[0][url.length] = '\0';
    state->url_count = 1;
    const struct conf *conf = atomic_load(&upgrade->next);
    const struct url_policy policy = {
        .schemes = conf->upgrade.schemes.items,
        .allowed_prefixes = conf->upgrade.allowed_prefixes.items,
    };
    int error = url_policy_judge(&policy, state->urls[0], why, UPGRADE_TEXT_MAX);
    if (error == -ENOMEM) {
        return ERROR_INTERNAL; /* asked again, it may be taken */
    }
    return error != 0 ? ERROR_INVALID_ARGUMENT : ERROR_NONE;
}

static bool is_active(const struct upgrade_pending *pending)
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

/* The upgrade to the same image that runs, waits, or has the reboot pending. */
static struct upgrade_pending *find_locked(struct upgrade *upgrade,
                                           const struct upgrade_pending *fresh)
    REQUIRES_LOCK(upgrade->lock)
{
    struct upgrade_pending *current = upgrade->current;
    if ((is_active(current) || is_rebooting(current)) && same_hash(current, fresh)) {
        return current;
    }
    struct upgrade_pending *waiting = upgrade->queue;
    while (waiting != NULL && !same_hash(waiting, fresh)) {
        waiting = waiting->next;
    }
    return waiting;
}

static enum error_code append_locked(struct upgrade *upgrade, struct upgrade_pending *fresh,
                                     char why[UPGRADE_TEXT_MAX]) REQUIRES_LOCK(upgrade->lock)
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
    unsigned running = is_active(upgrade->current) ? 1 : 0;
    if (running + waiting > atomic_load(&upgrade->next)->upgrade.queue) {
        const struct upgrade_pending *first = running != 0 ? upgrade->current : upgrade->queue;
        short_hash(first->state.sha256, hash);
        return refuse(ERROR_BUSY, why,
                      "upgrade %s is %s, and as many wait behind it as may ([upgrade] queue = %u); "
                      "ask again later",
                      hash, phase_name(first->state.phase),
                      atomic_load(&upgrade->next)->upgrade.queue);
    }
    fresh->references++;
    fresh->state.request = ++upgrade->requests;
    *end = fresh;
    upgrade_set_phase_locked(upgrade, fresh, PHASE_QUEUED);
    return ERROR_NONE;
}

/* *ret: a ticket of an upgrade that is there already, or `fresh` itself. */
static enum error_code place_locked(struct upgrade *upgrade, struct upgrade_pending *fresh,
                                    struct upgrade_pending **ret, char why[UPGRADE_TEXT_MAX])
    REQUIRES_LOCK(upgrade->lock)
{
    if (upgrade->stopping) {
        return refuse(ERROR_SHUTTING_DOWN, why, "the host is stopping; ask again");
    }
    if (upgrade->watchers >= atomic_load(&upgrade->next)->upgrade.watchers) {
        return refuse(ERROR_BUSY, why,
                      "%u requests wait for upgrades, as many as may ([upgrade] watchers = %u)",
                      upgrade->watchers, atomic_load(&upgrade->next)->upgrade.watchers);
    }
    struct upgrade_pending *pending = find_locked(upgrade, fresh);
    enum error_code code = ERROR_NONE;
    if (pending != NULL) {
        (void)state_add_url(&pending->state, fresh->state.urls[0]); /* full or known: no matter */
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

static struct upgrade_pending **find_link_locked(struct upgrade *upgrade,
                                                 const struct upgrade_pending *pending)
    REQUIRES_LOCK(upgrade->lock)
{
    struct upgrade_pending **link = &upgrade->queue;
    while (*link != NULL && *link != pending) {
        link = &(*link)->next;
    }
    return link;
}

/* It cannot be remembered, so it is not begun. */
static void withdraw_locked(struct upgrade *upgrade, struct upgrade_pending **link, int error)
    REQUIRES_LOCK(upgrade->lock)
{
    struct upgrade_pending *pending = *link;
    *link = pending->next;
    pending->references--; /* the queue's; the caller has another */
    pending->state.code = error == -ENOSPC ? ERROR_NO_SPACE : ERROR_INTERNAL;
    (void)snprintf(pending->state.detail, sizeof pending->state.detail,
                   "the request cannot be recorded: %s", strerror(-error));
    upgrade_set_phase_locked(upgrade, pending, PHASE_FAILED);
}

/* Takes the result of the recording. False: the upgrade is no longer in the queue, because a reboot
 * became pending meanwhile: upgrade_queue_end ends it and tells. */
static bool take_result(struct upgrade *upgrade, struct upgrade_pending *pending, int error,
                        struct state *ret)
{
    lock_take(&upgrade->lock);
    struct upgrade_pending **link = find_link_locked(upgrade, pending);
    bool waits = *link != NULL;
    if (waits && error != 0) {
        withdraw_locked(upgrade, link, error);
    }
    *ret = pending->state;
    lock_give(&upgrade->lock);
    return waits;
}

/* Lets the job thread begin it. */
static void release(struct upgrade *upgrade, struct upgrade_pending *pending)
{
    lock_take(&upgrade->lock);
    pending->recorded = true;
    int error = pthread_cond_broadcast(&upgrade->changed);
    lock_give(&upgrade->lock);
    assert(error == 0);
    (void)error; /* NDEBUG */
}

/* Writes the queue's file, then lets the job thread begin. Whoever joins in between finds the
 * upgrade in the queue, and shares its end. */
static void record(struct upgrade *upgrade, struct upgrade_pending *pending)
{
    char name[STATE_QUEUED_NAME_SIZE];
    const struct progress nothing = {.rate = PROGRESS_UNKNOWN};
    struct state state;
    lock_take(&upgrade->lock);
    state = pending->state;
    lock_give(&upgrade->lock);
    state_queued_name(state.sha256, name);
    watchdog_expect("recording an upgrade", WATCHDOG_DISK_MS);
    int error = state_write(&state, upgrade->directory_fd, name);
    if (error != 0) {
        upgrade_queue_forget(upgrade, state.sha256); /* while nobody else can be writing it */
    }
    if (!take_result(upgrade, pending, error, &state)) {
        upgrade_queue_forget(upgrade,
                             state.sha256); /* it may have been written after the queue's end */
        return;
    }
    upgrade_log_phase(&state, &nothing);
    release(upgrade, pending);
    if (error != 0) {
        upgrade->wakeup.notify(upgrade->wakeup.context);
    }
}

enum error_code upgrade_submit(struct upgrade *upgrade, const struct request *request,
                               struct upgrade_pending **ret, char why[UPGRADE_TEXT_MAX])
{
    struct state state = {.phase = PHASE_IDLE};
    memcpy(state.sha256, request->sha256, SHA256_SIZE);
    memcpy(state.boot_id, upgrade->boot_id, sizeof state.boot_id);
    enum error_code code = take_url(upgrade, request->url, &state, why);
    if (code != ERROR_NONE) {
        return code;
    }
    struct upgrade_pending *fresh = upgrade_pending_new(upgrade, &state);
    if (fresh == NULL) {
        return refuse(ERROR_INTERNAL, why, "the host is out of memory");
    }
    struct upgrade_pending *pending = NULL;
    lock_take(&upgrade->lock);
    code = place_locked(upgrade, fresh, &pending, why);
    lock_give(&upgrade->lock);
    if (code == ERROR_NONE && pending == fresh) {
        record(upgrade, fresh);
    }
    upgrade_pending_drop(fresh);
    if (code == ERROR_NONE) {
        *ret = pending;
    }
    return code;
}
