/* SPDX-License-Identifier: Apache-2.0 */
/* An installer that began before the daemon was started again. */
#include "host/upgrade/installer.h"
#include "upgrade_world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct pending_view view;

UNIT_TEST(test_installer_found_again, "an installer is found again")
{
    world_leave_installing();
    int fd = world_hold_lock();

    struct upgrade *upgrade = world_start_job();
    struct pending *pending = world_must_ask(upgrade, 0x11, "http://a/");
    (void)usleep(20000); /* some looks at the lock */
    pending_read(pending, &view);
    CHECK_EQUAL(view.status.phase, PHASE_INSTALLING);
    world_record(world_hex, RECORD_REBOOTING, ERROR_NONE, NULL);
    (void)close(fd);
    ASSERT_PHASE(upgrade, pending, PHASE_REBOOTING);
    CHECK_EQUAL(world.steps, 1);
    (void)pending_unref(pending);
    world_end_job(upgrade);

    upgrade = world_start_job(); /* and the reboot is still waited for */
    upgrade_read_status(upgrade, &view);
    CHECK_EQUAL(view.status.phase, PHASE_REBOOTING);
    world_end_job(upgrade);
    world_reboot();
    upgrade = world_start_job();
    upgrade_read_status(upgrade, &view);
    CHECK_EQUAL(view.status.phase, PHASE_UPGRADED);
    CHECK_TRUE(view.ended);
    CHECK_EQUAL(view.code, ERROR_NONE);
    world_end_job(upgrade);
    upgrade = world_start_job(); /* it stays so until the next request */
    upgrade_read_status(upgrade, &view);
    CHECK_EQUAL(view.status.phase, PHASE_UPGRADED);
    world.download = DOWNLOAD_BADLY;
    pending = world_must_ask(upgrade, 0x11, "http://a/");
    ASSERT_PHASE(upgrade, pending, PHASE_FAILED);
    (void)pending_unref(pending);
    world_end_job(upgrade);
}

UNIT_TEST(test_stop_while_waiting_for_the_lock, "stop while an installer is waited for")
{
    world_leave_installing();
    int fd = world_hold_lock();
    struct upgrade *upgrade = world_start_job();
    world_end_job(upgrade);
    CHECK_EQUAL(world_state().phase, PHASE_INSTALLING);
    (void)close(fd);
}

/* It was started, and has neither taken its lock nor written anything. */
UNIT_TEST(test_installer_that_is_late, "an installer that is late")
{
    int mark_fd = -1;
    world_leave_installing();
    world_lose_record();
    CHECK_EQUAL(start_mark_new(world.upgrade_directory, &mark_fd), 0);

    struct upgrade *upgrade = world_start_job();
    struct pending *pending = world_must_ask(upgrade, 0x11, "http://a/");
    (void)usleep(20000); /* some looks at the mark */
    pending_read(pending, &view);
    CHECK_EQUAL(view.status.phase, PHASE_INSTALLING);
    CHECK_EQUAL(world.downloads, 1);
    world_record(world_hex, RECORD_REBOOTING, ERROR_NONE, NULL);
    (void)close(mark_fd);
    ASSERT_PHASE(upgrade, pending, PHASE_REBOOTING);
    CHECK_EQUAL(world.steps, 1);
    (void)pending_unref(pending);
    world_end_job(upgrade);
}

/* The same of a unit: systemd alone knows of it. */
UNIT_TEST(test_unit_that_is_late, "a unit that is late")
{
    world_leave_installing();
    world_lose_record();
    world.conf.steps.method = CONF_STEP_UNIT;
    world.unit_is_pending = true;

    struct upgrade *upgrade = world_start_job();
    struct pending *pending = world_must_ask(upgrade, 0x11, "http://a/");
    (void)usleep(20000); /* some looks at it */
    pending_read(pending, &view);
    CHECK_EQUAL(view.status.phase, PHASE_INSTALLING);
    (void)pending_unref(pending);
    world_end_job(upgrade); /* a stop while it is waited for decides nothing */
    CHECK_EQUAL(world_state().phase, PHASE_INSTALLING);

    upgrade = world_start_job();
    pending = world_must_ask(upgrade, 0x11, "http://a/");
    world_record(world_hex, RECORD_REBOOTING, ERROR_NONE, NULL);
    world.unit_is_pending = false;
    ASSERT_PHASE(upgrade, pending, PHASE_REBOOTING);
    CHECK_EQUAL(world.downloads, 1);
    CHECK_EQUAL(world.steps, 1);
    (void)pending_unref(pending);
    world_end_job(upgrade);
}

/* systemd cannot be asked: lock and record decide, and there is none. */
UNIT_TEST(test_unit_that_cannot_be_asked_about, "a unit that cannot be asked about")
{
    world_leave_installing();
    world_lose_record();
    world.conf.steps.method = CONF_STEP_UNIT;
    world.unit_error = -ETIMEDOUT;
    world.step = STEP_REBOOTS;
    struct upgrade *upgrade = world_start_job();
    ASSERT_PHASE(upgrade, NULL, PHASE_REBOOTING);
    CHECK_EQUAL(world.downloads, 2);
    CHECK_EQUAL(world.steps, 2);
    world_end_job(upgrade);
}

/* Its installer has left a process behind that has the lock: the record is final, and is told. */
UNIT_TEST(test_lock_that_is_left_behind, "a lock that is left behind")
{
    static const struct {
        enum step_plan plan;
        enum install_record_stage stage;
        enum error_code code;
        enum phase phase;
    } rows[] = {
        {STEP_REBOOTS, RECORD_REBOOTING, ERROR_NONE, PHASE_REBOOTING},
        {STEP_NOT_READY, RECORD_FAILED, ERROR_NOT_READY, PHASE_FAILED},
    };
    CHECK_EACH(i, rows, "plan %u", rows[i].plan) {
        for (int unit = 0; unit < 2; unit++) {
            CHECK_ROW("unit = %d", unit);
            world_fresh();
            world.conf.steps.method = unit != 0 ? CONF_STEP_UNIT : CONF_STEP_EXEC;
            world.step = rows[i].plan;
            int fd = world_hold_lock();
            struct upgrade *upgrade = world_start_job();
            struct pending *pending = world_must_ask(upgrade, 0x11, "http://a/");
            ASSERT_PHASE(upgrade, pending, rows[i].phase);
            CHECK_EQUAL(view.code, rows[i].code);
            (void)pending_unref(pending);
            world_end_job(upgrade);
            (void)close(fd);
        }
        /* A daemon that is started then finds the same. */
        world_leave_installing();
        world_record(world_hex, rows[i].stage, rows[i].code, NULL);
        int fd = world_hold_lock();
        struct upgrade *upgrade = world_start_job();
        ASSERT_PHASE(upgrade, NULL, rows[i].phase);
        world_end_job(upgrade);
        (void)close(fd);
    }
}

/* The next one is told so, and its image stays. */
UNIT_TEST(test_lock_of_another, "a lock of another installation")
{
    world_fresh();
    world.step = STEP_SILENT;
    int fd = world_hold_lock();
    struct upgrade *upgrade = world_start_job();
    struct pending *pending = world_must_ask(upgrade, 0x11, "http://a/");
    ASSERT_PHASE(upgrade, pending, PHASE_FAILED);
    CHECK_EQUAL(view.code, ERROR_BUSY);
    CHECK_CONTAINS(view.text, "another installation");
    (void)pending_unref(pending);
    world_end_job(upgrade);
    (void)close(fd);
}

/* The image where vsock_host-install keeps it; true: it is there. */
static bool left_image(bool make)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/image", world.install_directory);
    (void)mkdir(path, 0700); /* it may be there */
    (void)snprintf(path, sizeof path, "%s/image/%s.img", world.install_directory, world_hex);
    int fd = open(path, O_RDONLY | O_CLOEXEC | (make ? O_CREAT : 0), 0400);
    if (fd >= 0) {
        (void)close(fd);
    }
    return fd >= 0;
}

/* The installer rebooted the machine, or somebody did in the middle of it: nobody removed the image. */
UNIT_TEST(test_image_that_is_left, "an image that is left")
{
    static const struct {
        const char *version;
        bool locked;
        enum install_record_stage stage;
        enum phase phase;
    } rows[] = {
        {"9.9.9", false, RECORD_STARTED, PHASE_UPGRADED},
        {NULL, false, RECORD_STARTED, PHASE_FAILED},
        /* Somebody installs: nothing of it is touched. */
        {"9.9.9", true, RECORD_STARTED, PHASE_INSTALLING},
        {"9.9.9", true, RECORD_REBOOTING, PHASE_UPGRADED},
    };
    CHECK_EACH(i, rows, "%s", rows[i].version) {
        world_leave_installing();
        CHECK_TRUE(left_image(true));
        (void)close(world_hold_lock()); /* the file is there */
        world_record(world_hex, rows[i].stage, ERROR_NONE, NULL);
        world_reboot();
        if (rows[i].version != NULL) {
            world_version(rows[i].version);
        }
        int fd = rows[i].locked ? world_hold_lock() : -1;
        struct upgrade *upgrade = world_start_job();
        ASSERT_PHASE(upgrade, NULL, rows[i].phase);
        world_end_job(upgrade);
        CHECK_EQUAL(left_image(false), rows[i].locked);
        if (fd >= 0) {
            (void)close(fd);
        }
    }
}

int main(void)
{
    return world_main("job and an installer that runs");
}
