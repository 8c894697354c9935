/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 120000, ENVIRONMENT_MAX = 16 };

__attribute__((noreturn)) static void give_up(const char *what)
{
    fprintf(stderr, "process: %s: %s\n", what, strerror(errno));
    abort();
}

/* What every program is given, and what the test adds. */
static void environment_of(const char *const *extra, char *ret[ENVIRONMENT_MAX])
{
    static const char *const kept[] = {"PATH",         "ASAN_OPTIONS", "UBSAN_OPTIONS",
                                       "TSAN_OPTIONS", "LSAN_OPTIONS", "GCOV_PREFIX"};
    size_t count = 0;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        const char *value = getenv(kept[i]);
        if (value != NULL && asprintf(&ret[count], "%s=%s", kept[i], value) >= 0) {
            count++;
        }
    }
    for (; extra != NULL && *extra != NULL && count + 1 < ENVIRONMENT_MAX; extra++) {
        ret[count++] = strdup(*extra);
    }
    ret[count] = NULL;
}

struct process process_start(const char *const *arguments, const char *const *extra)
{
    int out[2];
    int err[2];
    char path[4096];
    char *environment[ENVIRONMENT_MAX];
    struct process process;
    posix_spawn_file_actions_t actions;
    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0) {
        give_up("pipe2");
    }
    environment_of(extra, environment);
    snprintf(path, sizeof path, "%s/%s", BIN_DIRECTORY, arguments[0]);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
    /* posix_spawn takes its words without const, and leaves them alone. */
    union {
        const char *const *given;
        char *const *taken;
    } words = {.given = arguments};
    errno = posix_spawn(&process.pid, path, &actions, NULL, words.taken, environment);
    if (errno != 0) {
        give_up(path);
    }
    posix_spawn_file_actions_destroy(&actions);
    for (size_t i = 0; environment[i] != NULL; i++) {
        free(environment[i]);
    }
    close(out[1]);
    close(err[1]);
    process.out_fd = out[0];
    process.err_fd = err[0];
    return process;
}

/* To the end of the stream: its writer is gone, or was killed. */
static void read_all(int fd, char text[PROCESS_TEXT_MAX])
{
    size_t length = 0;
    ssize_t got = 1;
    while (got > 0 && length < PROCESS_TEXT_MAX - 1) {
        got = read(fd, text + length, PROCESS_TEXT_MAX - 1 - length);
        length += got > 0 ? (size_t)got : 0;
    }
    text[length] = '\0';
    close(fd);
}

void process_end(struct process *process, struct process_end *ret)
{
    int status = 0;
    int pid_fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    struct pollfd ended = {.fd = pid_fd, .events = POLLIN};
    if (pid_fd < 0) {
        give_up("pidfd_open");
    }
    if (poll(&ended, 1, PATIENCE_MS) <= 0) {
        kill(process->pid, SIGKILL);
    }
    close(pid_fd);
    if (waitpid(process->pid, &status, 0) < 0) {
        give_up("waitpid");
    }
    ret->status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    read_all(process->out_fd, ret->out);
    read_all(process->err_fd, ret->err);
    process->pid = -1;
}

const char *process_report(const char *text)
{
    static const char *const marks[] = {"ERROR: AddressSanitizer", "ERROR: LeakSanitizer",
                                        "WARNING: ThreadSanitizer", "runtime error:", "Assertion "};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        const char *found = strstr(text, marks[i]);
        if (found != NULL) {
            return found;
        }
    }
    return NULL;
}
