/* SPDX-License-Identifier: Apache-2.0 */
#include "support/call_log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static uint64_t inode_of(pid_t thread, int fd)
{
    char link[64];
    struct stat status;
    (void)snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)thread, fd);
    return stat(link, &status) == 0 ? status.st_ino : 0;
}

/* Where the next write of that descriptor goes. */
static uint64_t position_of(pid_t thread, int fd)
{
    char path[64];
    uint64_t position = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)thread, fd);
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        char line[64];
        if (fgets(line, sizeof line, file) != NULL && strncmp(line, "pos:", 4) == 0) {
            position = strtoull(line + 4, NULL, 10);
        }
        (void)fclose(file); /* read only */
    }
    return position;
}

void call_log_add(FILE *log, pid_t thread, const struct changing_call *call, int64_t result)
{
    uint64_t offset = 0;
    size_t length = 0;
    char *bytes = NULL;
    char path[PATH_MAX];
    if (result < 0 || call->tells) {
        return;
    }
    int fd = call->fd < 0 ? (int)result : call->fd;
    (void)snprintf(path, sizeof path, "%s", call->path);
    if (call->is_file && call->fd < 0) {
        changing_call_path(thread, fd, path);
    }
    if (strcmp(call->name, "write") == 0 || strcmp(call->name, "pwrite") == 0) {
        bytes = malloc((size_t)result + 1);
        length = bytes == NULL
                     ? 0
                     : changing_call_memory(thread, call->arguments[1], bytes, (size_t)result);
        offset = strcmp(call->name, "pwrite") == 0 ? call->arguments[3]
                                                   : position_of(thread, fd) - (uint64_t)result;
    } else if (strcmp(call->name, "ftruncate") == 0) {
        offset = call->arguments[1];
    }
    (void)fprintf(log, "%s\t%" PRIu64 "\t%" PRIu64 "\t%zu\t%s\t%s\n", call->name,
                  call->is_file ? inode_of(thread, fd) : 0, offset, length, path, call->to);
    (void)fwrite(bytes != NULL ? bytes : "", 1, length, log);
    (void)fflush(log);
    free(bytes);
}
