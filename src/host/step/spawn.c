/* SPDX-License-Identifier: Apache-2.0 */
#include "host/step/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
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

static int open_pipes(const struct step *step, struct output_pipes *ret)
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
static int add_actions(const struct step *step, const struct output_pipes *pipes,
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

static int spawn_with(const struct step *step, const posix_spawn_file_actions_t *actions,
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

static int start(const struct step *step, const struct output_pipes *pipes, pid_t *ret)
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

int spawn_child(const struct step *step, struct child *ret)
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
                          .said_fd = pipes.said.read_fd};
    return 0;
}
