/* SPDX-License-Identifier: Apache-2.0 */
/* What the [install] directory says about an installation: the record, and the lock.
 *
 * "record" is written by vsock_host-install, which holds an exclusive lock on the file "lock" from
 * before the first record to its end. Its installer inherits the lock: while either runs, no other
 * one is started. It is an open-file-description lock (fcntl(2), F_OFD_SETLK), so that it can be
 * tested without being taken.
 *
 * Errors   0 or -errno; -EBADMSG: the record is damaged. A missing record is -ENOENT for
 *          install_record_read and no error for install_state_read, as is a missing lock file.
 */
#ifndef HOST_INSTALL_RECORD_H
#define HOST_INSTALL_RECORD_H

#include "host/keyfile.h"
#include "wire/attributes.h"
#include "wire/message.h"

#include <stdbool.h>

enum install_record_stage {
    RECORD_STARTED,   /* the image is being copied, or the installer runs */
    RECORD_FAILED,    /* `code` and `text` say why; the installer reported no success */
    RECORD_INSTALLED, /* the installer succeeded; the reboot is not requested yet */
    RECORD_REBOOTING, /* the reboot was requested, and accepted */
};

struct install_record {
    enum install_record_stage stage;
    uint8_t sha256[SHA256_SIZE];
    char boot_id[BOOT_ID_SIZE];
    uint64_t started;   /* Unix seconds */
    uint64_t ended;     /* Unix seconds, of the installer; 0 while it runs */
    uint64_t reboot_at; /* Unix seconds, when the reboot is due; 0: not requested */
    int exit_status; /* of the installer: 0 to 255, 128+n for a signal, -1 while it has not ended */
    enum error_code code;
    char text[1280]; /* one line, escaped */
};

MUST_CHECK int install_record_write(int directory_fd, const struct install_record *record);
MUST_CHECK int install_record_read(int directory_fd, struct install_record *ret);

#define INSTALL_LOCK_NAME    "lock"
#define INSTALL_STAGING_NAME "image" /* the folder of the image during the installation */

struct install_state {
    bool alive;    /* the lock was held, just before the record was read */
    bool recorded; /* `record` is set */
    struct install_record record;
};

/* The lock is tested first: a record RECORD_STARTED that is not `alive` is of a vsock_host-install
 * that was ended before it recorded the outcome. */
MUST_CHECK int install_state_read(int directory_fd, struct install_state *ret);

/* Removes the image that an ended installation has left, unless one runs or the daemon's user has no
 * permission (as with [steps] method = unit). */
void install_state_sweep(int directory_fd, const uint8_t sha256[SHA256_SIZE]);

#endif
