/* SPDX-License-Identifier: Apache-2.0 */
/* The upgrade job when files cannot be written or read, or that at an unlucky instant. The linker
 * puts the functions named __wrap_... in the place of those that it calls (--wrap, ld(1)). */
#include "upgrade_world.h"

#include <errno.h>
#include <stdio.h>

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's names */
MUST_CHECK int __real_state_write(const struct state *state, int directory_fd, const char *name);
MUST_CHECK int __wrap_state_write(const struct state *state, int directory_fd, const char *name);
MUST_CHECK int __real_boot_id_read(char out[BOOT_ID_SIZE]);
MUST_CHECK int __wrap_boot_id_read(char out[BOOT_ID_SIZE]);
MUST_CHECK int __real_installer_wait(const struct installer *installer, const struct state *state);
MUST_CHECK int __wrap_installer_wait(const struct installer *installer, const struct state *state);
void __real_upgrade_log_phase(const struct state *state, const struct progress *progress);
void __wrap_upgrade_log_phase(const struct state *state, const struct progress *progress);
MUST_CHECK int __real_state_queued_remove(int directory_fd, const uint8_t sha256[SHA256_SIZE]);
MUST_CHECK int __wrap_state_queued_remove(int directory_fd, const uint8_t sha256[SHA256_SIZE]);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static struct pending_view view;

/* What goes wrong; all 0: nothing. */
static struct {
    struct upgrade *ends_queue;  /* its queue is ended while a file of the queue is being written */
    struct upgrade *takes_queue; /* likewise, but the end has only just begun */
    struct upgrade_pending *taken; /* what it had */
    int write_error;               /* of writing a file of the queue */
    atomic_int wait_error;         /* of waiting for the installer */
    atomic_int boot_id_error; /* of reading it; before the installation, or once that has run */
    atomic_bool boot_id_after;
} fault;

/* What was seen. */
static struct {
    struct upgrade *upgrade; /* looked at */
    bool told_too_late;      /* "queued" was logged when the job thread might have begun it */
    bool removed_too_late;   /* a file was removed when another request might have written it */
} seen;

static struct upgrade_pending *swap_queue(struct upgrade *upgrade, struct upgrade_pending *queue)
{
    lock_take(&upgrade->lock);
    struct upgrade_pending *before = upgrade->queue;
    upgrade->queue = queue;
    lock_give(&upgrade->lock);
    return before;
}

int __wrap_state_write(const struct state *state, int directory_fd, const char *name)
{
    if (strncmp(name, "queued.", 7) != 0) {
        return __real_state_write(state, directory_fd, name);
    }
    if (fault.ends_queue != NULL) {
        upgrade_queue_end(fault.ends_queue);
    }
    if (fault.takes_queue != NULL) {
        fault.taken = swap_queue(fault.takes_queue, NULL);
    }
    return fault.write_error != 0 ? fault.write_error
                                  : __real_state_write(state, directory_fd, name);
}

void __wrap_upgrade_log_phase(const struct state *state, const struct progress *progress)
{
    if (seen.upgrade != NULL && state->phase == PHASE_QUEUED) {
        lock_take(&seen.upgrade->lock);
        seen.told_too_late = seen.upgrade->queue == NULL || seen.upgrade->queue->recorded;
        lock_give(&seen.upgrade->lock);
    }
    __real_upgrade_log_phase(state, progress);
}

int __wrap_state_queued_remove(int directory_fd, const uint8_t sha256[SHA256_SIZE])
{
    if (seen.upgrade != NULL) {
        lock_take(&seen.upgrade->lock);
        seen.removed_too_late = seen.removed_too_late || seen.upgrade->queue == NULL;
        lock_give(&seen.upgrade->lock);
    }
    return __real_state_queued_remove(directory_fd, sha256);
}

int __wrap_installer_wait(const struct installer *installer, const struct state *state)
{
    return fault.wait_error != 0 ? fault.wait_error : __real_installer_wait(installer, state);
}

int __wrap_boot_id_read(char out[BOOT_ID_SIZE])
{
    bool fails = fault.boot_id_error != 0 && world.downloads > 0 &&
                 (!fault.boot_id_after || world.steps > 0);
    return fails ? fault.boot_id_error : __real_boot_id_read(out);
}

/* A job without a thread, whose present upgrade an earlier run has left. */
static struct upgrade *make_job_with_present(void)
{
    memset(&fault, 0, sizeof fault);
    memset(&seen, 0, sizeof seen);
    world_fresh();
    world.download = DOWNLOAD_HELD;
    struct upgrade *upgrade = world_start_job();
    struct pending *pending = world_must_ask(upgrade, 1, "http://a/");
    ASSERT_PHASE(upgrade, pending, PHASE_DOWNLOADING);
    (void)pending_unref(pending);
    world_end_job(upgrade);
    world.rings = 0;
    return world_make_job();
}

/* A reboot becomes pending while a request is being recorded: the queue's end is its end, whether
 * or not the recording went well. */
UNIT_TEST(test_ended_while_it_is_recorded, "ended while it is recorded")
{
    static const int errors[] = {0, -ENOSPC, -EIO};
    CHECK_EACH(i, errors, "%d", errors[i]) {
        struct upgrade *upgrade = make_job_with_present();
        fault.ends_queue = upgrade;
        fault.write_error = errors[i];
        struct pending *pending = world_must_ask(upgrade, 2, "http://b/");
        pending_read(pending, &view);
        CHECK_EQUAL(view.status.phase, PHASE_FAILED);
        CHECK_EQUAL(view.code, ERROR_BUSY);
        CHECK_CONTAINS(view.text, "reboot into upgrade 010101010101 is pending");
        CHECK_FALSE(world_logged("upgrade 020202020202: queued"));
        CHECK_TRUE(world_logged("upgrade 020202020202: failed, busy"));
        CHECK_EQUAL(world.rings, 0);
        CHECK_EQUAL(world_queued(), 0);
        CHECK_NULL(upgrade->queue);
        (void)pending_unref(pending);
        world_end_job(upgrade);
    }
}

/* The same, but when the recording is over the end has taken the upgrade and not yet told so. */
UNIT_TEST(test_taken_while_it_is_recorded, "taken while it is recorded")
{
    static const int errors[] = {0, -ENOSPC, -EIO};
    CHECK_EACH(i, errors, "%d", errors[i]) {
        struct upgrade *upgrade = make_job_with_present();
        fault.takes_queue = upgrade;
        fault.write_error = errors[i];
        struct pending *pending = world_must_ask(upgrade, 2, "http://b/");
        pending_read(pending, &view);
        CHECK_FALSE(view.ended);
        CHECK_FALSE(world_logged("upgrade 020202020202"));
        CHECK_EQUAL(world.rings, 0);
        CHECK_EQUAL(world_queued(), 0);
        CHECK_NULL(swap_queue(upgrade, fault.taken));
        upgrade_queue_end(upgrade);
        pending_read(pending, &view);
        CHECK_EQUAL(view.code, ERROR_BUSY);
        (void)pending_unref(pending);
        world_end_job(upgrade);
    }
}

UNIT_TEST(test_no_room_to_record, "no room to record a request")
{
    struct upgrade *upgrade = seen.upgrade = make_job_with_present();
    fault.write_error = -ENOSPC;
    struct pending *pending = world_must_ask(upgrade, 2, "http://b/");
    pending_read(pending, &view);
    CHECK_EQUAL(view.code, ERROR_NO_SPACE);
    CHECK_FALSE(world_logged("upgrade 020202020202: queued"));
    CHECK_TRUE(world_logged("upgrade 020202020202: failed, no_space"));
    CHECK_FALSE(seen.removed_too_late);
    CHECK_EQUAL(world.rings, 1);
    CHECK_NULL(upgrade->queue);
    (void)pending_unref(pending);
    world_end_job(upgrade);
}

/* The journal has the phases in their order. */
UNIT_TEST(test_queued_is_told_before_it_is_begun, "queued is told before it is begun")
{
    struct upgrade *upgrade = seen.upgrade = make_job_with_present();
    struct pending *pending = world_must_ask(upgrade, 2, "http://b/");
    CHECK_TRUE(world_logged("upgrade 020202020202: queued"));
    CHECK_FALSE(seen.told_too_late);
    CHECK_TRUE(upgrade->queue->recorded);
    (void)pending_unref(pending);
    world_end_job(upgrade);
}

/* What is not known is said to be so, and why. */
UNIT_TEST(test_facts_that_cannot_be_had, "facts that cannot be had")
{
    static const struct {
        int wait_error;
        int boot_id_error;
        bool after;
        unsigned steps;
        enum error_code code;
        bool outcome_unknown;
        const char *text;
    } rows[] = {
        {-ETIMEDOUT, 0, true, 1, ERROR_INSTALL_FAILED, true,
         "an installer still runs after its time limit"},
        {0, -EIO, true, 1, ERROR_INTERNAL, true,
         "outcome of the installation unknown: the boot id cannot be read: Input/output error"},
        {0, -EACCES, false, 0, ERROR_INTERNAL, false,
         "the installation is not started: the boot id cannot be read: Permission denied"},
    };
    CHECK_EACH(i, rows, "%s", rows[i].text) {
        memset(&fault, 0, sizeof fault);
        memset(&seen, 0, sizeof seen);
        world_fresh();
        world.step = STEP_SILENT; /* it leaves no record, which would need the boot id too */
        fault.wait_error = rows[i].wait_error;
        fault.boot_id_error = rows[i].boot_id_error;
        fault.boot_id_after = rows[i].after;
        struct upgrade *upgrade = world_start_job();
        struct pending *pending = world_must_ask(upgrade, 1, "http://a/");
        ASSERT_PHASE(upgrade, pending, PHASE_FAILED);
        CHECK_EQUAL(view.code, rows[i].code);
        CHECK_STRING(view.text, rows[i].text);
        CHECK_EQUAL(world.steps, rows[i].steps);
        (void)pending_unref(pending);
        world_end_job(upgrade);
        CHECK_EQUAL(world_state().outcome_unknown, rows[i].outcome_unknown ? 1 : 0);
    }
}

/* The installer ends after all deadlines: in the boot after it the truth is told. */
UNIT_TEST(test_end_after_all_deadlines, "an end after all deadlines")
{
    static const struct {
        enum install_record_stage stage;
        enum phase phase;
    } rows[] = {
        {RECORD_REBOOTING, PHASE_UPGRADED},
        {RECORD_INSTALLED, PHASE_UPGRADED},
        {RECORD_FAILED, PHASE_FAILED},
    };
    char hex[SHA256_HEX + 1];
    CHECK_EACH(i, rows, "stage %u", rows[i].stage) {
        memset(&fault, 0, sizeof fault);
        memset(&seen, 0, sizeof seen);
        world_fresh();
        world.step = STEP_SILENT;
        fault.wait_error = -ETIMEDOUT;
        struct upgrade *upgrade = world_start_job();
        struct pending *pending = world_must_ask(upgrade, 1, "http://a/");
        ASSERT_PHASE(upgrade, pending, PHASE_FAILED);
        (void)pending_unref(pending);
        world_end_job(upgrade);
        sha256_format(world_state().sha256, hex);
        world_record(hex, rows[i].stage, ERROR_NONE, NULL);
        upgrade = world_start_job(); /* the daemon alone is started anew */
        upgrade_read_status(upgrade, &view);
        CHECK_EQUAL(view.status.phase, PHASE_FAILED);
        world_end_job(upgrade);
        world_reboot();
        upgrade = world_start_job();
        upgrade_read_status(upgrade, &view);
        CHECK_EQUAL(view.status.phase, rows[i].phase);
        world_end_job(upgrade);
        CHECK_EQUAL(world_state().outcome_unknown, rows[i].phase == PHASE_FAILED ? 1 : 0);
    }
}

/* What came of the unit was not heard, and it may yet begin. */
UNIT_TEST(test_unit_that_was_not_heard_of, "a unit that was not heard of")
{
    static const struct {
        enum step_plan plan;
        const char *text;
    } rows[] = {
        {STEP_UNHEARD, "systemd has not answered since"},
        {STEP_LOST, "its result is unknown"},
    };
    CHECK_EACH(i, rows, "%s", rows[i].text) {
        memset(&fault, 0, sizeof fault);
        memset(&seen, 0, sizeof seen);
        world_fresh();
        world.conf.steps.method = CONF_STEP_UNIT;
        world.step = rows[i].plan;
        struct upgrade *upgrade = world_start_job();
        struct pending *pending = world_must_ask(upgrade, 1, "http://a/");
        ASSERT_PHASE(upgrade, pending, PHASE_FAILED);
        CHECK_CONTAINS(view.text, rows[i].text);
        (void)pending_unref(pending);
        world_end_job(upgrade);
        CHECK_EQUAL(world_state().outcome_unknown, 1);
    }
}

int main(void)
{
    return world_main("job, faults");
}
