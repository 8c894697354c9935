/* SPDX-License-Identifier: Apache-2.0 */
#include "upgrade_world.h"

#include "host/install_record.h"
#include "wire/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

struct world world = {.base = "/tmp/test_upgrade.XXXXXX"};
char world_program[] = "/nowhere/vsock_host-install";
const char world_hex[] = "1111111111111111111111111111111111111111111111111111111111111111";
static char *no_strings[] = {NULL};

void world_record(const char *hex, enum install_record_stage stage, enum error_code code,
                  const char *boot_id)
{
    struct install_record record = {.stage = stage, .started = 1, .exit_status = 0, .code = code};
    if (boot_id != NULL) {
        (void)snprintf(record.boot_id, sizeof record.boot_id, "%s", boot_id);
    } else if (boot_id_read(record.boot_id) != 0) {
        abort();
    }
    record.reboot_at = (uint64_t)((int64_t)time(NULL) + world.reboot_delay);
    (void)snprintf(record.text, sizeof record.text, "said the record");
    int fd = open(world.install_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (sha256_parse(text_of(hex), record.sha256) != 0 || install_record_write(fd, &record) != 0) {
        abort();
    }
    (void)close(fd);
}

void world_rang(void *context)
{
    (void)context;
    world.rings++;
}

bool world_logged(const char *text)
{
    lock_take(&world.lock);
    bool found = strstr(world.log, text) != NULL;
    lock_give(&world.lock);
    return found;
}

bool world_told(const char *text)
{
    lock_take(&world.lock);
    bool found = strstr(world.status, text) != NULL;
    lock_give(&world.lock);
    return found;
}

/* `before`, the path, `after`: a shell's line. */
void world_shell(const char *before, const char *path, const char *after)
{
    char command[256];
    (void)snprintf(command, sizeof command, "%s'%s'%s", before, path, after);
    if (system(command) != 0) { /* NOLINT(cert-env33-c): paths of ours */
        abort();
    }
}

void world_version(const char *version)
{
    FILE *file = fopen(world.version_path, "we");
    REQUIRE_NOT_NULL(file);
    (void)fprintf(file, "%s\n", version);
    (void)fclose(file);
}

/* An empty machine. */
void world_fresh(void)
{
    uint64_t left;
    world_shell("rm -rf ", world.base, "/*");
    CHECK_EQUAL(mkdir(world.install_directory, 0700), 0);
    world_version("1.0");
    (void)eventfd_read(world.release_fd, &left);
    world.download = DOWNLOAD_WELL;
    world.step = STEP_REBOOTS;
    world.downloads = world.steps = world.rings = 0;
    world.reboot_delay = 3600;
    world.unit_is_pending = false;
    world.unit_error = 0;
    lock_take(&world.lock);
    world.log[0] = world.status[0] = '\0';
    lock_give(&world.lock);
    world.conf =
        (struct conf){.upgrade = {.directory = world.upgrade_directory, .queue = 1, .watchers = 8}};
    world.conf.upgrade.schemes.items = no_strings;
    world.conf.upgrade.allowed_prefixes.items = no_strings;
    world.conf.install.directory = world.install_directory;
    world.conf.version.file = world.version_path;
    world.conf.steps.install_program = world_program;
}

struct upgrade *world_make_job(void)
{
    struct upgrade *upgrade = NULL;
    char problem[CONF_PROBLEM_MAX] = "";
    int error = upgrade_new(&world.conf, "/etc/x.conf", (struct pending_wakeup){world_rang, NULL},
                            &upgrade, problem);
    if (error != 0) {
        fprintf(stderr, "job_new: %s\n", problem);
    }
    REQUIRE_EQUAL(error, 0);
    upgrade->installer.poll_ms = 1;
    return upgrade;
}

struct upgrade *world_start_job(void)
{
    struct upgrade *upgrade = world_make_job();
    REQUIRE_EQUAL(upgrade_start(upgrade), 0);
    return upgrade;
}

void world_end_job(struct upgrade *upgrade)
{
    upgrade_stop(upgrade);
    CHECK_NULL(upgrade_free(upgrade));
}

void world_release(void)
{
    CHECK_EQUAL(eventfd_write(world.release_fd, 1), 0);
}

enum error_code world_ask(struct upgrade *upgrade, uint8_t hash, const char *url,
                          struct pending **ret, char why[PENDING_TEXT_MAX])
{
    struct request request = {.command = COMMAND_UPGRADE, .url = text_of(url)};
    memset(request.sha256, hash, SHA256_SIZE);
    return upgrade_submit(upgrade, &request, ret, why);
}

struct pending *world_must_ask(struct upgrade *upgrade, uint8_t hash, const char *url)
{
    struct pending *pending = NULL;
    char why[PENDING_TEXT_MAX] = "";
    enum error_code code = world_ask(upgrade, hash, url, &pending, why);
    if (code != ERROR_NONE) {
        fprintf(stderr, "refused: %s\n", why);
    }
    REQUIRE_EQUAL(code, ERROR_NONE);
    return pending;
}

/* The view may be of a ticket, or the job's status. */
bool world_await(struct upgrade *upgrade, const struct pending *pending, enum phase phase,
                 struct pending_view *view)
{
    int64_t deadline_ms = clock_deadline(WORLD_PATIENCE_MS);
    do {
        if (pending != NULL) {
            pending_read(pending, view);
        } else {
            upgrade_read_status(upgrade, view);
        }
        if (view->status.phase == phase) {
            return true;
        }
        (void)usleep(500);
    } while (clock_ms() < deadline_ms);
    fprintf(stderr, "phase %s, wanted %s: %s\n", phase_name(view->status.phase), phase_name(phase),
            view->text);
    return false;
}

void world_leave_installing(void)
{
    struct pending_view view;
    world_fresh();
    world.step = STEP_HELD;
    struct upgrade *upgrade = world_start_job();
    struct pending *pending = world_must_ask(upgrade, 0x11, "http://a/");
    ASSERT_PHASE(upgrade, pending, PHASE_INSTALLING);
    int64_t deadline_ms = clock_deadline(WORLD_PATIENCE_MS);
    while (world.steps == 0 && clock_ms() < deadline_ms) {
        (void)usleep(500);
    }
    upgrade_stop(upgrade);
    pending_read(pending, &view);
    CHECK_FALSE(view.ended);
    CHECK_EQUAL(view.status.phase, PHASE_INSTALLING);
    (void)pending_unref(pending);
    CHECK_NULL(upgrade_free(upgrade));
    CHECK_EQUAL(world_state().phase, PHASE_INSTALLING);
}

int world_hold_lock(void)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", world.install_directory, INSTALL_LOCK_NAME);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct flock held = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    REQUIRE_EQUAL(fcntl(fd, F_OFD_SETLK, &held), 0);
    return fd;
}

void world_lose_record(void)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/record", world.install_directory);
    REQUIRE_EQUAL(unlink(path), 0);
}

struct state world_state(void)
{
    static struct state state;
    int fd = open(world.upgrade_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK_EQUAL(state_read(fd, STATE_NAME, &state), 0);
    (void)close(fd);
    return state;
}

/* Rewrites what an earlier run left, as if it had been in another boot. */
void world_reboot(void)
{
    static const char other[] = "22222222-2222-2222-2222-222222222222";
    struct state state = world_state();
    (void)snprintf(state.boot_id, sizeof state.boot_id, "%s", other);
    int fd = open(world.upgrade_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK_EQUAL(state_write(&state, fd, STATE_NAME), 0);
    (void)close(fd);
    fd = open(world.install_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct install_record record;
    if (install_record_read(fd, &record) == 0) {
        (void)snprintf(record.boot_id, sizeof record.boot_id, "%s", other);
        CHECK_EQUAL(install_record_write(fd, &record), 0);
    }
    (void)close(fd);
}

size_t world_queued(void)
{
    uint8_t hashes[8][SHA256_SIZE];
    size_t count = 0;
    int fd = open(world.upgrade_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK_EQUAL(state_queued_list(fd, false, hashes, 8, &count), 0);
    (void)close(fd);
    return count;
}

int world_main(const char *suite)
{
    if (mkdtemp(world.base) == NULL) {
        return 1;
    }
    (void)snprintf(world.upgrade_directory, WORLD_PATH_SIZE, "%s/upgrade", world.base);
    (void)snprintf(world.install_directory, WORLD_PATH_SIZE, "%s/install", world.base);
    (void)snprintf(world.version_path, WORLD_PATH_SIZE, "%s/version.txt", world.base);
    world.release_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    lock_init(&world.lock);
    int status = unit_main(suite);
    world_shell("rm -rf ", world.base, "");
    (void)close(world.release_fd);
    return status;
}
