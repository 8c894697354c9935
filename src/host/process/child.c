/* SPDX-License-Identifier: Apache-2.0 */
#include "host/process/child.h"

#include "wire/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* Descriptors of the program. Ours are moved above them first, so that none is overwritten before
 * it has been copied. */
enum { CHILD_EXTRA = STDERR_FILENO + 1, OURS_LOWEST = CHILD_EXTRA + 2 };

enum {
    HELD_OUTPUT = 1024 * 1024, /* that a program can write after we were killed: enough for an
                                * installer's progress display */
    CHUNK = 64 * 1024,
    DRAIN_CHUNKS = 16,     /* of a program that ended: as much as its pipe can hold */
    CHECK_PERIOD_MS = 100, /* of a program without a pidfd */
};

struct output_pipe {
    int read_fd;
    int write_fd;
};

static void close_pipe(struct output_pipe *pipe)
{
    if (pipe->read_fd >= 0) {
        (void)close(pipe->read_fd); /* pipes have nothing to lose here */
        (void)close(pipe->write_fd);
    }
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

/* The functions of posix_spawn return a positive errno. */
static int add_actions(const struct child_command *command, const struct output_pipe *output,
                       int stdout_fd, posix_spawn_file_actions_t *actions)
{
    int error = 0;
    int next = CHILD_EXTRA;
    if ((error = posix_spawn_file_actions_addchdir_np(actions, "/")) != 0 ||
        (error = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY,
                                                  0)) != 0 ||
        (error = posix_spawn_file_actions_adddup2(actions, stdout_fd, STDOUT_FILENO)) != 0 ||
        (error = posix_spawn_file_actions_adddup2(actions, output->write_fd, STDERR_FILENO)) != 0) {
        return error;
    }
    if (command->inherit_fd > STDERR_FILENO) {
        error = posix_spawn_file_actions_adddup2(actions, command->inherit_fd, next++);
    }
    if (error == 0 && command->holds_output) {
        error = posix_spawn_file_actions_adddup2(actions, output->read_fd, next++);
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

static int spawn_with_actions(const struct child_command *command,
                              const posix_spawn_file_actions_t *actions, pid_t *ret)
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
        error =
            posix_spawn(ret, command->argv[0], actions, &attributes, command->argv, environment);
    }
    (void)posix_spawnattr_destroy(&attributes); /* cannot fail */
    return error;
}

static int spawn_child(const struct child_command *command, const struct output_pipe *output,
                       int stdout_fd, pid_t *ret)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) {
        return -error;
    }
    error = add_actions(command, output, stdout_fd, &actions);
    if (error == 0) {
        error = spawn_with_actions(command, &actions, ret);
    }
    (void)posix_spawn_file_actions_destroy(&actions); /* cannot fail */
    return -error;
}

enum stage { STAGE_RUNNING, STAGE_TERMINATED, STAGE_KILLED };

enum event { EVENT_NONE, EVENT_ENDED, EVENT_LATE, EVENT_STOP };

struct run {
    const struct child_command *command;
    pid_t pid;     /* of its session and process group too */
    int pidfd;     /* readable once it has ended; -1: there was no descriptor left for it */
    int output_fd; /* its stdout and stderr, to read without waiting */
    int stdout_fd; /* its stdout alone, likewise; -1: none */
    struct output output;
    size_t stdout_length; /* bytes read, kept or not */
    enum stage stage;
    int64_t deadline_ms; /* of the stage */
    bool timed_out;
};

/* No program and no descriptor is left on an error. */
static int start_child(struct run *run)
{
    struct output_pipe output = {-1, -1};
    struct output_pipe result = {-1, -1};
    bool separate = run->command->stdout_bytes != NULL;
    int error = open_pipe(run->command->holds_output, &output);
    if (error == 0 && separate) {
        error = open_pipe(false, &result);
    }
    if (error == 0) {
        error = spawn_child(run->command, &output, separate ? result.write_fd : output.write_fd,
                            &run->pid);
    }
    if (error != 0) {
        close_pipe(&output);
        close_pipe(&result);
        return error;
    }
    (void)close(output.write_fd); /* the program has it */
    if (separate) {
        (void)close(result.write_fd); /* likewise */
    }
    run->pidfd = pidfd_open(run->pid, 0);
    run->output_fd = output.read_fd;
    run->stdout_fd = result.read_fd;
    return 0;
}

/* 0: nothing to read now. At the end the descriptor is closed. */
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

static bool read_output(struct run *run)
{
    char bytes[CHUNK];
    size_t got = read_some(&run->output_fd, bytes);
    if (got > 0) {
        output_feed(&run->output, bytes, got, clock_ms());
    }
    return got > 0;
}

/* What does not fit is dropped, so that the program's writes do not wait. */
static bool read_stdout(struct run *run)
{
    char bytes[CHUNK];
    size_t got = read_some(&run->stdout_fd, bytes);
    if (got > 0 && run->stdout_length < run->command->stdout_size) {
        size_t room = run->command->stdout_size - run->stdout_length;
        memcpy(run->command->stdout_bytes + run->stdout_length, bytes, got < room ? got : room);
    }
    run->stdout_length += got;
    return got > 0;
}

static int poll_timeout(const struct run *run)
{
    int timeout = clock_poll_timeout(run->deadline_ms);
    return run->pidfd < 0 && (timeout < 0 || timeout > CHECK_PERIOD_MS) ? CHECK_PERIOD_MS : timeout;
}

/* The child is not reaped, so that its pid stays its own. */
static bool has_ended(const struct run *run)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_PID, (id_t)run->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0;
}

static enum event wait_event(struct run *run)
{
    struct pollfd fds[] = {
        {.fd = run->pidfd, .events = POLLIN},
        {.fd = run->output_fd, .events = POLLIN},
        {.fd = run->stage == STAGE_RUNNING ? run->command->stop_fd : -1, .events = POLLIN},
        {.fd = run->stdout_fd, .events = POLLIN},
    };
    int ready = poll(fds, sizeof fds / sizeof fds[0], poll_timeout(run));
    if (ready > 0 && fds[1].revents != 0) {
        (void)read_output(run); /* one only: the clock is read in between */
    }
    if (ready > 0 && fds[3].revents != 0) {
        (void)read_stdout(run); /* likewise */
    }
    if (run->pidfd < 0 ? has_ended(run) : ready > 0 && fds[0].revents != 0) {
        return EVENT_ENDED;
    }
    if (clock_ms() >= run->deadline_ms) {
        return EVENT_LATE;
    }
    return ready > 0 && fds[2].revents != 0 ? EVENT_STOP : EVENT_NONE;
}

/* Sends the next signal. False: there is none left; a process that SIGKILL does not end waits inside
 * the kernel. */
static bool send_next_signal(struct run *run)
{
    static const int signals[] = {[STAGE_RUNNING] = SIGTERM, [STAGE_TERMINATED] = SIGKILL};
    if (run->stage == STAGE_KILLED) {
        return false;
    }
    (void)kill(-run->pid, signals[run->stage]); /* not reaped: the pid is its own */
    run->stage++;
    run->deadline_ms =
        clock_deadline(run->command->grace_ms != 0 ? run->command->grace_ms : CHILD_GRACE_MS);
    return true;
}

/* True: the program has ended. False: it is abandoned. */
static bool wait_end(struct run *run)
{
    for (;;) {
        enum event event = wait_event(run);
        if (event == EVENT_ENDED) {
            return true;
        }
        if (event == EVENT_STOP && run->command->survives) {
            return false;
        }
        if (event == EVENT_LATE && run->stage == STAGE_RUNNING) {
            run->timed_out = true;
        }
        if (event != EVENT_NONE && !send_next_signal(run)) {
            return false;
        }
    }
}

static void drain_output(struct run *run)
{
    for (int i = 0; i < DRAIN_CHUNKS && run->output_fd >= 0 && read_output(run); i++) {
    }
    for (int i = 0; i < DRAIN_CHUNKS && run->stdout_fd >= 0 && read_stdout(run); i++) {
    }
    output_end(&run->output);
}

static int last_signal(const struct run *run)
{
    return run->stage == STAGE_KILLED ? SIGKILL : SIGTERM;
}

static struct child_result reap_child(struct run *run)
{
    siginfo_t info = {.si_pid = 0};
    if (run->stage != STAGE_RUNNING) {
        /* What the program left behind, before its pid is free. */
        (void)kill(-run->pid, SIGKILL);
    }
    (void)waitid(P_PID, (id_t)run->pid, &info, WEXITED); /* it has ended */
    if (run->timed_out) {
        return (struct child_result){.end = CHILD_TIMEOUT, .exit_status = last_signal(run)};
    }
    return (struct child_result){.end = info.si_code == CLD_EXITED ? CHILD_EXITED : CHILD_SIGNALED,
                                 .exit_status = info.si_status};
}

/* The program goes on, or hangs where nothing reaches it; init reaps it. */
static struct child_result abandon_child(const struct run *run)
{
    if (run->stage == STAGE_RUNNING) {
        return (struct child_result){.end = CHILD_LEFT};
    }
    return (struct child_result){.end = run->timed_out ? CHILD_TIMEOUT : CHILD_SIGNALED,
                                 .exit_status = SIGKILL};
}

static void close_descriptors(const struct run *run)
{
    const int fds[] = {run->pidfd, run->output_fd, run->stdout_fd};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]); /* read only */
        }
    }
}

int child_run(const struct child_command *command, struct child_result *ret)
{
    struct run run = {
        .command = command, .stage = STAGE_RUNNING, .deadline_ms = command->deadline_ms};
    int error = start_child(&run);
    if (error != 0) {
        return error;
    }
    output_init(&run.output, &command->sink, clock_ms());
    bool ended = wait_end(&run);
    drain_output(&run);
    struct child_result result = ended ? reap_child(&run) : abandon_child(&run);
    output_last(&run.output, result.line, sizeof result.line);
    result.stdout_length = run.stdout_length;
    close_descriptors(&run);
    *ret = result;
    return 0;
}

void child_end_format(const struct child_result *result, char out[CHILD_END_MAX])
{
    static const char *const texts[] = {
        [CHILD_EXITED] = "exited with status",
        [CHILD_SIGNALED] = "was ended by signal",
        [CHILD_TIMEOUT] = "timed out, killed by signal",
        [CHILD_LEFT] = "was left running",
    };
    if (result->end == CHILD_LEFT) {
        (void)snprintf(out, CHILD_END_MAX, "%s", texts[CHILD_LEFT]);
    } else if (result->end == CHILD_EXITED) {
        (void)snprintf(out, CHILD_END_MAX, "%s %d", texts[CHILD_EXITED], result->exit_status);
    } else {
        const char *name = sigabbrev_np(result->exit_status);
        (void)snprintf(out, CHILD_END_MAX, "%s %d (SIG%s)", texts[result->end], result->exit_status,
                       name != NULL ? name : "?");
    }
}
