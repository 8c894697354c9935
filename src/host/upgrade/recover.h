/* SPDX-License-Identifier: Apache-2.0 */
/* What happened to an upgrade, and what to do now: from what we wrote down, what vsock_host-install
 * wrote down, and the machine as it is. Asked when the daemon starts, and again whenever
 * vsock_host-install has ended.
 *
 * A success is only what the record says, or a version file that changed over a reboot.
 *
 * Threads  pure functions.
 */
#ifndef HOST_RECOVER_H
#define HOST_RECOVER_H

#include "host/install_record.h"
#include "host/upgrade/state.h"

/* Starts of the daemon that find the same upgrade unfinished, with no clean stop between; then it
 * is given up, for it may be what ends the daemon. */
enum { RECOVER_STARTS_MAX = 5 };

enum recover_action {
    RECOVER_KEEP,      /* it has ended, as the state says */
    RECOVER_RUN,       /* download, or judge what was downloaded, and go on from there */
    RECOVER_INSTALL,   /* run vsock_host-install (again: it then asks for the reboot alone) */
    RECOVER_WAIT,      /* an installer lives: wait for its end, then decide anew */
    RECOVER_REBOOTING, /* the reboot was asked for, and is due at `reboot_at` */
    RECOVER_UPGRADED,
    RECOVER_FAILED, /* with `code` and `text` */
};

enum recover_record { RECOVER_RECORD_NONE, RECOVER_RECORD_READ, RECOVER_RECORD_DAMAGED };

/* The machine as it is. */
struct recover_facts {
    bool starting; /* the daemon starts; false: vsock_host-install has just ended */
    char boot_id[BOOT_ID_SIZE];
    char version[STATE_VERSION_MAX + 1]; /* "": not known */
    bool begun; /* vsock_host-install lives or is about to, as seen before the lock was looked at */
    bool locked; /* as seen before the record was read; also by what an installer left behind */
    enum recover_record found;
    struct install_record record; /* RECOVER_RECORD_READ */
    struct record_stamp stamp;    /* of the record; all 0: there is none */
};

struct recover_decision {
    enum recover_action action;
    enum error_code code;
    uint64_t reboot_at;   /* Unix seconds */
    bool outcome_unknown; /* RECOVER_FAILED: the record decides after a reboot */
    char text[UPGRADE_TEXT_MAX];
};

/* Whose end is to be waited for. */
enum recover_life {
    RECOVER_NOBODY,  /* also where the record of this installation is final, and its lock still held
                     * by what its installer left behind: nothing more will be written down */
    RECOVER_THIS,    /* as far as is known */
    RECOVER_ANOTHER, /* the lock is held, and nothing is on record of this installation */
};

/* `boot_id` and `version` are not needed. */
enum recover_life recover_who_lives(const struct state *state, const struct recover_facts *facts);

void recover_decide(const struct state *state, const struct recover_facts *facts,
                    struct recover_decision *ret);

#endif
