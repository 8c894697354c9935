/* SPDX-License-Identifier: Apache-2.0 */
/* What is on disk about an upgrade, so that a daemon that starts knows what happened: the file
 * "state" in [upgrade] directory for the present or last one, and a file "queued.SHA256" of the
 * same form for each that waits behind it.
 *
 * Threads  any; two writers of one file must not run at once.
 * Units    bytes; Unix seconds.
 * Errors   0 or -errno; state_read: -ENOENT there is none, -EBADMSG it is damaged. Logs nothing.
 * Secrets  the query of a url may be one, and is needed to go on: the files are for their owner
 *          alone. Users, passwords and fragments are taken out of urls, and a url that could not be
 *          read back as it was (it holds bytes that have to be escaped) is left out.
 */
#ifndef HOST_STATE_H
#define HOST_STATE_H

#include "host/download/download.h"
#include "host/keyfile.h"
#include "host/upgrade/upgrade.h"
#include "wire/number.h"

#define STATE_NAME      "state"
#define STATE_BAD_NAME  "state.bad"
#define QUEUED_BAD_NAME "queued.bad"

enum {
    STATE_VERSION_MAX = 1024, /* the version file's first 256 bytes, escaped */
    STATE_QUEUE_MAX = 64,     /* files of waiting upgrades that are looked at */
};

/* Which record of vsock_host-install was there: every write makes a new file. All 0: none. */
struct record_stamp {
    uint64_t inode;
    uint64_t modified_ns;
};

struct state {
    enum phase phase;
    enum error_code code; /* of a failure */
    uint8_t sha256[SHA256_SIZE];
    uint64_t done;
    uint64_t total;
    uint64_t changed;
    uint64_t starts;            /* of the daemon that found it unfinished, with no clean stop */
    char boot_id[BOOT_ID_SIZE]; /* of the boot in which this was written */
    uint64_t reboot_at;         /* 0: not asked for */
    uint64_t outcome_unknown;   /* 1: failed, and how the installation ended was not seen */
    /* Requests are numbered from 1 on, in the order in which they wait. In a queue's file: of this
     * one. In the state: of the last one that was taken up or dropped. */
    uint64_t request;
    struct record_stamp stamp;           /* the record that was there before installing began */
    char version[STATE_VERSION_MAX + 1]; /* the version file then, escaped; "": not known */
    char detail[UPGRADE_TEXT_MAX];       /* one line, escaped */
    size_t url_count;
    char urls[DOWNLOAD_MIRRORS_MAX][URL_MAX + 1]; /* first the one asked for */
};

MUST_CHECK int state_write(const struct state *state, int directory_fd, const char *name);
MUST_CHECK int state_read(int directory_fd, const char *name, struct state *ret);

/* The file of an upgrade that waits. */
enum { STATE_QUEUED_NAME_SIZE = sizeof "queued." + SHA256_HEX };
void state_queued_name(const uint8_t sha256[SHA256_SIZE], char out[STATE_QUEUED_NAME_SIZE]);

/* The hashes of the upgrades that wait, at most `max`, in no order. */
MUST_CHECK int state_queued_list(int directory_fd, uint8_t (*ret)[SHA256_SIZE], size_t max,
                                 size_t *count);
/* The same for the start: what a daemon that was killed left half recorded is removed. */
MUST_CHECK int state_queued_restore(int directory_fd, uint8_t (*ret)[SHA256_SIZE], size_t max,
                                    size_t *count);

/* What a file of the queue says is no request any more: `present` came after it, or is it. */
bool state_is_stale(const struct state *queued, const struct state *present);
/* It is one that can be begun. */
bool state_waits(const struct state *queued, const uint8_t sha256[SHA256_SIZE]);
/* The order in which they are begun, as of qsort(3). */
int state_compare_age(const struct state *a, const struct state *b);

/* While it is downloading, how much has been stored is told by the partial file's length. */
void state_count_stored(struct state *state, int directory_fd);

/* True, and the url is added, if it is not there already and there is room. */
bool state_add_url(struct state *state, const char *url);

#endif
