/* SPDX-License-Identifier: Apache-2.0 */
#include "host/file/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t done = write(fd, bytes, length);
        if (done < 0 && errno != EINTR) {
            return -errno;
        }
        if (done > 0) {
            bytes += done;
            length -= (size_t)done;
        }
    }
    return 0;
}

static int fill(int fd, const void *bytes, size_t length, mode_t mode)
{
    int error = write_all(fd, bytes, length);
    if (error != 0) {
        return error;
    }
    return fchmod(fd, mode) != 0 || fsync(fd) != 0 ? -errno : 0;
}

static int make(int directory_fd, const char *name, const void *bytes, size_t length, mode_t mode)
{
    /* One that a crash left behind. */
    if (unlinkat(directory_fd, name, 0) != 0 && errno != ENOENT) {
        return -errno;
    }
    int fd =
        openat(directory_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR);
    if (fd < 0) {
        return -errno;
    }
    int error = fill(fd, bytes, length, mode);
    if (close(fd) != 0 && error == 0) {
        error = -errno;
    }
    return error;
}

int replace_write(int directory_fd, const char *name, const void *bytes, size_t length, mode_t mode)
{
    char temporary[NAME_MAX + 1];
    int needed = snprintf(temporary, sizeof(temporary), "%s.new", name);
    if (needed < 0 || (size_t)needed >= sizeof(temporary)) {
        return -ENAMETOOLONG;
    }
    int error = make(directory_fd, temporary, bytes, length, mode);
    if (error == 0 && renameat(directory_fd, temporary, directory_fd, name) != 0) {
        error = -errno;
    }
    if (error != 0) {
        (void)unlinkat(directory_fd, temporary, 0); /* the first failure is the one to tell */
        return error;
    }
    return fsync(directory_fd) != 0 ? -errno : 0;
}
