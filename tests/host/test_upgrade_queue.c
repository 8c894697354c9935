/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the queue when they cannot be read, or are removed at an unlucky instant. The linker
 * puts the functions named __wrap_... in the place of those that it calls (--wrap, ld(1)). */
#include "upgrade_world.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's names */
MUST_CHECK int __real_state_write(const struct state *state, int directory_fd, const char *name);
MUST_CHECK int __wrap_state_write(const struct state *state, int directory_fd, const char *name);
MUST_CHECK int __real_state_read(int directory_fd, const char *name, struct state *ret);
MUST_CHECK int __wrap_state_read(int directory_fd, const char *name, struct state *ret);
MUST_CHECK int __real_state_queued_list(int directory_fd, bool sweep, uint8_t (*ret)[SHA256_SIZE],
                                        size_t max, size_t *count);
MUST_CHECK int __wrap_state_queued_list(int directory_fd, bool sweep, uint8_t (*ret)[SHA256_SIZE],
                                        size_t max, size_t *count);
struct upgrade_pending *__real_upgrade_pending_new(struct upgrade *upgrade,
                                                   const struct state *state);
struct upgrade_pending *__wrap_upgrade_pending_new(struct upgrade *upgrade,
                                                   const struct state *state);
MUST_CHECK int __real_state_queued_remove(int directory_fd, const uint8_t sha256[SHA256_SIZE]);
MUST_CHECK int __wrap_state_queued_remove(int directory_fd, const uint8_t sha256[SHA256_SIZE]);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static struct pending_view view;

/* What goes wrong; all 0: nothing. */
static struct {
    int state_error; /* of writing the state */
    int read_error;  /* of reading a file of the queue */
    int list_error;  /* of finding those files */
    bool no_memory;  /* for an upgrade that waits */
} fault;

/* A file was removed when the upgrade of that hash had ended, so that it may be another's. */
static atomic_bool removed_after_end;
static struct upgrade *_Atomic watched; /* NULL: none */

static bool of_queue(const char *name)
{
    return strncmp(name, "queued.", 7) == 0;
}

int __wrap_state_write(const struct state *state, int directory_fd, const char *name)
{
    bool fails = fault.state_error != 0 && !of_queue(name);
    return fails ? fault.state_error : __real_state_write(state, directory_fd, name);
}

int __wrap_state_read(int directory_fd, const char *name, struct state *ret)
{
    bool fails = fault.read_error != 0 && of_queue(name);
    return fails ? fault.read_error : __real_state_read(directory_fd, name, ret);
}

int __wrap_state_queued_list(int directory_fd, bool sweep, uint8_t (*ret)[SHA256_SIZE], size_t max,
                             size_t *count)
{
    int error = __real_state_queued_list(directory_fd, sweep, ret, max, count);
    return sweep && fault.list_error != 0 ? fault.list_error : error;
}

struct upgrade_pending *__wrap_upgrade_pending_new(struct upgrade *upgrade,
                                                   const struct state *state)
{
    bool fails = fault.no_memory && state->phase == PHASE_QUEUED;
    return fails ? NULL : __real_upgrade_pending_new(upgrade, state);
}

int __wrap_state_queued_remove(int directory_fd, const uint8_t sha256[SHA256_SIZE])
{
    struct upgrade *upgrade = watched;
    if (upgrade != NULL) {
        lock_take(&upgrade->lock);
        const struct upgrade_pending *current = upgrade->current;
        if (current != NULL && memcmp(current->state.sha256, sha256, SHA256_SIZE) == 0 &&
            current->state.phase == PHASE_FAILED) {
            removed_after_end = true;
        }
        lock_give(&upgrade->lock);
    }
    return __real_state_queued_remove(directory_fd, sha256);
}

static void fresh(void)
{
    memset(&fault, 0, sizeof fault);
    removed_after_end = false;
    world_fresh();
}

/* Whoever asks again once the end was told has a file of its own. */
UNIT_TEST(test_forgotten_before_the_end_is_told, "forgotten before the end is told")
{
    fresh();
    world.download = DOWNLOAD_HELD;
    world.step = STEP_NOT_READY;
    fault.state_error = -ENOSPC; /* so that the file stays until the end */
    struct upgrade *upgrade = world_start_job();
    watched = upgrade;
    struct pending *pending = world_must_ask(upgrade, 1, "http://a/");
    ASSERT_PHASE(upgrade, pending, PHASE_DOWNLOADING);
    CHECK_EQUAL(world_queued(), 1);
    world_release();
    ASSERT_PHASE(upgrade, pending, PHASE_FAILED);
    CHECK_EQUAL(world_queued(), 0);
    (void)pending_unref(pending);
    world_end_job(upgrade);
    watched = NULL;
    CHECK_FALSE(removed_after_end);
}

/* The state could not be written all the time, and the daemon is killed: the file is what counts. */
UNIT_TEST(test_state_that_cannot_be_written, "a state that cannot be written")
{
    fresh();
    world.download = DOWNLOAD_BADLY;
    struct upgrade *upgrade = world_start_job();
    struct pending *pending = world_must_ask(upgrade, 1, "http://a/");
    ASSERT_PHASE(upgrade, pending, PHASE_FAILED);
    (void)pending_unref(pending);
    world_end_job(upgrade);
    world.download = DOWNLOAD_HELD;
    fault.state_error = -EIO;
    upgrade = world_start_job();
    pending = world_must_ask(upgrade, 1, "http://a/");
    ASSERT_PHASE(upgrade, pending, PHASE_DOWNLOADING);
    (void)pending_unref(pending);
    world_end_job(upgrade);
    fault.state_error = 0;
    upgrade = world_start_job();
    ASSERT_PHASE(upgrade, NULL, PHASE_DOWNLOADING);
    world_end_job(upgrade);
    CHECK_EQUAL(world.downloads, 3);
}

/* Leaves an upgrade that waits. */
static void leave_queued(void)
{
    fresh();
    struct upgrade *upgrade = world_make_job();
    struct pending *pending = world_must_ask(upgrade, 2, "http://b/");
    (void)pending_unref(pending);
    CHECK_NULL(upgrade_free(upgrade));
}

/* What waits and cannot be read is neither removed nor left out: the daemon does not start, as with
 * a state that cannot be read. */
UNIT_TEST(test_cannot_be_read, "files that cannot be read")
{
    static const struct {
        int read_error;
        int list_error;
        bool no_memory;
        const char *text;
    } rows[] = {
        {-EIO, 0, false, " cannot be read: Input/output error"},
        {-EMFILE, 0, false, " cannot be read: Too many open files"},
        {-ENFILE, 0, false, " cannot be read: Too many open files in system"},
        {0, 0, true, " cannot be read: Cannot allocate memory"},
        {0, -EIO, false, "/. cannot be read: Input/output error"},
    };
    leave_queued();
    CHECK_EACH(i, rows, "%s", rows[i].text) {
        struct upgrade *upgrade = NULL;
        char problem[CONF_PROBLEM_MAX] = "";
        fault.read_error = rows[i].read_error;
        fault.list_error = rows[i].list_error;
        fault.no_memory = rows[i].no_memory;
        int error = rows[i].no_memory ? -ENOMEM : rows[i].read_error + rows[i].list_error;
        struct pending_wakeup wakeup = {world_rang, NULL};
        CHECK_EQUAL(upgrade_new(&world.conf, "x", wakeup, &upgrade, problem), error);
        CHECK_CONTAINS(problem, rows[i].text);
        CHECK_CONTAINS(problem, world.upgrade_directory);
        CHECK_EQUAL(strstr(problem, "/queued.0202") == NULL, rows[i].list_error != 0);
        if (rows[i].read_error != 0) {
            CHECK_EQUAL(upgrade_status_read(&world.conf, &view), error);
        }
        CHECK_EQUAL(world_queued(), 1);
    }
    memset(&fault, 0, sizeof fault);
    struct upgrade *upgrade = world_make_job();
    CHECK_NOT_NULL(upgrade->queue);
    CHECK_NULL(upgrade_free(upgrade));
}

UNIT_TEST(test_damaged, "a damaged file")
{
    char path[128];
    leave_queued();
    fault.read_error = -EBADMSG;
    CHECK_EQUAL(upgrade_status_read(&world.conf, &view), 0);
    CHECK_EQUAL(view.status.phase, PHASE_IDLE);
    CHECK_EQUAL(world_queued(), 1);
    struct upgrade *upgrade = world_make_job();
    CHECK_NULL(upgrade->queue);
    CHECK_NULL(upgrade_free(upgrade));
    CHECK_EQUAL(world_queued(), 0);
    CHECK_TRUE(world_logged("is damaged: it is set aside as queued.bad"));
    (void)snprintf(path, sizeof path, "%s/queued.bad", world.upgrade_directory);
    CHECK_EQUAL(access(path, F_OK), 0);
}

int main(void)
{
    return world_main("job, files of the queue");
}
