/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/local_cid.h"

#include "wire/decimal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/vm_sockets.h> /* wants struct sockaddr */

int local_cid_read(const char *device, uint32_t *ret)
{
    uint32_t cid = VMADDR_CID_ANY;
    int fd = open(device, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return errno == ENOENT ? -EAFNOSUPPORT : -errno; /* no device: no module */
    }
    int error = ioctl(fd, IOCTL_VM_SOCKETS_GET_LOCAL_CID, &cid) < 0 ? -errno : 0;
    close(fd);
    if (error == 0 && cid == VMADDR_CID_ANY) {
        error = -EADDRNOTAVAIL;
    }
    if (error == 0) {
        *ret = cid;
    }
    return error;
}

int local_cid_parse(const char *value, uint32_t *ret)
{
    uint64_t number = LOCAL_CID_DEFAULT;
    if (value != NULL && decimal_parse(value, 0, VMADDR_CID_ANY - 1, &number) < 0) {
        return -EINVAL;
    }
    *ret = (uint32_t)number;
    return 0;
}
