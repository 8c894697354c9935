/* SPDX-License-Identifier: Apache-2.0 */
/* What vsock_host-install did, as it wrote it down, and all that the daemon believes about it.
 *
 * Threads  any; vsock_host-install writes under its lock.
 * Errors   0 or -errno; record_read: -ENOENT there is none.
 * Place    "record" in [install] directory.
 */
#ifndef HOST_RECORD_H
#define HOST_RECORD_H

#include <stdbool.h>

#include "host/file/keyfile.h"
#include "wire/message.h"

enum record_stage {
    RECORD_STARTED,   /* the image is being taken over, or the installer runs */
    RECORD_FAILED,    /* `code` and `text` say why; nothing was installed, as far as it told */
    RECORD_INSTALLED, /* the installer ended well; the reboot is not asked for yet */
    RECORD_REBOOTING, /* the reboot was asked for, and taken */
};

struct record {
    enum record_stage stage;
    uint8_t sha256[SHA256_SIZE];
    char boot_id[BOOT_ID_SIZE];
    uint64_t started;   /* Unix seconds */
    uint64_t ended;     /* Unix seconds, of the installer; 0 while it runs */
    uint64_t reboot_at; /* Unix seconds, when the reboot is due; 0: not asked for */
    int exit_status; /* of the installer: 0 to 255, 128+n for a signal, -1 while it has not ended */
    enum error_code code;
    char text[1280]; /* one line, escaped */
};

MUST_CHECK int record_write(int directory_fd, const struct record *record);
MUST_CHECK int record_read(int directory_fd, struct record *ret);

#endif
