/* SPDX-License-Identifier: Apache-2.0 */
/* usage: hold_thread PID NAME SECONDS [NUMBER]: holds the threads of that name still, as ptrace(2) does
 * it, and lets them go after so long, or when it ends. NUMBER: each one where it next enters that system
 * call. */
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

/* Lets a thread that is being stopped go on until it enters the system call, and holds it there. */
static int hold_in(pid_t thread, unsigned long long number)
{
    int status = 0;
    while (waitpid(thread, &status, __WALL) == thread && WIFSTOPPED(status)) {
        struct __ptrace_syscall_info info = {.op = PTRACE_SYSCALL_INFO_NONE};
        bool of_call = WSTOPSIG(status) == (SIGTRAP | 0x80);
        if (of_call && ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) > 0 &&
            info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == number) {
            return 1;
        }
        if (ptrace(PTRACE_SYSCALL, thread, NULL, NULL) != 0) {
            return 0;
        }
    }
    return 0;
}

static int hold(const char *pid, const char *tid, const char *name, const char *number)
{
    char path[320];
    char comm[32] = "";
    (void)snprintf(path, sizeof path, "/proc/%s/task/%s/comm", pid, tid);
    FILE *file = fopen(path, "re");
    if (file == NULL || fgets(comm, sizeof comm, file) == NULL) {
        comm[0] = '\0';
    }
    if (file != NULL) {
        (void)fclose(file); /* it was read */
    }
    comm[strcspn(comm, "\n")] = '\0';
    pid_t thread = (pid_t)strtol(tid, NULL, 10);
    if (strcmp(comm, name) != 0 || ptrace(PTRACE_SEIZE, thread, NULL, PTRACE_O_TRACESYSGOOD) != 0 ||
        ptrace(PTRACE_INTERRUPT, thread, NULL, NULL) != 0) {
        return 0;
    }
    if (number == NULL) {
        return 1;
    }
    (void)puts("waiting"); /* who reads that makes the thread work */
    (void)fflush(stdout);
    return hold_in(thread, strtoull(number, NULL, 10));
}

/* A thread that was killed is gone only when it was waited for here, and its process with it. */
static void keep(long seconds)
{
    for (long tenths = seconds * 10; tenths > 0; tenths--) {
        int status;
        pid_t heard;
        while ((heard = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
        }
        if (heard < 0) {
            return; /* ECHILD: none is held any more */
        }
        (void)usleep(100000);
    }
}

int main(int argc, char *argv[])
{
    char path[64];
    int held = 0;
    if (argc != 4 && argc != 5) {
        return 2;
    }
    (void)snprintf(path, sizeof path, "/proc/%s/task", argv[1]);
    DIR *threads = opendir(path);
    if (threads == NULL) {
        perror(path);
        return 1;
    }
    for (const struct dirent *entry; (entry = readdir(threads)) != NULL;) {
        held += hold(argv[1], entry->d_name, argv[2], argv[4]);
    }
    (void)closedir(threads);
    (void)printf("%d held\n", held);
    (void)fflush(stdout);
    keep(strtol(argv[3], NULL, 10));
    return held > 0 ? 0 : 1;
}
