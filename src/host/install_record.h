/* SPDX-License-Identifier: Apache-2.0 */
/* What the [install] directory tells about an installation: the record, and if one lives.
 *
 * vsock_host-install holds an exclusive lock on the file "lock" from before its first record to its
 * end, and its installer inherits it: while either lives, none else is started. The lock is an
 * open-file-description lock (fcntl(2), F_OFD_SETLK), so that asking about it takes nothing.
 *
 * Threads  any.
 * Errors   0 or -errno; install_state_read: -EBADMSG the record is damaged. No record, no lock file
 *          and no lock are states, not errors.
 */
#ifndef HOST_INSTALL_RECORD_H
#define HOST_INSTALL_RECORD_H

#include "host/keyfile.h"
#include "wire/attributes.h"
#include "wire/message.h"

#include <stdbool.h>

/* What vsock_host-install did, as it wrote it down, and all that the daemon believes about it.
 *
 * Threads  any; vsock_host-install writes under its lock.
 * Errors   0 or -errno; install_record_read: -ENOENT there is none.
 * Place    "record" in [install] directory.
 */
enum install_record_stage {
    RECORD_STARTED,   /* the image is being taken over, or the installer runs */
    RECORD_FAILED,    /* `code` and `text` say why; nothing was installed, as far as it told */
    RECORD_INSTALLED, /* the installer ended well; the reboot is not asked for yet */
    RECORD_REBOOTING, /* the reboot was asked for, and taken */
};

struct install_record {
    enum install_record_stage stage;
    uint8_t sha256[SHA256_SIZE];
    char boot_id[BOOT_ID_SIZE];
    uint64_t started;   /* Unix seconds */
    uint64_t ended;     /* Unix seconds, of the installer; 0 while it runs */
    uint64_t reboot_at; /* Unix seconds, when the reboot is due; 0: not asked for */
    int exit_status; /* of the installer: 0 to 255, 128+n for a signal, -1 while it has not ended */
    enum error_code code;
    char text[1280]; /* one line, escaped */
};

MUST_CHECK int install_record_write(int directory_fd, const struct install_record *record);
MUST_CHECK int install_record_read(int directory_fd, struct install_record *ret);

#define INSTALL_LOCK_NAME    "lock"
#define INSTALL_STAGING_NAME "image" /* the folder that holds the image meanwhile */

struct install_state {
    bool alive;    /* the lock was held, just before the record was read */
    bool recorded; /* `record` is set */
    struct install_record record;
};

/* `alive` is found first: a record RECORD_STARTED with nobody alive is one whose writer and whose
 * installer have ended without telling how. */
MUST_CHECK int install_state_read(int directory_fd, struct install_state *ret);

/* Removes the image that an installation which is over has left, unless one lives, or the daemon's user
 * may not (as with [steps] method = unit). */
void install_state_sweep(int directory_fd, const uint8_t sha256[SHA256_SIZE]);

#endif
