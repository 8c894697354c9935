/* SPDX-License-Identifier: Apache-2.0 */
/* What happened to an upgrade and what to do next, decided from the state file, the record of
 * vsock_host-install and the machine as it is. Called when the daemon starts and whenever
 * vsock_host-install has ended. Pure functions.
 *
 * An upgrade succeeded only if the record says so, or if the version file changed over a reboot.
 */
#ifndef HOST_UPGRADE_RECOVER_H
#define HOST_UPGRADE_RECOVER_H

#include "host/install_record.h"
#include "host/upgrade/state.h"

/* Starts of the daemon that find the same upgrade unfinished, with no clean stop between. Then the
 * upgrade is given up: it may be what makes the daemon crash. */
enum { RECOVER_STARTS_MAX = 5 };

enum recover_action {
    RECOVER_KEEP,      /* it has ended, as the state says */
    RECOVER_RUN,       /* download (or verify what was downloaded), then install */
    RECOVER_INSTALL,   /* run vsock_host-install (again: it then only requests the reboot) */
    RECOVER_WAIT,      /* an installer runs: wait for its end, then decide again */
    RECOVER_REBOOTING, /* the reboot was requested and is due at `reboot_at` */
    RECOVER_UPGRADED,
    RECOVER_FAILED, /* with `code` and `text` */
};

enum recover_record { RECOVER_RECORD_NONE, RECOVER_RECORD_READ, RECOVER_RECORD_DAMAGED };

/* The machine as it is. */
struct recover_facts {
    bool starting; /* the daemon starts; false: vsock_host-install has just ended */
    char boot_id[BOOT_ID_SIZE];
    char version[STATE_VERSION_MAX + 1]; /* "": not known */
    bool start_mark; /* vsock_host-install runs or is about to; read before `locked` */
    bool locked;     /* read before the record; also by a process that an installer left behind */
    enum recover_record found;
    struct install_record record; /* RECOVER_RECORD_READ */
    struct record_stamp stamp;    /* of the record; all 0: there is none */
};

struct recover_decision {
    enum recover_action action;
    enum error_code code;
    uint64_t reboot_at;   /* Unix seconds */
    bool outcome_unknown; /* RECOVER_FAILED: the record decides after a reboot */
    char text[PENDING_TEXT_MAX];
};

/* Which installation runs. */
enum recover_life {
    RECOVER_NOBODY, /* also: the record of this installation is final, and its lock is still held by
                      * a process that its installer left behind */
    RECOVER_THIS,   /* as far as is known */
    RECOVER_ANOTHER, /* the lock is held, and there is no record of this installation */
};

/* Reads neither `boot_id` nor `version` of the facts. */
enum recover_life recover_who_lives(const struct state *state, const struct recover_facts *facts);

void recover_decide(const struct state *state, const struct recover_facts *facts,
                    struct recover_decision *ret);

#endif
