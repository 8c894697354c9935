/* SPDX-License-Identifier: Apache-2.0 */
#include "host/process/child.h"

#include "host/process/output.h"
#include "wire/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* Descriptors of the program. Ours are moved above them first, so that none is overwritten before
 * it has been copied. */
enum { CHILD_EXTRA = STDERR_FILENO + 1, OURS_LOWEST = CHILD_EXTRA + 2 };

/* Holds what a program writes after we were killed: enough for an installer's progress display. */
enum { HELD_OUTPUT = 1024 * 1024 };

struct output_pipe {
    int read_fd;
    int write_fd;
};

/* What a program writes to: stdout and stderr are one, unless its stdout is its result. */
struct output_pipes {
    struct output_pipe output;
    struct output_pipe said; /* -1, -1: none */
};

static void close_pipe(const struct output_pipe *pipe)
{
    if (pipe->read_fd >= 0) {
        (void)close(pipe->read_fd); /* pipes have nothing to lose here */
        (void)close(pipe->write_fd);
    }
}

static int close_pipes(const struct output_pipes *pipes, int error)
{
    close_pipe(&pipes->output);
    close_pipe(&pipes->said);
    return error;
}

static int raise_above(int *fd)
{
    if (*fd >= OURS_LOWEST) {
        return 0;
    }
    int raised = fcntl(*fd, F_DUPFD_CLOEXEC, OURS_LOWEST);
    if (raised < 0) {
        return -errno;
    }
    (void)close(*fd); /* the copy is as good */
    *fd = raised;
    return 0;
}

static int open_pipe(bool large, struct output_pipe *ret)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) {
        return -errno;
    }
    struct output_pipe pipe = {fds[0], fds[1]};
    int error = raise_above(&pipe.read_fd);
    if (error == 0) {
        error = raise_above(&pipe.write_fd);
    }
    /* Only our end: the program's writes wait. */
    if (error == 0 && fcntl(pipe.read_fd, F_SETFL, O_NONBLOCK) != 0) {
        error = -errno;
    }
    if (error != 0) {
        close_pipe(&pipe);
        return error;
    }
    if (large) {
        (void)fcntl(pipe.write_fd, F_SETPIPE_SZ, HELD_OUTPUT); /* else it stays 64 KiB */
    }
    *ret = pipe;
    return 0;
}

static int open_pipes(const struct child_command *step, struct output_pipes *ret)
{
    struct output_pipes pipes = {{-1, -1}, {-1, -1}};
    int error = open_pipe(step->holds_output, &pipes.output);
    if (error == 0 && step->said != NULL) {
        error = open_pipe(false, &pipes.said);
    }
    if (error != 0) {
        return close_pipes(&pipes, error);
    }
    *ret = pipes;
    return 0;
}

/* The functions of posix_spawn return a positive errno. */
static int add_actions(const struct child_command *step, const struct output_pipes *pipes,
                       posix_spawn_file_actions_t *actions)
{
    int stdout_fd = step->said != NULL ? pipes->said.write_fd : pipes->output.write_fd;
    int error = 0;
    int next = CHILD_EXTRA;
    if ((error = posix_spawn_file_actions_addchdir_np(actions, "/")) != 0 ||
        (error = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY,
                                                  0)) != 0 ||
        (error = posix_spawn_file_actions_adddup2(actions, stdout_fd, STDOUT_FILENO)) != 0 ||
        (error = posix_spawn_file_actions_adddup2(actions, pipes->output.write_fd,
                                                  STDERR_FILENO)) != 0) {
        return error;
    }
    if (step->inherit_fd > STDERR_FILENO) {
        error = posix_spawn_file_actions_adddup2(actions, step->inherit_fd, next++);
    }
    if (error == 0 && step->holds_output) {
        error = posix_spawn_file_actions_adddup2(actions, pipes->output.read_fd, next++);
    }
    return error != 0 ? error : posix_spawn_file_actions_addclosefrom_np(actions, next);
}

static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none;
    sigset_t all;
    (void)sigemptyset(&none); /* neither can fail */
    (void)sigfillset(&all);
    int error = 0;
    if ((error = posix_spawnattr_setsigmask(attributes, &none)) != 0 ||
        (error = posix_spawnattr_setsigdefault(attributes, &all)) != 0) {
        return error;
    }
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                    POSIX_SPAWN_SETSID);
}

static int spawn_with(const struct child_command *step, const posix_spawn_file_actions_t *actions,
                      pid_t *ret)
{
    static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    static char *const environment[] = {path, NULL};
    posix_spawnattr_t attributes;
    int error = posix_spawnattr_init(&attributes);
    if (error != 0) {
        return error;
    }
    error = set_attributes(&attributes);
    if (error == 0) {
        error = posix_spawn(ret, step->argv[0], actions, &attributes, step->argv, environment);
    }
    (void)posix_spawnattr_destroy(&attributes); /* cannot fail */
    return error;
}

static int start(const struct child_command *step, const struct output_pipes *pipes, pid_t *ret)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) {
        return -error;
    }
    error = add_actions(step, pipes, &actions);
    if (error == 0) {
        error = spawn_with(step, &actions, ret);
    }
    (void)posix_spawn_file_actions_destroy(&actions); /* cannot fail */
    return -error;
}

static int child_spawn(const struct child_command *step, struct child *ret)
{
    struct output_pipes pipes;
    pid_t pid = 0;
    int error = open_pipes(step, &pipes);
    if (error != 0) {
        return error;
    }
    error = start(step, &pipes, &pid);
    if (error != 0) {
        return close_pipes(&pipes, error);
    }
    (void)close(pipes.output.write_fd); /* the program has it */
    if (step->said != NULL) {
        (void)close(pipes.said.write_fd); /* likewise */
    }
    *ret = (struct child){.pid = pid,
                          .pidfd = pidfd_open(pid, 0),
                          .output_fd = pipes.output.read_fd,
                          .stdout_fd = pipes.said.read_fd};
    return 0;
}

enum {
    CHUNK = 64 * 1024,
    DRAIN_CHUNKS = 16, /* of a program that ended: as much as its pipe can hold */
};

enum { LOOK_MS = 100 /* between two looks at a program without a pidfd */ };

enum stage { STAGE_RUNNING, STAGE_TERMINATED, STAGE_KILLED };

enum event { EVENT_NONE, EVENT_ENDED, EVENT_LATE, EVENT_STOP };

struct run {
    const struct child_command *step;
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
    size_t got = read_some(&run->child.stdout_fd, bytes);
    if (got > 0 && run->said < run->step->stdout_size) {
        size_t room = run->step->stdout_size - run->said;
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
        {.fd = run->child.stdout_fd, .events = POLLIN},
    };
    int ready = poll(fds, sizeof fds / sizeof fds[0], poll_timeout(run));
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
        clock_deadline(run->step->grace_ms != 0 ? run->step->grace_ms : CHILD_GRACE_MS);
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
    for (int i = 0; i < DRAIN_CHUNKS && run->child.stdout_fd >= 0 && read_said(run); i++) {
    }
    output_end(&run->output);
}

static int last_signal(const struct run *run)
{
    return run->stage == STAGE_KILLED ? SIGKILL : SIGTERM;
}

static struct child_result reap(struct run *run)
{
    siginfo_t info = {.si_pid = 0};
    if (run->stage != STAGE_RUNNING) {
        (void)kill(-run->child.pid, SIGKILL); /* what the program left behind, before its number
                                               * is given back */
    }
    (void)waitid(P_PID, (id_t)run->child.pid, &info, WEXITED); /* it has ended */
    if (run->timed_out) {
        return (struct child_result){.end = CHILD_TIMEOUT, .exit_status = last_signal(run)};
    }
    return (struct child_result){.end = info.si_code == CLD_EXITED ? CHILD_EXITED : CHILD_SIGNALED,
                                 .exit_status = info.si_status};
}

/* The program goes on, or hangs where nothing reaches it; init reaps it. */
static struct child_result give_up(const struct run *run)
{
    if (run->stage == STAGE_RUNNING) {
        return (struct child_result){.end = CHILD_LEFT};
    }
    return (struct child_result){.end = run->timed_out ? CHILD_TIMEOUT : CHILD_SIGNALED,
                                 .exit_status = SIGKILL};
}

static void close_all(const struct child *child)
{
    const int fds[] = {child->pidfd, child->output_fd, child->stdout_fd};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]); /* read only */
        }
    }
}

int child_run(const struct child_command *step, struct child_result *ret)
{
    struct run run = {.step = step, .stage = STAGE_RUNNING, .deadline_ms = step->deadline_ms};
    int error = child_spawn(step, &run.child);
    if (error != 0) {
        return error;
    }
    output_init(&run.output, step, clock_ms());
    bool ended = wait_end(&run);
    drain(&run);
    struct child_result result = ended ? reap(&run) : give_up(&run);
    output_last(&run.output, result.line, sizeof result.line);
    result.said = run.said;
    close_all(&run.child);
    *ret = result;
    return 0;
}
