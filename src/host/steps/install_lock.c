/* SPDX-License-Identifier: Apache-2.0 */
#include "host/steps/install_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/file/install_state.h"

static int take(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    /* The daemon, another user on a HostOS, opens it to ask; whatever our umask is. */
    if (fchmod(fd, 0644) != 0) {
        return -errno;
    }
    if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
        return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
    }
    return 0;
}

int install_lock_take(int directory_fd, int *ret)
{
    int fd = openat(directory_fd, INSTALL_LOCK_NAME,
                    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0) {
        return -errno;
    }
    int error = take(fd);
    if (error != 0) {
        (void)close(fd); /* nothing was written */
        return error;
    }
    *ret = fd;
    return 0;
}
