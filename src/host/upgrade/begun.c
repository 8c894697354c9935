/* SPDX-License-Identifier: Apache-2.0 */
#include "host/upgrade/begun.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int open_directory(const char *directory, int *ret)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    *ret = fd;
    return 0;
}

int begun_mark(const char *directory, int *ret)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    int fd = -1;
    int error = open_directory(directory, &fd);
    if (error != 0) {
        return error;
    }
    if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
        error = -errno;
        (void)close(fd); /* nothing was written */
        return error;
    }
    *ret = fd;
    return 0;
}

bool begun_lives(const char *directory)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = -1;
    if (open_directory(directory, &fd) != 0) {
        return false;
    }
    bool lives = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    (void)close(fd); /* nothing was written */
    return lives;
}
