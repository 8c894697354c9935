/* SPDX-License-Identifier: Apache-2.0 */
/* The world around the upgrade job, for its tests: an empty machine in a temporary folder, and
 * stand-ins for the download, the step program, the url policy, the log and systemd that do what
 * `world` says and write down what they saw. */
#ifndef TESTS_UPGRADE_WORLD_H
#define TESTS_UPGRADE_WORLD_H

#include "host/upgrade/upgrade.h"
#include "host/upgrade/upgrade_internal.h"
#include "support/unit.h"

#include <stdatomic.h>

enum {
    WORLD_PATIENCE_MS = 20 * 1000, /* until what is waited for counts as not coming */
    WORLD_TOTAL = 1000000,         /* bytes of every image */
    WORLD_ARGUMENT_SIZE = 128,
    WORLD_BASE_SIZE = 32,
    WORLD_PATH_SIZE = 64,
};

enum download_plan {
    DOWNLOAD_WELL,
    DOWNLOAD_BADLY,   /* before the first byte */
    DOWNLOAD_TWICE,   /* the file was not the one: once more from the start */
    DOWNLOAD_HELD,    /* until it is released, then well */
    DOWNLOAD_RETRIED, /* after a quarter; released there and at the half, then well */
};
enum step_plan {
    STEP_REBOOTS,
    STEP_NOT_READY,
    STEP_SILENT,       /* no record */
    STEP_NO_REBOOT,    /* installed, and ended there; the second run asks for the reboot */
    STEP_NEVER_REBOOT, /* the second run does not either */
    STEP_CUT,          /* `started`, and ended there */
    STEP_MISSING,
    STEP_HELD,    /* `started`, until the daemon stops */
    STEP_UNHEARD, /* a unit: it was asked for, and systemd says nothing; no record */
    STEP_LOST,    /* a unit: nothing is pending, and how that came was not heard; no record */
};

extern struct world {
    char base[WORLD_BASE_SIZE];
    char upgrade_directory[WORLD_PATH_SIZE];
    char install_directory[WORLD_PATH_SIZE];
    char version_path[WORLD_PATH_SIZE];
    struct conf conf;
    /* What the stand-ins do. */
    _Atomic enum download_plan download;
    _Atomic enum step_plan step;
    int release_fd;
    atomic_int reboot_delay;     /* seconds */
    atomic_bool unit_is_pending; /* what systemd says of the unit */
    atomic_int unit_error;       /* of asking it */
    /* What they saw. */
    atomic_uint downloads;
    atomic_uint steps;
    atomic_uint rings;
    atomic_size_t mirrors;
    struct lock lock; /* of what follows */
    char argv[4][WORLD_ARGUMENT_SIZE];
    char log[65536];
    char status[512];
} world;
extern char world_program[];
extern const char world_hex[]; /* of the hash whose bytes are 0x11 */

int world_main(const char *suite);

/* An empty machine on which everything goes well. */
void world_fresh(void);
/* `before`, the path, `after`: a line for the shell. */
void world_shell(const char *before, const char *path, const char *after);
void world_version(const char *version);
/* As vsock_host-install leaves it; `boot_id` NULL: of this boot. */
void world_record(const char *hex, enum install_record_stage stage, enum error_code code,
                  const char *boot_id);
/* What was left behind is from another boot. */
void world_reboot(void);
void world_release(void);
/* The job's bell. */
void world_rang(void *context);
bool world_logged(const char *text);
/* systemd's STATUS= holds the text now. */
bool world_told(const char *text);
struct state world_state(void);
size_t world_queued(void);

struct upgrade *world_make_job(void);
struct upgrade *world_start_job(void);
void world_end_job(struct upgrade *upgrade);
/* A job stopped while its installer runs; what is left is as after a crash. */
void world_leave_installing(void);
/* The lock of vsock_host-install, held by the one who has the descriptor. */
int world_hold_lock(void);
/* vsock_host-install has not written anything yet. */
void world_lose_record(void);
enum error_code world_ask(struct upgrade *upgrade, uint8_t hash, const char *url,
                          struct pending **ret, char why[PENDING_TEXT_MAX]);
struct pending *world_must_ask(struct upgrade *upgrade, uint8_t hash, const char *url);

/* Waits until the ticket, or with NULL the job's status, is in the phase. */
bool world_await(struct upgrade *upgrade, const struct pending *pending, enum phase phase,
                 struct pending_view *view);
#define ASSERT_PHASE(upgrade, pending, phase) \
    CHECK_TRUE(world_await(upgrade, pending, phase, &view))

#endif
