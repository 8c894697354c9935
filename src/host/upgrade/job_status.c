/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "host/upgrade/job_inner.h"
#include "host/upgrade/phase.h"

/* The state that would be found at a start; `there` is false if there is none. */
static int read_present(int fd, struct state *ret, bool *there)
{
    int error = state_read(fd, STATE_NAME, ret);
    *there = error == 0;
    if (error == 0) {
        state_count_stored(ret, fd);
    }
    return error == -ENOENT ? 0 : error;
}

/* Puts the oldest upgrade that would be begun at a start in place of one that has ended. */
static int look_at_queue(int fd, const uint8_t (*hashes)[SHA256_SIZE], size_t count,
                         struct state *present, bool *there)
{
    struct state oldest;
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        char name[STATE_QUEUED_NAME_SIZE];
        struct state state;
        state_queued_name(hashes[i], name);
        int error = state_read(fd, name, &state);
        if (error == -ENOENT || error == -EBADMSG) {
            continue; /* begun just now, or damaged */
        }
        if (error != 0) {
            return error;
        }
        bool waits = state_waits(&state, hashes[i]) && !(*there && state_is_stale(&state, present));
        if (waits && (!any || state_compare_age(&state, &oldest) < 0)) {
            oldest = state;
            any = true;
        }
    }
    if (any) {
        *present = oldest;
        *there = true;
    }
    return 0;
}

static int read_status(int fd, struct state *ret, bool *there)
{
    uint8_t hashes[STATE_QUEUE_MAX][SHA256_SIZE];
    size_t count = 0;
    int error = state_queued_list(fd, hashes, STATE_QUEUE_MAX, &count);
    if (error == 0) {
        error = read_present(fd, ret, there); /* second: what was begun meanwhile is in it */
    }
    bool idle = !*there || (phase_ended(ret->phase) && ret->phase != PHASE_REBOOTING);
    return error == 0 && idle ? look_at_queue(fd, hashes, count, ret, there) : error;
}

int job_status_read(const struct conf *conf, struct job_view *ret)
{
    int fd = open(conf->upgrade.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct state state;
    bool there = false;
    int error = fd < 0 ? -errno : read_status(fd, &state, &there);
    if (fd >= 0) {
        (void)close(fd); /* nothing was written */
    }
    if (error != 0 && error != -ENOENT) {
        return error;
    }
    if (there) {
        job_view_state(&state, ret);
    } else {
        job_view_nothing(ret);
    }
    return 0;
}
