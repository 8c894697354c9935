/* SPDX-License-Identifier: Apache-2.0 */
#include "host/file/install_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "wire/hex.h"

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

static void remove_image(int directory_fd, const uint8_t sha256[SHA256_SIZE])
{
    char hex[SHA256_HEX + 1];
    char name[SHA256_HEX + sizeof(".img")];
    int fd =
        openat(directory_fd, INSTALL_PRIVATE_NAME, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    sha256_format(sha256, hex);
    (void)snprintf(name, sizeof(name), "%s.img", hex);
    if (unlinkat(fd, name, 0) == 0) {
        (void)fsync(fd); /* else it may be back after a power loss, when nobody looks any more */
    }
    (void)close(fd);
}

void install_state_sweep(int directory_fd, const uint8_t sha256[SHA256_SIZE])
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = openat(directory_fd, INSTALL_LOCK_NAME, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    if (fcntl(fd, F_OFD_SETLK, &lock) == 0) {
        remove_image(directory_fd, sha256);
    }
    (void)close(fd); /* nothing was written; the lock goes with it */
}
