/* SPDX-License-Identifier: Apache-2.0 */
#include "host/console/busy_console.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COMMAND_LINE_MAX = 4096 }; /* what a command line says after that does not count */

static bool holds_all(const char *line, char *const words[])
{
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strstr(line, words[i]) == NULL) {
            return false;
        }
    }
    return true;
}

/* The arguments with a blank after each. False if there are none (a kernel thread, a zombie). */
static bool command_line(int process, char line[COMMAND_LINE_MAX])
{
    int fd = openat(process, "cmdline", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    ssize_t length = read(fd, line, COMMAND_LINE_MAX - 1);
    close(fd);
    if (length <= 0) {
        return false;
    }
    for (ssize_t i = 0; i < length; i++) {
        if (line[i] == '\0') {
            line[i] = ' ';
        }
    }
    line[length] = '\0';
    return true;
}

static bool is_the_tool(int proc, const char *pid, char *const words[])
{
    int process = openat(proc, pid, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (process < 0) {
        return false;
    }
    struct stat owner;
    char line[COMMAND_LINE_MAX];
    bool found = fstat(process, &owner) == 0 && owner.st_uid == 0 && command_line(process, line) &&
                 holds_all(line, words);
    close(process);
    return found;
}

bool busy_console(char *const words[])
{
    if (words == NULL || words[0] == NULL) {
        return false;
    }
    DIR *proc = opendir("/proc");
    if (proc == NULL) {
        return false;
    }
    bool found = false;
    const struct dirent *entry;
    while (!found && (entry = readdir(proc)) != NULL) {
        found = isdigit((unsigned char)entry->d_name[0]) &&
                is_the_tool(dirfd(proc), entry->d_name, words);
    }
    closedir(proc);
    return found;
}
