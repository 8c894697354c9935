/* SPDX-License-Identifier: Apache-2.0 */
#include "upgrade_world.h"
#include "wire/clock.h"

#include <unistd.h>

static struct pending_view view;

static void await_told(const char *text)
{
    int64_t deadline_ms = clock_deadline(WORLD_PATIENCE_MS);
    while (!world_told(text) && clock_ms() < deadline_ms) {
        (void)usleep(500);
    }
    CHECK_TRUE(world_told(text));
}

/* --- one upgrade --- */

UNIT_TEST(test_upgrade, "an upgrade, from queued to rebooting")
{
    world_fresh();
    struct upgrade *upgrade = world_start_job();
    upgrade_read_status(upgrade, &view);
    CHECK_EQUAL(view.status.phase, PHASE_IDLE);
    CHECK_FALSE(view.status.has_sha256);
    struct pending *pending = world_must_ask(upgrade, 0xab, "http://user:hunter2@host/image");
    ASSERT_PHASE(upgrade, pending, PHASE_REBOOTING);
    CHECK_TRUE(view.ended);
    CHECK_EQUAL(view.code, ERROR_NONE);
    CHECK_EQUAL(view.status.done, WORLD_TOTAL);
    CHECK_EQUAL(view.status.total, WORLD_TOTAL);
    CHECK_PREFIX(view.text, "the machine reboots at 20");
    CHECK_EQUAL(view.status.detail.bytes, view.text);
    CHECK_STRING(world.argv[0], world_program);
    CHECK_STRING(world.argv[1], "--config");
    CHECK_STRING(world.argv[2], "/etc/x.conf");
    CHECK_PREFIX(world.argv[3], "abababab");
    struct state state = world_state();
    CHECK_EQUAL(state.phase, PHASE_REBOOTING);
    CHECK_STRING(state.urls[0], "http://host/image");
    CHECK_STRING(state.version, "1.0\\x0a");
    CHECK_EQUAL(world_queued(), 0);
    (void)pending_unref(pending);
    world_end_job(upgrade);
    CHECK_COMPARE(world.rings, >=, 4); /* one for each phase; the last comes after it is seen */
    CHECK_TRUE(world_logged("VSOCK_UPGRADE_PHASE=downloading"));
    CHECK_TRUE(world_logged("VSOCK_UPGRADE_PHASE=installing"));
    CHECK_TRUE(world_logged("VSOCK_UPGRADE_DONE=1000000 VSOCK_UPGRADE_TOTAL=1000000"));
    CHECK_TRUE(world_logged("6 a line of the installer"));
    CHECK_FALSE(world_logged("hunter2"));
    CHECK_PREFIX(world.status, "upgrade abababababab: rebooting, 100 %");
}

#define HASH "0101010101010101010101010101010101010101010101010101010101010101"
UNIT_TEST(test_failures, "how each failure is told")
{
    static const struct {
        enum conf_step_method method;
        enum download_plan download;
        enum step_plan step;
        enum error_code code;
        const char *text;
    } rows[] = {
        {CONF_STEP_EXEC, DOWNLOAD_BADLY, STEP_REBOOTS, ERROR_DOWNLOAD_FAILED, "no server answers"},
        {CONF_STEP_EXEC, DOWNLOAD_WELL, STEP_NOT_READY, ERROR_NOT_READY, "said the record"},
        {CONF_STEP_EXEC, DOWNLOAD_WELL, STEP_SILENT, ERROR_INSTALL_FAILED,
         "vsock_host-install left no record: vsock_host-install exited with status 1: its last "
         "words"},
        {CONF_STEP_EXEC, DOWNLOAD_WELL, STEP_MISSING, ERROR_INSTALL_FAILED,
         "/nowhere/vsock_host-install cannot be started: No such file or directory"},
        {CONF_STEP_EXEC, DOWNLOAD_WELL, STEP_CUT, ERROR_INSTALL_FAILED,
         "vsock_host-install was ended before it recorded the outcome of the installation"},
        {CONF_STEP_EXEC, DOWNLOAD_WELL, STEP_NEVER_REBOOT, ERROR_REBOOT_FAILED,
         "the image is installed, but vsock_host-install does not request the reboot"},
        {CONF_STEP_UNIT, DOWNLOAD_WELL, STEP_NOT_READY, ERROR_NOT_READY, "said the record"},
        {CONF_STEP_UNIT, DOWNLOAD_WELL, STEP_SILENT, ERROR_INSTALL_FAILED,
         "vsock_host-install left no record: vsock_host-install@" HASH ".service failed (failed, "
         "job failed)"},
        {CONF_STEP_UNIT, DOWNLOAD_WELL, STEP_MISSING, ERROR_INSTALL_FAILED,
         "vsock_host-install@" HASH ".service is not installed on this host"},
        {CONF_STEP_UNIT, DOWNLOAD_WELL, STEP_CUT, ERROR_INSTALL_FAILED,
         "vsock_host-install was ended before it recorded the outcome of the installation"},
    };
    CHECK_EACH(i, rows, "%s", rows[i].text) {
        world_fresh();
        world.download = rows[i].download;
        world.step = rows[i].step;
        world.conf.steps.method = rows[i].method;
        struct upgrade *upgrade = world_start_job();
        for (unsigned again = 0; again < 2; again++) { /* the second is judged anew */
            struct pending *pending = world_must_ask(upgrade, 1, "http://host/");
            ASSERT_PHASE(upgrade, pending, PHASE_FAILED);
            CHECK_TRUE(view.ended);
            CHECK_EQUAL(view.code, rows[i].code);
            CHECK_EQUAL(view.status.result, rows[i].code);
            CHECK_STRING(view.text, rows[i].text);
            (void)pending_unref(pending);
        }
        CHECK_EQUAL(world.downloads, 2);
        world_end_job(upgrade);
        CHECK_EQUAL(world_state().code, rows[i].code);
    }
}

UNIT_TEST(test_reboot_is_asked_for_again, "installed without a reboot: asked again")
{
    world_fresh();
    world.step = STEP_NO_REBOOT;
    struct upgrade *upgrade = world_start_job();
    struct pending *pending = world_must_ask(upgrade, 1, "http://host/");
    ASSERT_PHASE(upgrade, pending, PHASE_REBOOTING);
    CHECK_EQUAL(world.steps, 2);
    (void)pending_unref(pending);
    world_end_job(upgrade);
}

UNIT_TEST(test_fetched_again, "fetched again after a wrong hash")
{
    world_fresh();
    world.download = DOWNLOAD_TWICE;
    struct upgrade *upgrade = world_start_job();
    struct pending *pending = world_must_ask(upgrade, 1, "http://host/");
    ASSERT_PHASE(upgrade, pending, PHASE_REBOOTING);
    CHECK_EQUAL(view.status.done, WORLD_TOTAL);
    CHECK_TRUE(world_logged("4 the journal's own words VSOCK_UPGRADE_SHA256=0101"));
    CHECK_FALSE(world_logged("from the start again VSOCK"));
    (void)pending_unref(pending);
    world_end_job(upgrade);
}

/* What is told of a failed try holds until bytes arrive again. */
UNIT_TEST(test_words_of_a_retry, "the words of a failed try")
{
    world_fresh();
    world.download = DOWNLOAD_RETRIED;
    struct upgrade *upgrade = world_start_job();
    struct pending *pending = world_must_ask(upgrade, 1, "http://host/");
    await_told(": the connection was lost");
    CHECK_TRUE(world_told("upgrade 010101010101: downloading, 25 %, 250000 of 1000000 bytes"));
    pending_read(pending, &view);
    CHECK_STRING(view.text, "the connection was lost");
    world_release();
    await_told("upgrade 010101010101: downloading, 50 %, 500000 of 1000000 bytes, ");
    CHECK_TRUE(world_told(" MiB/s, "));
    CHECK_TRUE(world_told(" s left"));
    CHECK_FALSE(world_told("lost"));
    pending_read(pending, &view);
    CHECK_STRING(view.text, "");
    world_release();
    ASSERT_PHASE(upgrade, pending, PHASE_REBOOTING);
    (void)pending_unref(pending);
    world_end_job(upgrade);
}

/* A url that a guest adds is on disk soon: as bytes arrive, or after a try that failed. */
UNIT_TEST(test_mirror_is_written, "a mirror is written down")
{
    world_fresh();
    world.download = DOWNLOAD_RETRIED;
    struct upgrade *upgrade = world_start_job();
    struct pending *pending = world_must_ask(upgrade, 1, "http://host/");
    await_told(": the connection was lost");
    (void)pending_unref(world_must_ask(upgrade, 1, "http://mirror/"));
    CHECK_EQUAL(world_state().url_count, 1);
    world_release();
    await_told("upgrade 010101010101: downloading, 50 %");
    CHECK_EQUAL(world_state().url_count, 2);
    (void)pending_unref(pending);
    world_end_job(upgrade);
    upgrade = world_make_job();             /* the test is the job thread now */
    CHECK_EQUAL(upgrade->recorded_urls, 2); /* there is nothing to be written */
    CHECK_EQUAL(world_state().url_count, 2);
    (void)pending_unref(world_must_ask(upgrade, 1, "http://third/"));
    CHECK_EQUAL(world_state().url_count, 2);
    upgrade_publish_retry(upgrade, "the connection was lost", "the journal's own words");
    CHECK_EQUAL(world_state().url_count, 3);
    CHECK_NULL(upgrade_free(upgrade));
}

UNIT_TEST(test_counts_begin_anew, "the counts of another upgrade")
{
    world_fresh();
    world.step = STEP_NOT_READY;
    struct upgrade *upgrade = world_start_job();
    struct pending *pending = world_must_ask(upgrade, 1, "http://host/");
    ASSERT_PHASE(upgrade, pending, PHASE_FAILED);
    CHECK_EQUAL(view.status.done, WORLD_TOTAL);
    (void)pending_unref(pending);
    world.download = DOWNLOAD_BADLY;
    pending = world_must_ask(upgrade, 2, "http://host/");
    ASSERT_PHASE(upgrade, pending, PHASE_FAILED);
    CHECK_EQUAL(view.status.done, 0);
    CHECK_EQUAL(view.status.total, 0);
    (void)pending_unref(pending);
    world_end_job(upgrade);
}

/* From the first instant the status is that of the upgrade that was asked for. */
UNIT_TEST(test_status_before_the_start, "the status before it is begun")
{
    world_fresh();
    struct upgrade *upgrade = world_make_job();
    struct pending *pending = world_must_ask(upgrade, 1, "http://host/");
    upgrade_read_status(upgrade, &view);
    CHECK_EQUAL(view.status.phase, PHASE_QUEUED);
    CHECK_EQUAL(upgrade_start(upgrade), 0);
    ASSERT_PHASE(upgrade, pending, PHASE_REBOOTING);
    (void)pending_unref(pending);
    world_end_job(upgrade);
}

/* A record that an earlier run left, of the same image, is not taken for this one's. */
UNIT_TEST(test_stale_record, "a record from before is not believed")
{
    world_fresh();
    world.step = STEP_SILENT;
    world_record(world_hex, RECORD_REBOOTING, ERROR_NONE, NULL);
    struct upgrade *upgrade = world_start_job();
    struct pending *pending = world_must_ask(upgrade, 0x11, "http://host/");
    ASSERT_PHASE(upgrade, pending, PHASE_FAILED);
    CHECK_EQUAL(view.code, ERROR_INSTALL_FAILED);
    (void)pending_unref(pending);
    world_end_job(upgrade);
}

int main(void)
{
    return world_main("job");
}
