/* SPDX-License-Identifier: Apache-2.0 */
#include "host/process/helper.h"

#include "host/systemd/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static void describe(const struct helper *program, const struct child_result *result,
                     struct helper_result *ret)
{
    static const struct {
        enum helper_end end;
        enum error_code code;
        const char *text;
    } ends[] = {
        [CHILD_EXITED] = {HELPER_ENDED, ERROR_INTERNAL, "exited with status"},
        [CHILD_SIGNALED] = {HELPER_ENDED, ERROR_INTERNAL, "was ended by signal"},
        [CHILD_TIMEOUT] = {HELPER_TIMEOUT, ERROR_TIMEOUT,
                           "took too long and was killed; the signal was"},
        [CHILD_LEFT] = {HELPER_LEFT, ERROR_SHUTTING_DOWN, "was left running; status"},
    };
    const char *nothing = program->said != NULL ? "nothing on stderr" : "it wrote nothing";
    bool well = result->end == CHILD_EXITED && result->exit_status == 0;
    ret->end = ends[result->end].end;
    ret->code = well ? ERROR_NONE : ends[result->end].code;
    (void)snprintf(ret->how, sizeof ret->how, "%.128s %s %d: %s", base_name(program->argv[0]),
                   ends[result->end].text, result->exit_status,
                   result->line[0] != '\0' ? result->line : nothing);
}

/* [steps] method = exec: the program as a child. See program.h. */
static void helper_run_child(const struct helper *program, struct helper_result *ret)
{
    struct child_command step = {
        .argv = program->argv,
        .deadline_ms = program->deadline_ms,
        .stop_fd = program->stop_fd,
        .survives = program->survives,
        .inherit_fd = program->inherit_fd,
        .said = program->said,
        .stdout_size = program->stdout_size,
        .on_line = program->on_line,
        .context = program->context,
    };
    struct child_result result;
    struct helper_result described = {.end = HELPER_REFUSED, .code = ERROR_UNAVAILABLE};
    int error = child_run(&step, &result);
    if (error == 0) {
        describe(program, &result, &described);
        described.said = result.said;
    } else {
        (void)snprintf(described.how, sizeof described.how, "%.256s cannot be started: %s",
                       program->argv[0], strerror(-error));
    }
    *ret = described;
}

/* Which writing of the file it is. */
struct stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
};

/* All 0: it is not there. */
static struct stamp stamp_of(const struct stat *status)
{
    return (struct stamp){status->st_dev, status->st_ino, status->st_size, status->st_mtim};
}

static bool same(const struct stamp *a, const struct stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec;
}

static struct stamp read_stamp(const char *path)
{
    struct stat status;
    if (path == NULL || lstat(path, &status) != 0) {
        return (struct stamp){0};
    }
    return stamp_of(&status);
}

/* Up to one byte more than there is room for, so that too much is seen to be too much. */
static size_t read_all(int fd, char *out, size_t size)
{
    size_t length = 0;
    char surplus;
    while (length <= size) {
        bool room = length < size;
        ssize_t got = read(fd, room ? out + length : &surplus, room ? size - length : 1);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break; /* what was read until then is what there is */
        }
        length += (size_t)got;
    }
    return length;
}

/* What the unit said since `before`; 0: nothing. */
static size_t read_said(const struct helper *program, const struct stamp *before)
{
    struct stat status;
    size_t length = 0;
    if (program->said == NULL || program->result_path == NULL) {
        return 0;
    }
    int fd = open(program->result_path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        struct stamp now = stamp_of(&status);
        if (!same(&now, before)) {
            length = read_all(fd, program->said, program->stdout_size);
        }
    }
    (void)close(fd); /* nothing was written */
    return length;
}

/* [steps] method = unit: the program as a unit, by systemd. See program.h.
 *
 * What it said is the file that its stdout goes to, if that was written since before the unit was
 * started: an older one is of an older run.
 */
static void helper_run_unit(const struct helper *program, struct helper_result *ret)
{
    static const enum helper_end ends[] = {
        [UNIT_REFUSED] = HELPER_REFUSED,
        [UNIT_ENDED] = HELPER_ENDED,
        [UNIT_LATE] = HELPER_TIMEOUT,
        [UNIT_LEFT] = HELPER_LEFT,
    };
    const struct unit_start job = {
        .unit = program->unit,
        .deadline_ms = program->deadline_ms,
        .stop_fd = program->stop_fd,
    };
    struct unit_outcome outcome;
    const struct stamp before = read_stamp(program->result_path);
    unit_run(&job, &outcome);
    ret->end = ends[outcome.end];
    ret->outcome_unknown =
        outcome.end == UNIT_LATE || (outcome.end == UNIT_ENDED && outcome.job[0] == '\0');
    ret->code = unit_outcome_well(&outcome) ? ERROR_NONE : unit_outcome_code(&outcome);
    ret->said = outcome.end == UNIT_REFUSED ? 0 : read_said(program, &before);
    unit_outcome_format(&outcome, program->unit, ret->how);
}

void helper_run(const struct helper *program, struct helper_result *ret)
{
    if (program->method == CONF_STEP_UNIT) {
        helper_run_unit(program, ret);
    } else {
        helper_run_child(program, ret);
    }
}
