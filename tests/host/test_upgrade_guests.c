/* SPDX-License-Identifier: Apache-2.0 */
#include "upgrade_world.h"
#include "wire/clock.h"

#include <stdlib.h>
#include <unistd.h>

static struct pending_view view;
static char why[PENDING_TEXT_MAX];

/* --- several who ask --- */

UNIT_TEST(test_join_and_mirrors, "the same hash joins; mirrors; watchers")
{
    world_fresh();
    world.download = DOWNLOAD_HELD;
    struct upgrade *upgrade = world_start_job();
    struct pending *pendings[8];
    static const char *const urls[] = {"http://a/", "http://a/", "http://b/", "http://c/",
                                       "http://d/", "http://e/", "http://f/", "http://b/"};
    for (size_t i = 0; i < 8; i++) {
        CHECK_ROW("i = %zu", i);
        pendings[i] = world_must_ask(upgrade, 1, urls[i]);
        CHECK_EQUAL(pendings[i], pendings[0]);
    }
    struct pending *none = NULL;
    CHECK_EQUAL(world_ask(upgrade, 1, "http://a/", &none, why), ERROR_BUSY);
    CHECK_CONTAINS(why, "[upgrade] watchers = 8");
    CHECK_NULL(none);
    (void)pending_unref(pendings[7]);
    pendings[7] = world_must_ask(upgrade, 1, "http://a/");
    world_release();
    ASSERT_PHASE(upgrade, pendings[0], PHASE_REBOOTING);
    CHECK_EQUAL(world.downloads, 1);
    CHECK_EQUAL(world.mirrors, 5);
    for (size_t i = 0; i < 8; i++) {
        CHECK_ROW("i = %zu", i);
        CHECK_NULL(pending_unref(pendings[i]));
    }
    world_end_job(upgrade);
}

UNIT_TEST(test_queue, "another hash waits or is busy")
{
    world_fresh();
    world.download = DOWNLOAD_HELD;
    struct upgrade *upgrade = world_start_job();
    struct pending *first = world_must_ask(upgrade, 1, "http://a/");
    ASSERT_PHASE(upgrade, first, PHASE_DOWNLOADING);
    struct pending *second = world_must_ask(upgrade, 2, "http://a/");
    pending_read(second, &view);
    CHECK_EQUAL(view.status.phase, PHASE_QUEUED);
    CHECK_FALSE(view.ended);
    CHECK_EQUAL(world_queued(), 1);
    struct pending *joined = world_must_ask(upgrade, 2, "http://b/");
    CHECK_EQUAL(joined, second);
    struct pending *none = NULL;
    CHECK_EQUAL(world_ask(upgrade, 3, "http://a/", &none, why), ERROR_BUSY);
    CHECK_CONTAINS(why, "010101010101");
    CHECK_CONTAINS(why, "downloading");
    CHECK_CONTAINS(why, "[upgrade] queue = 1");
    upgrade_read_status(upgrade, &view);
    CHECK_EQUAL(view.status.sha256[0], 1);

    world.step = STEP_NOT_READY;
    world_release();
    ASSERT_PHASE(upgrade, first, PHASE_FAILED);
    ASSERT_PHASE(upgrade, second, PHASE_FAILED); /* the descriptor stays readable */
    CHECK_EQUAL(world.downloads, 2);
    CHECK_EQUAL(world.mirrors, 2);
    (void)pending_unref(first);
    (void)pending_unref(second);
    (void)pending_unref(joined);
    world_end_job(upgrade);
    CHECK_EQUAL(world_queued(), 0);
}

UNIT_TEST(test_no_queue, "a queue of none")
{
    world_fresh();
    world.conf.upgrade.queue = 0;
    world.download = DOWNLOAD_HELD;
    struct upgrade *upgrade = world_start_job();
    struct pending *first = world_must_ask(upgrade, 1, "http://a/");
    struct pending *none = NULL;
    CHECK_EQUAL(world_ask(upgrade, 2, "http://a/", &none, why), ERROR_BUSY);
    (void)pending_unref(first);
    world_end_job(upgrade);
}

UNIT_TEST(test_reboot_pending, "while the reboot is pending")
{
    world_fresh();
    world.download = DOWNLOAD_HELD;
    struct upgrade *upgrade = world_start_job();
    struct pending *first = world_must_ask(upgrade, 1, "http://a/");
    struct pending *second = world_must_ask(upgrade, 2, "http://a/");
    world_release();
    ASSERT_PHASE(upgrade, first, PHASE_REBOOTING);
    ASSERT_PHASE(upgrade, second, PHASE_FAILED);
    CHECK_EQUAL(view.code, ERROR_BUSY);
    CHECK_CONTAINS(view.text, "reboot into upgrade 010101010101 is pending");
    CHECK_EQUAL(world.downloads, 1);
    struct pending *again = world_must_ask(upgrade, 1, "http://z/");
    pending_read(again, &view);
    CHECK_TRUE(view.ended);
    CHECK_EQUAL(view.code, ERROR_NONE);
    struct pending *none = NULL;
    CHECK_EQUAL(world_ask(upgrade, 2, "http://a/", &none, why), ERROR_BUSY);
    CHECK_CONTAINS(why, "reboot into upgrade 010101010101 is pending");
    upgrade_read_status(upgrade, &view);
    CHECK_EQUAL(view.status.phase, PHASE_REBOOTING);
    (void)pending_unref(first);
    (void)pending_unref(second);
    (void)pending_unref(again);
    world_end_job(upgrade);
    CHECK_EQUAL(world_queued(), 0);
}

static void reboot_never_comes(enum conf_step_method method)
{
    world_fresh();
    world.conf.steps.method = method;
    world.reboot_delay = 0;
    struct upgrade *upgrade = world_make_job();
    upgrade->reboot_grace_ms = 1;
    CHECK_EQUAL(upgrade_start(upgrade), 0);
    struct pending *pending = world_must_ask(upgrade, 1, "http://a/");
    ASSERT_PHASE(upgrade, pending, PHASE_FAILED);
    CHECK_EQUAL(view.code, ERROR_REBOOT_FAILED);
    struct pending *again = world_must_ask(upgrade, 1, "http://a/"); /* judged anew */
    ASSERT_PHASE(upgrade, again, PHASE_FAILED);
    CHECK_EQUAL(world.downloads, 2);
    (void)pending_unref(pending);
    (void)pending_unref(again);
    world_end_job(upgrade);
    world_reboot(); /* it came after all */
    upgrade = world_start_job();
    upgrade_read_status(upgrade, &view);
    CHECK_EQUAL(view.status.phase, PHASE_UPGRADED);
    CHECK_EQUAL(view.status.result, ERROR_NONE);
    CHECK_EQUAL(view.status.detail.length, 0);
    world_end_job(upgrade);
}

UNIT_TEST(test_refused, "refused requests")
{
    world_fresh();
    struct upgrade *upgrade = world_start_job();
    struct pending *none = NULL;
    CHECK_EQUAL(world_ask(upgrade, 1, "file:///etc/passwd", &none, why), ERROR_INVALID_ARGUMENT);
    CHECK_STRING(why, "only http");
    CHECK_EQUAL(world_ask(upgrade, 1, "", &none, why), ERROR_INVALID_ARGUMENT);
    char url[URL_MAX + 2];
    memset(url, 'h', sizeof url - 1);
    url[URL_MAX + 1] = '\0';
    CHECK_EQUAL(world_ask(upgrade, 1, url, &none, why), ERROR_INVALID_ARGUMENT);
    CHECK_NULL(none);
    upgrade_read_status(upgrade, &view);
    CHECK_EQUAL(view.status.phase, PHASE_IDLE);
    upgrade_stop(upgrade);
    CHECK_EQUAL(world_ask(upgrade, 1, "http://a/", &none, why), ERROR_SHUTTING_DOWN);
    CHECK_EQUAL(world.downloads, 0);
    CHECK_NULL(upgrade_free(upgrade));
}

/* The folder goes away beneath the job: nothing is told that did not happen. */
UNIT_TEST(test_cannot_record, "a request that cannot be recorded")
{
    world_fresh();
    struct upgrade *upgrade = world_start_job();
    world_shell("rm -rf ", world.upgrade_directory, "");
    struct pending *pending = world_must_ask(upgrade, 1, "http://a/");
    pending_read(pending, &view);
    CHECK_TRUE(view.ended);
    CHECK_EQUAL(view.code, ERROR_INTERNAL);
    CHECK_CONTAINS(view.text, "cannot be recorded: /tmp/test_upgrade.");
    CHECK_CONTAINS(view.text, "01 cannot be written: No such file or directory");
    CHECK_EQUAL(world.downloads, 0);
    (void)pending_unref(pending);
    world_end_job(upgrade);
}

/* Its size is known, and recorded. */
static bool await_size(const struct pending *pending)
{
    int64_t deadline_ms = clock_deadline(WORLD_PATIENCE_MS);
    do {
        (void)usleep(1000);
        pending_read(pending, &view);
    } while (view.status.total == 0 && clock_ms() < deadline_ms);
    return view.status.total == WORLD_TOTAL;
}

UNIT_TEST(test_cannot_record_installing, "an installation that cannot be recorded")
{
    world_fresh();
    world.download = DOWNLOAD_HELD;
    struct upgrade *upgrade = world_start_job();
    struct pending *pending = world_must_ask(upgrade, 1, "http://a/");
    CHECK_TRUE(await_size(pending));
    world_shell("rm -rf ", world.upgrade_directory, "");
    world_release();
    ASSERT_PHASE(upgrade, pending, PHASE_FAILED);
    CHECK_EQUAL(view.code, ERROR_INTERNAL);
    CHECK_CONTAINS(view.text, "/state cannot be written: No such file or directory");
    CHECK_EQUAL(world.steps, 0);
    CHECK_FALSE(world_logged("VSOCK_UPGRADE_PHASE=installing")); /* nobody was told */
    (void)pending_unref(pending);
    world_end_job(upgrade);
}

/* --- many at once --- */

enum { GUESTS = 8, ROUNDS = 40 };
static struct upgrade *shared_job;
static atomic_bool all_done;

static void *guest(void *context)
{
    unsigned seed = *(const unsigned *)context;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct pending *pending = NULL;
        struct pending_view seen = {.revision = 0};
        char text[PENDING_TEXT_MAX];
        uint64_t revision = 0;
        enum error_code code =
            world_ask(shared_job, (uint8_t)((seed + round) % 3), "http://a/", &pending, text);
        if (code != ERROR_NONE) {
            if (code == ERROR_SHUTTING_DOWN) {
                return NULL;
            }
            (void)usleep(200);
            continue;
        }
        while (!seen.ended && !all_done) {
            pending_read(pending, &seen);
            if (seen.revision < revision) {
                abort();
            }
            revision = seen.revision;
            upgrade_read_status(shared_job, &seen);
            pending_read(pending, &seen);
            (void)usleep(50);
        }
        (void)pending_unref(pending);
    }
    return NULL;
}

UNIT_TEST(test_many_guests_and_a_stop, "many guests and a stop")
{
    world_fresh();
    world.step = STEP_NOT_READY; /* every upgrade ends, and the next begins */
    all_done = false;
    shared_job = world_start_job();
    pthread_t threads[GUESTS];
    unsigned seeds[GUESTS];
    for (unsigned i = 0; i < GUESTS; i++) {
        CHECK_ROW("i = %u", i);
        seeds[i] = i;
        REQUIRE_EQUAL(pthread_create(&threads[i], NULL, guest, &seeds[i]), 0);
    }
    int64_t deadline_ms = clock_deadline(WORLD_PATIENCE_MS);
    while (world.downloads < 10 && clock_ms() < deadline_ms) {
        (void)usleep(500);
    }
    CHECK_COMPARE(world.downloads, >=, 10);
    upgrade_stop(shared_job); /* in the middle */
    all_done = true;
    for (size_t i = 0; i < GUESTS; i++) {
        CHECK_ROW("i = %zu", i);
        CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
    }
    CHECK_NULL(upgrade_free(shared_job)); /* asserts that every ticket came back */
}

/* A scheduled reboot that somebody cancels is found out by the record, in either method. */
UNIT_TEST(test_reboot_never_comes, "a reboot that does not come")
{
    reboot_never_comes(CONF_STEP_EXEC);
    reboot_never_comes(CONF_STEP_UNIT);
}

int main(void)
{
    return world_main("job, many guests");
}
