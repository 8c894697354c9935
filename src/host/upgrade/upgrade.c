/* SPDX-License-Identifier: Apache-2.0 */
#include "host/upgrade/upgrade.h"

#include "host/policy/url_policy.h"
#include "host/upgrade/phase.h"
#include "host/upgrade/upgrade_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    REBOOT_GRACE_MS = 600 * 1000,
    POLL_MS = 500,
};

/* Replaces an upgrade that has ended by the oldest one in the queue. */
static int read_oldest(int fd, const uint8_t (*hashes)[SHA256_SIZE], size_t count,
                       struct state *current, bool *there)
{
    struct state oldest;
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        char name[STATE_QUEUED_NAME_SIZE];
        struct state state;
        state_queued_name(hashes[i], name);
        int error = state_read(fd, name, &state);
        if (error == -ENOENT || error == -EBADMSG) {
            continue; /* started meanwhile, or damaged */
        }
        if (error != 0) {
            return error;
        }
        bool waits = state_waits(&state, hashes[i]) && !(*there && state_is_stale(&state, current));
        if (waits && (!any || state_compare_age(&state, &oldest) < 0)) {
            oldest = state;
            any = true;
        }
    }
    if (any) {
        *current = oldest;
        *there = true;
    }
    return 0;
}

/* The state that a daemon would find at its start; `there` is false if there is none. */
static int read_files(int fd, struct state *ret, bool *there)
{
    uint8_t hashes[STATE_QUEUE_MAX][SHA256_SIZE];
    size_t count = 0;
    int error = state_queued_list(fd, false, hashes, STATE_QUEUE_MAX, &count);
    if (error != 0) {
        return error;
    }
    error = state_read(fd, STATE_NAME, ret); /* second: it has what was started meanwhile */
    if (error != 0 && error != -ENOENT) {
        return error;
    }
    *there = error == 0;
    if (*there) {
        state_count_stored(ret, fd);
    }
    bool idle = !*there || (phase_ended(ret->phase) && ret->phase != PHASE_REBOOTING);
    return idle ? read_oldest(fd, hashes, count, ret, there) : 0;
}

int upgrade_status_read(const struct conf *conf, struct pending_view *ret)
{
    int fd = file_open_directory(AT_FDCWD, conf->upgrade.directory);
    struct state state;
    bool there = false;
    int error = fd < 0 ? fd : read_files(fd, &state, &there);
    file_close(fd);
    if (error != 0 && error != -ENOENT) {
        return error;
    }
    state_view(there ? &state : NULL, ret);
    return 0;
}

/* Makes it, and locks it: two daemons would write the same files. The lock ends with the process. */
static int claim_directory(const char *path, int *ret, char problem[CONF_PROBLEM_MAX])
{
    struct stat status;
    int fd = -1;
    int error = mkdir(path, 0700) != 0 && errno != EEXIST ? -errno : 0;
    const char *what = "cannot be made: ";
    if (error == 0) {
        what = "cannot be opened: ";
        fd = file_open_directory(AT_FDCWD, path);
        error = fd < 0 ? fd : fstat(fd, &status) != 0 ? -errno : 0;
    }
    if (error == 0 && (status.st_uid != geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)) {
        what = "must belong to the daemon's user, and nobody else may write there: ";
        error = -EPERM;
    }
    if (error == 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        error = -errno;
        what = error == -EWOULDBLOCK ? "another vsock_host uses it: " : "cannot be locked: ";
    }
    if (error == 0) {
        *ret = fd;
        return 0;
    }
    (void)snprintf(problem, CONF_PROBLEM_MAX, "[upgrade] directory = %s: %s%s", path, what,
                   error == -EWOULDBLOCK ? "give each its own" : strerror(-error));
    file_close(fd);
    return error;
}

static int prepare(struct upgrade *upgrade, const char *config_path, char problem[CONF_PROBLEM_MAX])
{
    struct installer *installer = &upgrade->installer;
    const char *what = "/proc/sys/kernel/random/boot_id cannot be read";
    int error = boot_id_read(upgrade->boot_id);
    if (error == 0) {
        what = "no memory or no descriptor for the upgrade thread";
        installer->config_path = strdup(config_path);
        installer->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        error = installer->config_path == NULL || installer->stop_fd < 0 ? -errno : 0;
    }
    if (error != 0) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "%s: %s", what, strerror(-error));
        return error;
    }
    error = claim_directory(installer->conf->upgrade.directory, &upgrade->directory_fd, problem);
    return error != 0 ? error : upgrade_restore(upgrade, problem);
}

int upgrade_new(const struct conf *conf, const char *config_path, struct pending_wakeup wakeup,
                struct upgrade **ret, char problem[CONF_PROBLEM_MAX])
{
    struct upgrade *upgrade = calloc(1, sizeof *upgrade);
    if (upgrade == NULL) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "out of memory");
        return -ENOMEM;
    }
    upgrade->installer = (struct installer){.conf = conf, .stop_fd = -1, .poll_ms = POLL_MS};
    atomic_init(&upgrade->next, conf);
    upgrade->wakeup = wakeup;
    upgrade->directory_fd = -1;
    upgrade->reboot_grace_ms = REBOOT_GRACE_MS;
    lock_init(&upgrade->lock);
    signal_init(&upgrade->changed);
    progress_init(&upgrade->progress, 0, 0, 0);
    int error = prepare(upgrade, config_path, problem);
    if (error != 0) {
        upgrade_free(upgrade);
        return error;
    }
    *ret = upgrade;
    return 0;
}

int upgrade_start(struct upgrade *upgrade)
{
    upgrade->running = true;
    int error = pthread_create(&upgrade->thread, NULL, upgrade_thread_run, upgrade);
    if (error != 0) {
        upgrade->running = false;
    }
    return -error;
}

void upgrade_stop(struct upgrade *upgrade)
{
    lock_take(&upgrade->lock);
    upgrade->stopping = true;
    int error = pthread_cond_broadcast(&upgrade->changed);
    lock_give(&upgrade->lock);
    assert(error == 0);
    error = eventfd_write(upgrade->installer.stop_fd, 1);
    assert(error == 0);
    if (upgrade->running) {
        error = pthread_join(upgrade->thread, NULL);
        assert(error == 0);
        upgrade->running = false;
    }
    (void)error; /* NDEBUG */
}

struct upgrade *upgrade_free(struct upgrade *upgrade)
{
    if (upgrade == NULL) {
        return NULL;
    }
    assert(!upgrade->running && upgrade->watchers == 0);
    upgrade_pending_drop(upgrade->current);
    while (upgrade->queue != NULL) {
        struct upgrade_pending *next = upgrade->queue->next;
        upgrade_pending_drop(upgrade->queue);
        upgrade->queue = next;
    }
    file_close(upgrade->directory_fd);
    file_close(upgrade->installer.stop_fd);
    (void)pthread_cond_destroy(&upgrade->changed); /* no thread waits: it is joined */
    lock_done(&upgrade->lock);
    free(upgrade->installer.config_path);
    free(upgrade);
    return NULL;
}

enum error_code upgrade_submit(struct upgrade *upgrade, const struct request *request,
                               struct pending **ret, char why[PENDING_TEXT_MAX])
{
    struct state state = {.phase = PHASE_IDLE, .url_count = 1};
    const struct conf *conf = atomic_load(&upgrade->next);
    const struct url_policy policy = {
        .schemes = conf->upgrade.schemes.items,
        .allowed_prefixes = conf->upgrade.allowed_prefixes.items,
    };
    if (request->url.length == 0 || request->url.length > URL_MAX) {
        (void)snprintf(why, PENDING_TEXT_MAX, "the url has %zu bytes; 1 to %d are allowed",
                       request->url.length, URL_MAX);
        return ERROR_INVALID_ARGUMENT;
    }
    memcpy(state.urls[0], request->url.bytes, request->url.length); /* the rest is 0 */
    memcpy(state.sha256, request->sha256, SHA256_SIZE);
    memcpy(state.boot_id, upgrade->boot_id, sizeof state.boot_id);
    int error = url_policy_judge(&policy, state.urls[0], why, PENDING_TEXT_MAX);
    if (error != 0) {
        return error == -ENOMEM ? ERROR_INTERNAL : ERROR_INVALID_ARGUMENT;
    }
    struct upgrade_pending *fresh = upgrade_pending_new(upgrade, &state);
    if (fresh == NULL) {
        (void)snprintf(why, PENDING_TEXT_MAX, "the host is out of memory");
        return ERROR_INTERNAL;
    }
    enum error_code code = upgrade_queue_add(upgrade, fresh, ret, why);
    upgrade_pending_drop(fresh);
    return code;
}

void upgrade_show(struct upgrade *upgrade)
{
    const struct progress nothing = {.rate = PROGRESS_UNKNOWN};
    struct state state;
    lock_take(&upgrade->lock);
    const struct upgrade_pending *current = upgrade->current;
    bool runs = current != NULL &&
                (!phase_ended(current->state.phase) || current->state.phase == PHASE_REBOOTING);
    if (runs) {
        state = current->state;
    }
    lock_give(&upgrade->lock);
    if (runs) {
        upgrade_notify_status(&state, &nothing);
    }
}

void upgrade_read_status(struct upgrade *upgrade, struct pending_view *ret)
{
    lock_take(&upgrade->lock);
    const struct upgrade_pending *pending = upgrade->current;
    if (!upgrade_is_active(pending) && upgrade->queue != NULL) {
        pending = upgrade->queue; /* it is started next */
    }
    state_view(pending != NULL ? &pending->state : NULL, ret);
    ret->revision = pending != NULL ? pending->revision : 0;
    lock_give(&upgrade->lock);
}

void upgrade_configure(struct upgrade *upgrade, const struct conf *conf)
{
    atomic_store(&upgrade->next, conf);
}
