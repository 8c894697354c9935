/* SPDX-License-Identifier: Apache-2.0 */
#include "host/steps/install_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/file/install_state.h"

static int sweep(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    DIR *directory = copy < 0 ? NULL : fdopendir(copy);
    if (directory == NULL) {
        int error = -errno;
        if (copy >= 0) {
            (void)close(copy); /* nothing was written */
        }
        return error;
    }
    int error = 0;
    for (const struct dirent *entry; error == 0 && (entry = readdir(directory)) != NULL;) {
        bool dots = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        if (!dots && unlinkat(fd, entry->d_name, 0) != 0 &&
            unlinkat(fd, entry->d_name, AT_REMOVEDIR) != 0) {
            error = -errno;
        }
    }
    (void)closedir(directory); /* nothing was written */
    return error;
}

int install_private_open(int directory_fd, int *ret)
{
    if (mkdirat(directory_fd, INSTALL_PRIVATE_NAME, 0700) != 0 && errno != EEXIST) {
        return -errno;
    }
    int fd =
        openat(directory_fd, INSTALL_PRIVATE_NAME, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    int error = fchmod(fd, 0700) != 0 ? -errno : sweep(fd);
    if (error != 0) {
        (void)close(fd); /* nothing was written */
        return error;
    }
    *ret = fd;
    return 0;
}
