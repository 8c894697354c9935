/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "host/file/keyfile.h"

int boot_id_read(char out[BOOT_ID_SIZE])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    char bytes[BOOT_ID_SIZE]; /* 36 characters and a newline */
    ssize_t got = read(fd, bytes, sizeof(bytes));
    int error = got < 0 ? -errno : 0;
    (void)close(fd); /* nothing was written */
    if (error == 0 && (got != BOOT_ID_SIZE || bytes[BOOT_ID_SIZE - 1] != '\n')) {
        error = -EBADMSG;
    }
    if (error != 0) {
        return error;
    }
    memcpy(out, bytes, BOOT_ID_SIZE - 1);
    out[BOOT_ID_SIZE - 1] = '\0';
    return 0;
}
