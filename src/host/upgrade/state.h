/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the upgrades in [upgrade] directory: "state" for the current or last one, and one
 * "queued.SHA256" of the same form for each that waits. A daemon that starts resumes from them.
 *
 * Threads  two writers of one file must not run at once.
 * Errors   0 or -errno; state_read: -ENOENT no file, -EBADMSG damaged. Logs nothing.
 * Secrets  the query of a url may be one and is needed to resume: the files have mode 0600. Users,
 *          passwords and fragments are removed from urls; a url with bytes that have to be escaped
 *          is left out.
 */
#ifndef HOST_STATE_H
#define HOST_STATE_H

#include "host/download/download.h"
#include "host/keyfile.h"
#include "host/pending.h"
#include "wire/number.h"

#define STATE_NAME      "state"
#define STATE_BAD_NAME  "state.bad"
#define QUEUED_BAD_NAME "queued.bad"

enum {
    STATE_VERSION_MAX = 1024, /* the version file's first 256 bytes, escaped */
    STATE_QUEUE_MAX = 64,     /* files of waiting upgrades that are read */
    STATE_QUEUED_NAME_SIZE = sizeof "queued." + SHA256_HEX,
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
    uint64_t changed;           /* Unix seconds */
    uint64_t starts;            /* of the daemon that found it unfinished, with no clean stop */
    char boot_id[BOOT_ID_SIZE]; /* of the boot in which this was written */
    uint64_t reboot_at;         /* Unix seconds; 0: not asked for */
    uint64_t outcome_unknown;   /* 1: failed, and how the installation ended is not known */
    /* Requests are numbered from 1 on, in the order of the queue. In a queue's file: the number of
     * this one. In the state: of the last one that was started or dropped. */
    uint64_t request;
    struct record_stamp stamp;           /* the record that was there before installing began */
    char version[STATE_VERSION_MAX + 1]; /* the version file then, escaped; "": not known */
    char detail[PENDING_TEXT_MAX];       /* one line, escaped */
    size_t url_count;
    char urls[DOWNLOAD_MIRRORS_MAX][URL_MAX + 1]; /* first the one asked for */
};

MUST_CHECK int state_write(const struct state *state, int directory_fd, const char *name);
MUST_CHECK int state_read(int directory_fd, const char *name, struct state *ret);

/* The file of an upgrade that waits. */
void state_queued_name(const uint8_t sha256[SHA256_SIZE], char out[STATE_QUEUED_NAME_SIZE]);
MUST_CHECK int state_queued_remove(int directory_fd, const uint8_t sha256[SHA256_SIZE]);

/* The hashes of the upgrades that wait, at most `max`, in no order. `sweep`, for the start: files
 * that a killed daemon wrote in part are removed. */
MUST_CHECK int state_queued_list(int directory_fd, bool sweep, uint8_t (*ret)[SHA256_SIZE],
                                 size_t max, size_t *count);

/* A file of the queue is no request any more: `current` is this one or a later one. */
bool state_is_stale(const struct state *queued, const struct state *current);
/* It can be started. */
bool state_waits(const struct state *queued, const uint8_t sha256[SHA256_SIZE]);
/* The order in which they are started, as of qsort(3). */
int state_compare_age(const struct state *a, const struct state *b);

/* While it is downloading, the length of the partial file is what has been stored. */
void state_count_stored(struct state *state, int directory_fd);

/* True, and the url is added, if it is not there already and fewer than DOWNLOAD_MIRRORS_MAX are. */
bool state_add_url(struct state *state, const char *url);

/* `detail` of the result points into the state. */
struct upgrade_status state_status(const struct state *state);
/* NULL: there is no upgrade. The revision is 0. */
void state_view(const struct state *state, struct pending_view *ret);

#endif
