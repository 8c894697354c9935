/* SPDX-License-Identifier: Apache-2.0 */
#include "host/file/install_state.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int lock_held(int directory_fd, bool *ret)
{
    int fd =
        openat(directory_fd, INSTALL_LOCK_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        *ret = false;
        return 0;
    }
    if (fd < 0) {
        return -errno;
    }
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    int error = fcntl(fd, F_OFD_GETLK, &lock) != 0 ? -errno : 0;
    (void)close(fd); /* nothing was written */
    if (error == 0) {
        *ret = lock.l_type != F_UNLCK;
    }
    return error;
}

int install_state_read(int directory_fd, struct install_state *ret)
{
    struct install_state state = {.alive = false};
    int error = lock_held(directory_fd, &state.alive);
    if (error != 0) {
        return error;
    }
    error = record_read(directory_fd, &state.record);
    if (error != 0 && error != -ENOENT) {
        return error;
    }
    state.recorded = error == 0;
    *ret = state;
    return 0;
}
