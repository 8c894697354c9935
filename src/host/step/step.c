/* SPDX-License-Identifier: Apache-2.0 */
#include "host/step/step.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/step/output.h"
#include "host/step/spawn.h"
#include "wire/clock.h"

enum {
    CHUNK = 64 * 1024,
    DRAIN_CHUNKS = 16, /* of a program that ended: as much as its pipe can hold */
};

enum { LOOK_MS = 100 /* between two looks at a program without a pidfd */ };

enum stage { STAGE_RUNNING, STAGE_TERMINATED, STAGE_KILLED };

enum event { EVENT_NONE, EVENT_ENDED, EVENT_LATE, EVENT_STOP };

struct run {
    const struct step *step;
    struct child child;
    struct output output;
    size_t said; /* bytes of it that came, kept or not */
    enum stage stage;
    int64_t deadline_ms; /* of the stage */
    bool timed_out;
};

/* 0 when there is nothing to read at present, or never again. */
static size_t read_some(int *fd, char bytes[CHUNK])
{
    ssize_t got = read(*fd, bytes, CHUNK);
    if (got > 0) {
        return (size_t)got;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        (void)close(*fd); /* read only */
        *fd = -1;
    }
    return 0;
}

static bool read_chunk(struct run *run)
{
    char bytes[CHUNK];
    size_t got = read_some(&run->child.output_fd, bytes);
    if (got > 0) {
        output_feed(&run->output, bytes, got, clock_ms());
    }
    return got > 0;
}

/* What does not fit is dropped, so that the program's writes do not wait. */
static bool read_said(struct run *run)
{
    char bytes[CHUNK];
    size_t got = read_some(&run->child.said_fd, bytes);
    if (got > 0 && run->said < run->step->said_size) {
        size_t room = run->step->said_size - run->said;
        memcpy(run->step->said + run->said, bytes, got < room ? got : room);
    }
    run->said += got;
    return got > 0;
}

static int poll_timeout(const struct run *run)
{
    int timeout = clock_poll_timeout(run->deadline_ms);
    return run->child.pidfd < 0 && (timeout < 0 || timeout > LOOK_MS) ? LOOK_MS : timeout;
}

/* It is not reaped, so that its number stays its own. */
static bool has_ended(const struct run *run)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_PID, (id_t)run->child.pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0;
}

static enum event wait_event(struct run *run)
{
    struct pollfd fds[] = {
        {.fd = run->child.pidfd, .events = POLLIN},
        {.fd = run->child.output_fd, .events = POLLIN},
        {.fd = run->stage == STAGE_RUNNING ? run->step->stop_fd : -1, .events = POLLIN},
        {.fd = run->child.said_fd, .events = POLLIN},
    };
    int ready = poll(fds, sizeof(fds) / sizeof(fds[0]), poll_timeout(run));
    if (ready > 0 && fds[1].revents != 0) {
        (void)read_chunk(run); /* one only: the clock is looked at between */
    }
    if (ready > 0 && fds[3].revents != 0) {
        (void)read_said(run); /* likewise */
    }
    if (run->child.pidfd < 0 ? has_ended(run) : ready > 0 && fds[0].revents != 0) {
        return EVENT_ENDED;
    }
    if (clock_ms() >= run->deadline_ms) {
        return EVENT_LATE;
    }
    return ready > 0 && fds[2].revents != 0 ? EVENT_STOP : EVENT_NONE;
}

/* The next harder means; false when there is none left: a process that even SIGKILL does not end
 * waits inside the kernel. */
static bool escalate(struct run *run)
{
    static const int signals[] = {[STAGE_RUNNING] = SIGTERM, [STAGE_TERMINATED] = SIGKILL};
    if (run->stage == STAGE_KILLED) {
        return false;
    }
    (void)kill(-run->child.pid, signals[run->stage]); /* not reaped: the number is its own */
    run->stage++;
    run->deadline_ms =
        clock_deadline(run->step->grace_ms != 0 ? run->step->grace_ms : STEP_GRACE_MS);
    return true;
}

/* Until the program has ended (true) or is given up. */
static bool wait_end(struct run *run)
{
    for (;;) {
        enum event event = wait_event(run);
        if (event == EVENT_ENDED) {
            return true;
        }
        if (event == EVENT_STOP && run->step->survives) {
            return false;
        }
        if (event == EVENT_LATE && run->stage == STAGE_RUNNING) {
            run->timed_out = true;
        }
        if (event != EVENT_NONE && !escalate(run)) {
            return false;
        }
    }
}

static void drain(struct run *run)
{
    for (int i = 0; i < DRAIN_CHUNKS && run->child.output_fd >= 0 && read_chunk(run); i++) {
    }
    for (int i = 0; i < DRAIN_CHUNKS && run->child.said_fd >= 0 && read_said(run); i++) {
    }
    output_end(&run->output);
}

static int last_signal(const struct run *run)
{
    return run->stage == STAGE_KILLED ? SIGKILL : SIGTERM;
}

static struct step_result reap(struct run *run)
{
    siginfo_t info = {.si_pid = 0};
    if (run->stage != STAGE_RUNNING) {
        (void)kill(-run->child.pid, SIGKILL); /* what the program left behind, before its number
                                               * is given back */
    }
    (void)waitid(P_PID, (id_t)run->child.pid, &info, WEXITED); /* it has ended */
    if (run->timed_out) {
        return (struct step_result){.end = STEP_TIMEOUT, .exit_status = last_signal(run)};
    }
    return (struct step_result){.end = info.si_code == CLD_EXITED ? STEP_EXITED : STEP_SIGNALED,
                                .exit_status = info.si_status};
}

/* The program goes on, or hangs where nothing reaches it; init reaps it. */
static struct step_result give_up(const struct run *run)
{
    if (run->stage == STAGE_RUNNING) {
        return (struct step_result){.end = STEP_LEFT};
    }
    return (struct step_result){.end = run->timed_out ? STEP_TIMEOUT : STEP_SIGNALED,
                                .exit_status = SIGKILL};
}

static void close_all(const struct child *child)
{
    const int fds[] = {child->pidfd, child->output_fd, child->said_fd};
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]); /* read only */
        }
    }
}

int step_run(const struct step *step, struct step_result *ret)
{
    struct run run = {.step = step, .stage = STAGE_RUNNING, .deadline_ms = step->deadline_ms};
    int error = spawn_child(step, &run.child);
    if (error != 0) {
        return error;
    }
    output_init(&run.output, step, clock_ms());
    bool ended = wait_end(&run);
    drain(&run);
    struct step_result result = ended ? reap(&run) : give_up(&run);
    output_last(&run.output, result.line, sizeof(result.line));
    result.said = run.said;
    close_all(&run.child);
    *ret = result;
    return 0;
}
