/* SPDX-License-Identifier: Apache-2.0 */
#include "host/install_record.h"
#include "host/upgrade/installer.h"
#include "upgrade_world.h"
#include "wire/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct pending_view view;

/* --- over a restart --- */

UNIT_TEST(test_stop_and_go_on, "stop, and go on at the next start")
{
    world_fresh();
    world.download = DOWNLOAD_HELD;
    struct upgrade *upgrade = world_start_job();
    struct pending *first = world_must_ask(upgrade, 1, "http://a/");
    ASSERT_PHASE(upgrade, first, PHASE_DOWNLOADING);
    struct pending *second = world_must_ask(upgrade, 2, "http://b/");
    upgrade_stop(upgrade);
    pending_read(first, &view);
    CHECK_FALSE(view.ended);
    pending_read(second, &view);
    CHECK_FALSE(view.ended);
    (void)pending_unref(first);
    (void)pending_unref(second);
    CHECK_NULL(upgrade_free(upgrade));
    CHECK_EQUAL(upgrade_status_read(&world.conf, &view), 0);
    CHECK_EQUAL(view.status.phase, PHASE_DOWNLOADING);
    CHECK_EQUAL(view.status.sha256[0], 1);
    CHECK_EQUAL(world_state().starts, 0);

    world.step = STEP_NOT_READY; /* so that the second gets its turn */
    upgrade = world_start_job();
    upgrade_read_status(upgrade, &view);
    CHECK_EQUAL(view.status.phase, PHASE_DOWNLOADING);
    CHECK_EQUAL(world_state().starts, 1);
    world_end_job(upgrade);
    CHECK_EQUAL(world_state().starts, 0); /* a clean stop does not count */
    upgrade = world_start_job();
    first = world_must_ask(upgrade, 1, "http://a/"); /* its guest asks again, and joins */
    second = world_must_ask(upgrade, 2, "http://b/");
    world_release();
    ASSERT_PHASE(upgrade, first, PHASE_FAILED);
    ASSERT_PHASE(upgrade, second, PHASE_FAILED);
    CHECK_EQUAL(world.downloads, 4);
    (void)pending_unref(first);
    (void)pending_unref(second);
    world_end_job(upgrade);
    CHECK_EQUAL(world_queued(), 0);
}

UNIT_TEST(test_too_many_starts, "too many starts")
{
    world_fresh();
    world.download = DOWNLOAD_HELD;
    struct upgrade *upgrade = world_start_job();
    struct pending *pending = world_must_ask(upgrade, 1, "http://a/");
    ASSERT_PHASE(upgrade, pending, PHASE_DOWNLOADING);
    (void)pending_unref(pending);
    world_end_job(upgrade);
    for (unsigned start = 1; start <= RECOVER_STARTS_MAX; start++) {
        CHECK_ROW("start = %u", start);
        upgrade = world_make_job(); /* and ends without a clean stop: no thread has run */
        CHECK_NULL(upgrade_free(upgrade));
        CHECK_EQUAL(world_state().starts, start);
    }
    upgrade = world_start_job();
    upgrade_read_status(upgrade, &view);
    CHECK_EQUAL(view.status.phase, PHASE_FAILED);
    CHECK_EQUAL(view.code, ERROR_INTERNAL);
    world_end_job(upgrade);
}

UNIT_TEST(test_restart_ends, "ends that are found at the start")
{
    static const struct {
        bool reboot;
        const char *version;
        enum phase phase;
    } rows[] = {
        {false, "1.0", PHASE_FAILED}, /* `started`, and nobody lives */
        {true, "1.0", PHASE_FAILED},
        {true, "2.0", PHASE_UPGRADED}, /* the installer rebooted the machine itself */
    };
    CHECK_EACH(i, rows, "%s", rows[i].version) {
        world_leave_installing();
        world_version(rows[i].version);
        if (rows[i].reboot) {
            world_reboot();
        }
        struct upgrade *upgrade = world_start_job();
        upgrade_read_status(upgrade, &view); /* at once: it is settled before the daemon is ready */
        CHECK_EQUAL(view.status.phase, rows[i].phase);
        world_end_job(upgrade);
        CHECK_EQUAL(world_state().phase, rows[i].phase);
        CHECK_EQUAL(upgrade_status_read(&world.conf, &view), 0);
        CHECK_EQUAL(view.status.phase, rows[i].phase);
    }
}

UNIT_TEST(test_asks_again_after_restart, "installed before the restart: asked again")
{
    world_leave_installing();
    world_record(world_hex, RECORD_INSTALLED, ERROR_NONE, NULL);
    world.step = STEP_REBOOTS;
    struct upgrade *upgrade = world_start_job();
    ASSERT_PHASE(upgrade, NULL, PHASE_REBOOTING);
    CHECK_EQUAL(world.steps, 2);
    CHECK_EQUAL(world.downloads, 1);
    world_end_job(upgrade);
}

/* Writes a file of the queue, or spoils one with `urls` 0. */
static void write_queued(uint8_t hash, size_t urls, uint64_t request)
{
    struct state state = {
        .phase = PHASE_QUEUED, .request = request, .url_count = urls, .urls = {"http://a/"}};
    char name[STATE_QUEUED_NAME_SIZE];
    memset(state.sha256, hash, SHA256_SIZE);
    CHECK_EQUAL(boot_id_read(state.boot_id), 0);
    state_queued_name(state.sha256, name);
    int fd = open(world.upgrade_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK_EQUAL(state_write(&state, fd, name), 0);
    (void)close(fd);
}

UNIT_TEST(test_what_waited, "what waited when it was stopped")
{
    world_leave_installing();
    world_reboot();
    world_version("2.0");
    write_queued(5, 1, 1);
    write_queued(6, 1, 2);
    struct upgrade *upgrade = world_start_job(); /* upgraded: an older request must not undo it */
    world_end_job(upgrade);
    CHECK_EQUAL(world_queued(), 0);
    CHECK_EQUAL(world.downloads, 1);
    write_queued(6, 1, 2); /* nor if its file could not be removed */
    CHECK_NULL(upgrade_free(world_make_job()));
    CHECK_EQUAL(world_queued(), 0);

    world_leave_installing();
    world_version("2.0");
    write_queued(5, 1, 2);
    write_queued(6, 0, 3); /* nowhere to fetch it from */
    upgrade = world_make_job();
    CHECK_EQUAL(world_queued(), 1);
    world.step = STEP_NOT_READY;
    CHECK_EQUAL(upgrade_start(upgrade), 0); /* the first has failed, and the next begins */
    struct pending *pending = world_must_ask(upgrade, 5, "http://a/");
    ASSERT_PHASE(upgrade, pending, PHASE_FAILED);
    CHECK_EQUAL(view.code, ERROR_NOT_READY);
    (void)pending_unref(pending);
    world_end_job(upgrade);
    CHECK_EQUAL(world_queued(), 0);
}

/* Asks for an upgrade of a job without a thread, which ends like a daemon that is killed then. */
static void ask_and_die(uint8_t hash)
{
    struct upgrade *upgrade = world_make_job();
    struct pending *pending = world_must_ask(upgrade, hash, "http://a/");
    (void)pending_unref(pending);
    CHECK_NULL(upgrade_free(upgrade));
}

/* What was told as queued is begun after the restart, whatever the upgrade before it was. */
static void assert_waits(uint8_t hash)
{
    CHECK_EQUAL(upgrade_status_read(&world.conf, &view), 0);
    CHECK_EQUAL(view.status.phase, PHASE_QUEUED);
    CHECK_EQUAL(view.status.sha256[0], hash);
    unsigned before = world.downloads;
    struct upgrade *upgrade = world_start_job();
    ASSERT_PHASE(upgrade, NULL, PHASE_REBOOTING);
    CHECK_EQUAL(view.status.sha256[0], hash);
    CHECK_EQUAL(world.downloads, before + 1);
    world_end_job(upgrade);
    CHECK_EQUAL(world_queued(), 0);
    CHECK_EQUAL(world_state().request, 2);
    CHECK_EQUAL(upgrade_status_read(&world.conf, &view), 0);
    CHECK_EQUAL(view.status.phase, PHASE_REBOOTING);
}

UNIT_TEST(test_queued_and_killed, "queued, and killed before it was begun")
{
    static const uint8_t hashes[] = {0x11, 5};
    for (size_t i = 0; i < sizeof hashes; i++) {
        CHECK_ROW("i = %zu", i);
        world_fresh();
        world.download = DOWNLOAD_BADLY;
        struct upgrade *upgrade = world_start_job();
        struct pending *pending = world_must_ask(upgrade, 0x11, "http://a/");
        ASSERT_PHASE(upgrade, pending, PHASE_FAILED);
        (void)pending_unref(pending);
        world_end_job(upgrade);
        world.download = DOWNLOAD_WELL;
        ask_and_die(hashes[i]);
        assert_waits(hashes[i]);

        world_leave_installing();
        world_reboot();
        world_version("2.0");
        world_end_job(world_start_job());
        CHECK_EQUAL(world_state().phase, PHASE_UPGRADED);
        world_lose_record();
        world.step = STEP_REBOOTS;
        ask_and_die(hashes[i]);
        assert_waits(hashes[i]);
    }
}

/* The file of one that was taken up may stay: the disk refused to remove it, or lost that. */
UNIT_TEST(test_taken_up_and_left, "taken up, and its file is still there")
{
    world_fresh();
    struct upgrade *upgrade = world_start_job();
    struct pending *pending = world_must_ask(upgrade, 1, "http://a/");
    ASSERT_PHASE(upgrade, pending, PHASE_REBOOTING);
    (void)pending_unref(pending);
    world_end_job(upgrade);
    world_reboot();
    write_queued(1, 1, 1);
    CHECK_EQUAL(upgrade_status_read(&world.conf, &view), 0);
    CHECK_EQUAL(view.status.phase, PHASE_REBOOTING);
    upgrade = world_start_job();
    ASSERT_PHASE(upgrade, NULL, PHASE_UPGRADED);
    world_end_job(upgrade);
    CHECK_EQUAL(world_queued(), 0);
    write_queued(1, 1, 1);
    CHECK_EQUAL(upgrade_status_read(&world.conf, &view), 0);
    CHECK_EQUAL(view.status.phase, PHASE_UPGRADED);
    upgrade = world_start_job();
    upgrade_read_status(upgrade, &view);
    CHECK_EQUAL(view.status.phase, PHASE_UPGRADED);
    world_end_job(upgrade);
    CHECK_EQUAL(world.downloads, 1);
    CHECK_EQUAL(world_queued(), 0);
}

/* --status shows the one that would be begun first, and leaves everything as it is. */
UNIT_TEST(test_status_shows_the_queue, "--status shows what waits")
{
    world_fresh();
    CHECK_NULL(upgrade_free(world_make_job())); /* makes the folder */
    write_queued(7, 1, 3);
    write_queued(8, 1, 2);
    write_queued(9, 0, 1);
    CHECK_EQUAL(upgrade_status_read(&world.conf, &view), 0);
    CHECK_EQUAL(view.status.phase, PHASE_QUEUED);
    CHECK_EQUAL(view.status.sha256[0], 8);
    CHECK_EQUAL(world_queued(), 3);
    struct upgrade *upgrade = world_make_job();
    upgrade_read_status(upgrade, &view);
    CHECK_EQUAL(view.status.sha256[0], 8);
    CHECK_NULL(upgrade_free(upgrade));
    CHECK_EQUAL(world_queued(), 2);
    world_leave_installing();
    write_queued(8, 1, 2);
    CHECK_EQUAL(upgrade_status_read(&world.conf, &view), 0);
    CHECK_EQUAL(view.status.phase, PHASE_INSTALLING);
}

UNIT_TEST(test_status_counts_the_file, "--status counts the partial file")
{
    char hex[SHA256_HEX + 1];
    char path[160];
    world_fresh();
    world.download = DOWNLOAD_HELD;
    struct upgrade *upgrade = world_start_job();
    struct pending *pending = world_must_ask(upgrade, 1, "http://a/");
    ASSERT_PHASE(upgrade, pending, PHASE_DOWNLOADING);
    sha256_format(view.status.sha256, hex);
    (void)snprintf(path, sizeof path, "%s/%s.part", world.upgrade_directory, hex);
    world_shell("printf 12345 > ", path, "");
    CHECK_EQUAL(upgrade_status_read(&world.conf, &view), 0);
    CHECK_EQUAL(view.status.phase, PHASE_DOWNLOADING);
    CHECK_EQUAL(view.status.done, 5);
    (void)pending_unref(pending);
    world_end_job(upgrade);
}

UNIT_TEST(test_damaged_state, "a damaged state file")
{
    char path[128];
    world_fresh();
    CHECK_EQUAL(upgrade_status_read(&world.conf, &view), 0); /* no folder yet */
    CHECK_EQUAL(view.status.phase, PHASE_IDLE);
    CHECK_EQUAL(mkdir(world.upgrade_directory, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/state", world.upgrade_directory);
    world_shell("echo nonsense > ", path, "");
    CHECK_EQUAL(upgrade_status_read(&world.conf, &view), -EBADMSG);
    struct upgrade *upgrade = world_start_job();
    upgrade_read_status(upgrade, &view);
    CHECK_EQUAL(view.status.phase, PHASE_IDLE);
    world_end_job(upgrade);
    CHECK_TRUE(world_logged("is damaged: it is set aside as state.bad"));
    (void)snprintf(path, sizeof path, "%s/state.bad", world.upgrade_directory);
    CHECK_EQUAL(access(path, F_OK), 0);
}

UNIT_TEST(test_cannot_be_made, "directories that do not do")
{
    static char not_there[] = "/nowhere/at/all";
    struct upgrade *upgrade = NULL;
    char problem[CONF_PROBLEM_MAX] = "";
    struct pending_wakeup wakeup = {world_rang, NULL};
    world_fresh();
    world.conf.upgrade.directory = not_there;
    CHECK_EQUAL(upgrade_new(&world.conf, "x", wakeup, &upgrade, problem), -ENOENT);
    CHECK_CONTAINS(problem, "[upgrade] directory = /nowhere/at/all");
    world.conf.upgrade.directory = world.version_path;
    CHECK_EQUAL(upgrade_new(&world.conf, "x", wakeup, &upgrade, problem), -ENOTDIR);
    CHECK_EQUAL(mkdir(world.upgrade_directory, 0777), 0);
    CHECK_EQUAL(chmod(world.upgrade_directory, 0777), 0);
    world.conf.upgrade.directory = world.upgrade_directory;
    CHECK_EQUAL(upgrade_new(&world.conf, "x", wakeup, &upgrade, problem), -EPERM);
    CHECK_CONTAINS(problem, "nobody else may write there");
    CHECK_EQUAL(chmod(world.upgrade_directory, 0700), 0);
    CHECK_NULL(upgrade);
}

/* A second daemon is refused at once, an operator's look is not. */
UNIT_TEST(test_one_daemon_a_directory, "one daemon a directory")
{
    char expected[CONF_PROBLEM_MAX];
    char problem[CONF_PROBLEM_MAX] = "";
    struct upgrade *second = NULL;
    world_fresh();
    struct upgrade *upgrade = world_start_job();
    struct pending *pending = world_must_ask(upgrade, 1, "http://a/");
    ASSERT_PHASE(upgrade, pending, PHASE_REBOOTING);
    (void)pending_unref(pending);
    CHECK_EQUAL(
        upgrade_new(&world.conf, "x", (struct pending_wakeup){world_rang, NULL}, &second, problem),
        -EWOULDBLOCK);
    (void)snprintf(expected, sizeof expected,
                   "[upgrade] directory = %s: another vsock_host uses it: give each its own",
                   world.upgrade_directory);
    CHECK_STRING(problem, expected);
    CHECK_NULL(second);
    CHECK_EQUAL(upgrade_status_read(&world.conf, &view), 0);
    CHECK_EQUAL(view.status.phase, PHASE_REBOOTING);
    CHECK_EQUAL(fcntl(upgrade->directory_fd, F_GETFD), FD_CLOEXEC); /* no child keeps the claim */
    world_end_job(upgrade);
    upgrade = world_make_job();
    CHECK_NULL(upgrade_free(upgrade));
}

int main(void)
{
    return world_main("job over a restart");
}
