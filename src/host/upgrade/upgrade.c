/* SPDX-License-Identifier: Apache-2.0 */
#include "host/upgrade/upgrade.h"

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

/* The state that would be found at a start; `there` is false if there is none. */
static int read_present(int fd, struct state *ret, bool *there)
{
    int error = state_read(fd, STATE_NAME, ret);
    *there = error == 0;
    if (error == 0) {
        state_count_stored(ret, fd);
    }
    return error == -ENOENT ? 0 : error;
}

/* Puts the oldest upgrade that would be begun at a start in place of one that has ended. */
static int look_at_queue(int fd, const uint8_t (*hashes)[SHA256_SIZE], size_t count,
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
            continue; /* begun just now, or damaged */
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

static int read_status(int fd, struct state *ret, bool *there)
{
    uint8_t hashes[STATE_QUEUE_MAX][SHA256_SIZE];
    size_t count = 0;
    int error = state_queued_list(fd, hashes, STATE_QUEUE_MAX, &count);
    if (error == 0) {
        error = read_present(fd, ret, there); /* second: what was begun meanwhile is in it */
    }
    bool idle = !*there || (phase_ended(ret->phase) && ret->phase != PHASE_REBOOTING);
    return error == 0 && idle ? look_at_queue(fd, hashes, count, ret, there) : error;
}

int upgrade_status_read(const struct conf *conf, struct upgrade_view *ret)
{
    int fd = open(conf->upgrade.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct state state;
    bool there = false;
    int error = fd < 0 ? -errno : read_status(fd, &state, &there);
    if (fd >= 0) {
        (void)close(fd); /* nothing was written */
    }
    if (error != 0 && error != -ENOENT) {
        return error;
    }
    if (there) {
        upgrade_view_state(&state, ret);
    } else {
        upgrade_view_nothing(ret);
    }
    return 0;
}

static int open_directory(const char *path, int *ret, char problem[CONF_PROBLEM_MAX])
{
    struct stat status;
    int fd = -1;
    const char *what = "cannot be made";
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        goto failed;
    }
    what = "cannot be opened";
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0) {
        goto failed;
    }
    what = "must belong to the daemon's user, and nobody else may write there";
    errno = EPERM;
    if (status.st_uid != geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        goto failed;
    }
    *ret = fd;
    return 0;
failed:;
    int error = -errno;
    (void)snprintf(problem, CONF_PROBLEM_MAX, "[upgrade] directory = %s: %s: %s", path, what,
                   strerror(-error));
    if (fd >= 0) {
        (void)close(fd); /* nothing was written */
    }
    return error;
}

/* Two daemons would write the same files. The claim ends with the process. */
static int claim_directory(const struct upgrade *upgrade, char problem[CONF_PROBLEM_MAX])
{
    if (flock(upgrade->directory_fd, LOCK_EX | LOCK_NB) == 0) {
        return 0;
    }
    int error = -errno;
    (void)snprintf(
        problem, CONF_PROBLEM_MAX, "[upgrade] directory = %s: %s", upgrade->conf->upgrade.directory,
        error == -EWOULDBLOCK ? "another vsock_host uses it: give each its own" : strerror(-error));
    return error;
}

static int prepare(struct upgrade *upgrade, const char *config_path, char problem[CONF_PROBLEM_MAX])
{
    upgrade->config_path = strdup(config_path);
    upgrade->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int error = upgrade->config_path == NULL || upgrade->stop_fd < 0
                    ? -errno
                    : boot_id_read(upgrade->boot_id);
    if (error != 0) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "the upgrade job cannot be set up: %s",
                       strerror(-error));
        return error;
    }
    error = open_directory(upgrade->conf->upgrade.directory, &upgrade->directory_fd, problem);
    if (error == 0) {
        error = claim_directory(upgrade, problem);
    }
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
    upgrade->conf = conf;
    atomic_init(&upgrade->next, conf);
    upgrade->wakeup = wakeup;
    upgrade->directory_fd = -1;
    upgrade->stop_fd = -1;
    upgrade->reboot_grace_ms = UPGRADE_REBOOT_GRACE_MS;
    upgrade->poll_ms = UPGRADE_POLL_MS;
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
    error = eventfd_write(upgrade->stop_fd, 1);
    assert(error == 0);
    if (upgrade->running) {
        error = pthread_join(upgrade->thread, NULL);
        assert(error == 0);
        upgrade->running = false;
    }
    (void)error; /* NDEBUG */
}

static void close_if_open(int fd)
{
    if (fd >= 0) {
        (void)close(fd); /* nothing was written */
    }
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
    close_if_open(upgrade->directory_fd);
    close_if_open(upgrade->stop_fd);
    (void)pthread_cond_destroy(
        &upgrade->changed); /* fails only when waited for: a bug seen elsewhere */
    lock_done(&upgrade->lock);
    free(upgrade->config_path);
    free(upgrade);
    return NULL;
}

static void look(const struct pending *pending, struct pending_view *ret)
{
    struct upgrade_view view;
    upgrade_view((const struct upgrade_pending *)pending, &view);
    ret->ended = view.ended;
    ret->code = view.code;
    ret->revision = view.revision;
    ret->has_progress = true;
    ret->status = view.status;
    memcpy(ret->text, view.detail, sizeof ret->text);
    ret->status.detail = text_of(ret->text);
}

static void unref(struct pending *pending)
{
    (void)upgrade_unref((struct upgrade_pending *)pending); /* NULL */
}

static const struct pending_kind upgrade_kind = {.look = look, .unref = unref, .outlives = true};

struct pending *upgrade_watch(struct upgrade_pending *pending)
{
    return &pending->pending;
}

struct upgrade_pending *upgrade_pending_new(struct upgrade *upgrade, const struct state *state)
{
    struct upgrade_pending *pending = calloc(1, sizeof *pending);
    if (pending != NULL) {
        pending->pending = (struct pending){.kind = &upgrade_kind, .command = COMMAND_UPGRADE};
        pending->upgrade = upgrade;
        pending->references = 1;
        pending->state = *state;
    }
    return pending;
}

/* `given`: to a watcher, who gives it back; both counts change at once, so that a job without
 * watchers has no ticket of one. */
static void drop(struct upgrade_pending *pending, bool given)
{
    struct upgrade *upgrade = pending->upgrade;
    lock_take(&upgrade->lock);
    upgrade->watchers -= given ? 1 : 0;
    bool last = --pending->references == 0;
    lock_give(&upgrade->lock);
    if (last) {
        free(pending);
    }
}

void upgrade_pending_drop(struct upgrade_pending *pending)
{
    if (pending != NULL) {
        drop(pending, false);
    }
}

struct upgrade_pending *upgrade_unref(struct upgrade_pending *pending)
{
    if (pending != NULL) {
        drop(pending, true);
    }
    return NULL;
}

struct installer upgrade_installer(const struct upgrade *upgrade)
{
    return (struct installer){
        .conf = upgrade->conf,
        .config_path = upgrade->config_path,
        .stop_fd = upgrade->stop_fd,
        .poll_ms = upgrade->poll_ms,
    };
}

void upgrade_view_state(const struct state *state, struct upgrade_view *ret)
{
    ret->status = (struct upgrade_status){
        .phase = (uint16_t)state->phase,
        .result = (uint16_t)state->code,
        .done = state->done,
        .total = state->total,
        .has_sha256 = true,
        .has_changed = true,
        .changed = state->changed,
    };
    memcpy(ret->status.sha256, state->sha256, SHA256_SIZE);
    memcpy(ret->detail, state->detail, sizeof ret->detail);
    ret->status.detail = text_of(ret->detail);
    ret->revision = 0;
    ret->ended = phase_ended(state->phase);
    ret->code = state->code;
}

void upgrade_view(const struct upgrade_pending *pending, struct upgrade_view *ret)
{
    struct upgrade *upgrade = pending->upgrade;
    lock_take(&upgrade->lock);
    upgrade_view_state(&pending->state, ret);
    ret->revision = pending->revision;
    lock_give(&upgrade->lock);
}

void upgrade_view_nothing(struct upgrade_view *ret)
{
    *ret = (struct upgrade_view){.status = {.phase = PHASE_IDLE}, .ended = true};
    ret->status.detail = text_of(ret->detail);
}

void upgrade_read_status(struct upgrade *upgrade, struct upgrade_view *ret)
{
    lock_take(&upgrade->lock);
    const struct upgrade_pending *pending = upgrade->current;
    if ((pending == NULL || phase_ended(pending->state.phase)) && upgrade->queue != NULL) {
        pending = upgrade->queue; /* about to be begun */
    }
    if (pending == NULL) {
        upgrade_view_nothing(ret);
    } else {
        upgrade_view_state(&pending->state, ret);
        ret->revision = pending->revision;
    }
    lock_give(&upgrade->lock);
}

void upgrade_configure(struct upgrade *upgrade, const struct conf *conf)
{
    atomic_store(&upgrade->next, conf);
}
