/* SPDX-License-Identifier: Apache-2.0 */
#include "host/download/room.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum { STAT_BLOCK = 512 /* what st_blocks counts, whatever the file system's blocks are */ };

int room_free(int fd, uint64_t *ret)
{
    struct statvfs file_system;
    if (fstatvfs(fd, &file_system) != 0) {
        return -errno;
    }
    *ret = (uint64_t)file_system.f_bavail * file_system.f_frsize;
    return 0;
}

static int check_more(int fd, uint64_t more, uint64_t keep_free)
{
    uint64_t free_bytes = 0;
    int error = room_free(fd, &free_bytes);
    if (error != 0) {
        return error;
    }
    return free_bytes < keep_free || free_bytes - keep_free < more ? -ENOSPC : 0;
}

int room_check(int fd, uint64_t keep_free)
{
    return check_more(fd, 0, keep_free);
}

int room_reserve(int fd, uint64_t total, uint64_t keep_free)
{
    struct stat status;
    if (fstat(fd, &status) != 0) {
        return -errno;
    }
    uint64_t has = (uint64_t)status.st_blocks * STAT_BLOCK;
    int error = check_more(fd, total > has ? total - has : 0, keep_free);
    if (error != 0 || total == 0) {
        return error;
    }
    if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)total) == 0) {
        return 0;
    }
    /* EINTR: the reservation is a help, writing tells in the end. */
    return errno == EOPNOTSUPP || errno == ENOSYS || errno == EINTR ? 0 : -errno;
}
