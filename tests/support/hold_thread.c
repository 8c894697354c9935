/* SPDX-License-Identifier: Apache-2.0 */
/* usage: hold_thread PID NAME SECONDS: holds the threads of that name still, as ptrace(2) does it, and
 * lets them go after so long, or when it ends. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

static int hold(const char *pid, const char *tid, const char *name)
{
    char path[320];
    char comm[32] = "";
    (void)snprintf(path, sizeof(path), "/proc/%s/task/%s/comm", pid, tid);
    FILE *file = fopen(path, "re");
    if (file == NULL || fgets(comm, sizeof(comm), file) == NULL) {
        comm[0] = '\0';
    }
    if (file != NULL) {
        (void)fclose(file); /* it was read */
    }
    comm[strcspn(comm, "\n")] = '\0';
    pid_t thread = (pid_t)strtol(tid, NULL, 10);
    if (strcmp(comm, name) != 0 || ptrace(PTRACE_SEIZE, thread, NULL, NULL) != 0) {
        return 0;
    }
    return ptrace(PTRACE_INTERRUPT, thread, NULL, NULL) == 0;
}

int main(int argc, char *argv[])
{
    char path[64];
    int held = 0;
    if (argc != 4) {
        return 2;
    }
    (void)snprintf(path, sizeof(path), "/proc/%s/task", argv[1]);
    DIR *threads = opendir(path);
    if (threads == NULL) {
        perror(path);
        return 1;
    }
    for (const struct dirent *entry; (entry = readdir(threads)) != NULL;) {
        held += hold(argv[1], entry->d_name, argv[2]);
    }
    (void)closedir(threads);
    (void)printf("%d held\n", held);
    (void)fflush(stdout);
    (void)sleep((unsigned)strtoul(argv[3], NULL, 10));
    return held > 0 ? 0 : 1;
}
