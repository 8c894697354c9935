/* SPDX-License-Identifier: Apache-2.0 */
#include "host/upgrade/upgrade.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/upgrade/phase.h"
#include "host/upgrade/upgrade_internal.h"

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
                         struct state *present, bool *there)
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
        bool waits = state_waits(&state, hashes[i]) && !(*there && state_is_stale(&state, present));
        if (waits && (!any || state_compare_age(&state, &oldest) < 0)) {
            oldest = state;
            any = true;
        }
    }
    if (any) {
        *present = oldest;
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

int job_status_read(const struct conf *conf, struct job_view *ret)
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
        job_view_state(&state, ret);
    } else {
        job_view_nothing(ret);
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
static int claim_directory(const struct job *job, char problem[CONF_PROBLEM_MAX])
{
    if (flock(job->directory_fd, LOCK_EX | LOCK_NB) == 0) {
        return 0;
    }
    int error = -errno;
    (void)snprintf(
        problem, CONF_PROBLEM_MAX, "[upgrade] directory = %s: %s", job->conf->upgrade.directory,
        error == -EWOULDBLOCK ? "another vsock_host uses it: give each its own" : strerror(-error));
    return error;
}

static int prepare(struct job *job, const char *config_path, char problem[CONF_PROBLEM_MAX])
{
    job->config_path = strdup(config_path);
    job->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int error = job->config_path == NULL || job->stop_fd < 0 ? -errno : boot_id_read(job->boot_id);
    if (error != 0) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "the upgrade job cannot be set up: %s",
                       strerror(-error));
        return error;
    }
    error = open_directory(job->conf->upgrade.directory, &job->directory_fd, problem);
    if (error == 0) {
        error = claim_directory(job, problem);
    }
    return error != 0 ? error : job_restore(job, problem);
}

int job_new(const struct conf *conf, const char *config_path, struct ticket_bell bell,
            struct job **ret, char problem[CONF_PROBLEM_MAX])
{
    struct job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "out of memory");
        return -ENOMEM;
    }
    job->conf = conf;
    atomic_init(&job->next, conf);
    job->bell = bell;
    job->directory_fd = -1;
    job->stop_fd = -1;
    job->reboot_grace_ms = JOB_REBOOT_GRACE_MS;
    job->poll_ms = JOB_POLL_MS;
    lock_init(&job->lock);
    signal_init(&job->news);
    progress_init(&job->progress, 0, 0, 0);
    int error = prepare(job, config_path, problem);
    if (error != 0) {
        job_free(job);
        return error;
    }
    *ret = job;
    return 0;
}

int job_start(struct job *job)
{
    job->running = true;
    int error = pthread_create(&job->thread, NULL, job_run, job);
    if (error != 0) {
        job->running = false;
    }
    return -error;
}

void job_stop(struct job *job)
{
    lock_take(&job->lock);
    job->stopping = true;
    int error = pthread_cond_broadcast(&job->news);
    lock_give(&job->lock);
    assert(error == 0);
    error = eventfd_write(job->stop_fd, 1);
    assert(error == 0);
    if (job->running) {
        error = pthread_join(job->thread, NULL);
        assert(error == 0);
        job->running = false;
    }
    (void)error; /* NDEBUG */
}

static void close_if_open(int fd)
{
    if (fd >= 0) {
        (void)close(fd); /* nothing was written */
    }
}

struct job *job_free(struct job *job)
{
    if (job == NULL) {
        return NULL;
    }
    assert(!job->running && job->watchers == 0);
    job_ticket_drop(job->present);
    while (job->queue != NULL) {
        struct job_ticket *next = job->queue->next;
        job_ticket_drop(job->queue);
        job->queue = next;
    }
    close_if_open(job->directory_fd);
    close_if_open(job->stop_fd);
    (void)pthread_cond_destroy(&job->news); /* fails only when waited for: a bug seen elsewhere */
    lock_done(&job->lock);
    free(job->config_path);
    free(job);
    return NULL;
}

static void look(const struct ticket *ticket, struct ticket_view *ret)
{
    struct job_view view;
    job_view((const struct job_ticket *)ticket, &view);
    ret->ended = view.ended;
    ret->code = view.code;
    ret->revision = view.revision;
    ret->has_progress = true;
    ret->status = view.status;
    memcpy(ret->text, view.detail, sizeof(ret->text));
    ret->status.detail = text_of(ret->text);
}

static void unref(struct ticket *ticket)
{
    (void)job_unref((struct job_ticket *)ticket); /* NULL */
}

static const struct ticket_kind upgrade_kind = {.look = look, .unref = unref, .outlives = true};

struct ticket *job_watch(struct job_ticket *ticket)
{
    return &ticket->ticket;
}

struct job_ticket *job_ticket_new(struct job *job, const struct state *state)
{
    struct job_ticket *ticket = calloc(1, sizeof(*ticket));
    if (ticket != NULL) {
        ticket->ticket = (struct ticket){.kind = &upgrade_kind, .command = COMMAND_UPGRADE};
        ticket->job = job;
        ticket->references = 1;
        ticket->state = *state;
    }
    return ticket;
}

/* `given`: to a watcher, who gives it back; both counts change at once, so that a job without
 * watchers has no ticket of one. */
static void drop(struct job_ticket *ticket, bool given)
{
    struct job *job = ticket->job;
    lock_take(&job->lock);
    job->watchers -= given ? 1 : 0;
    bool last = --ticket->references == 0;
    lock_give(&job->lock);
    if (last) {
        free(ticket);
    }
}

void job_ticket_drop(struct job_ticket *ticket)
{
    if (ticket != NULL) {
        drop(ticket, false);
    }
}

struct job_ticket *job_unref(struct job_ticket *ticket)
{
    if (ticket != NULL) {
        drop(ticket, true);
    }
    return NULL;
}

struct installer job_installer(const struct job *job)
{
    return (struct installer){
        .conf = job->conf,
        .config_path = job->config_path,
        .stop_fd = job->stop_fd,
        .poll_ms = job->poll_ms,
    };
}

void job_view_state(const struct state *state, struct job_view *ret)
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
    memcpy(ret->detail, state->detail, sizeof(ret->detail));
    ret->status.detail = text_of(ret->detail);
    ret->revision = 0;
    ret->ended = phase_ended(state->phase);
    ret->code = state->code;
}

void job_view(const struct job_ticket *ticket, struct job_view *ret)
{
    struct job *job = ticket->job;
    lock_take(&job->lock);
    job_view_state(&ticket->state, ret);
    ret->revision = ticket->revision;
    lock_give(&job->lock);
}

void job_view_nothing(struct job_view *ret)
{
    *ret = (struct job_view){.status = {.phase = PHASE_IDLE}, .ended = true};
    ret->status.detail = text_of(ret->detail);
}

void job_status(struct job *job, struct job_view *ret)
{
    lock_take(&job->lock);
    const struct job_ticket *ticket = job->present;
    if ((ticket == NULL || phase_ended(ticket->state.phase)) && job->queue != NULL) {
        ticket = job->queue; /* about to be begun */
    }
    if (ticket == NULL) {
        job_view_nothing(ret);
    } else {
        job_view_state(&ticket->state, ret);
        ret->revision = ticket->revision;
    }
    lock_give(&job->lock);
}

void job_configure(struct job *job, const struct conf *conf)
{
    atomic_store(&job->next, conf);
}
