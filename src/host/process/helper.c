/* SPDX-License-Identifier: Apache-2.0 */
#include "host/process/helper.h"

#include "host/keyfile.h"
#include "host/process/child.h"
#include "host/systemd/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static void pass_line(void *context, const char *line)
{
    const struct helper *helper = context;
    helper->on_line(helper->context, log_line_priority(line), line);
}

static void set_child_result(const struct helper *helper, const struct child_result *result,
                             struct helper_result *ret)
{
    static const struct {
        enum helper_end end;
        enum error_code code;
    } ends[] = {
        [CHILD_EXITED] = {HELPER_ENDED, ERROR_INTERNAL},
        [CHILD_SIGNALED] = {HELPER_ENDED, ERROR_INTERNAL},
        [CHILD_TIMEOUT] = {HELPER_TIMEOUT, ERROR_TIMEOUT},
        [CHILD_LEFT] = {HELPER_LEFT, ERROR_SHUTTING_DOWN},
    };
    const char *nothing = helper->stdout_bytes != NULL ? "nothing on stderr" : "it wrote nothing";
    bool success = result->end == CHILD_EXITED && result->exit_status == 0;
    char end[CHILD_END_MAX];
    child_end_format(result, end);
    ret->end = ends[result->end].end;
    ret->code = success ? ERROR_NONE : ends[result->end].code;
    ret->stdout_length = result->stdout_length;
    (void)snprintf(ret->how, sizeof ret->how, "%.128s %s: %s", base_name(helper->argv[0]), end,
                   result->line[0] != '\0' ? result->line : nothing);
}

/* [steps] method = exec */
static void run_child(const struct helper *helper, struct helper_result *ret)
{
    struct helper own = *helper; /* the callback's context is not const */
    struct child_command command = {
        .argv = helper->argv,
        .deadline_ms = helper->deadline_ms,
        .stop_fd = helper->stop_fd,
        .survives = helper->survives,
        .inherit_fd = helper->inherit_fd,
        .stdout_bytes = helper->stdout_bytes,
        .stdout_size = helper->stdout_size,
        .sink = {.on_line = helper->on_line != NULL ? pass_line : NULL, .context = &own},
    };
    struct child_result result;
    int error = child_run(&command, &result);
    if (error == 0) {
        set_child_result(helper, &result, ret);
    } else {
        (void)snprintf(ret->how, sizeof ret->how, "%.256s cannot be started: %s", helper->argv[0],
                       strerror(-error));
    }
}

/* Tells one writing of a file from the next. */
struct stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
};

static struct stamp stamp_of(const struct stat *status)
{
    return (struct stamp){status->st_dev, status->st_ino, status->st_size, status->st_mtim};
}

static bool is_same_stamp(const struct stamp *a, const struct stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec;
}

/* All 0: there is no file. */
static struct stamp read_stamp(const char *path)
{
    struct stat status;
    if (path == NULL || lstat(path, &status) != 0) {
        return (struct stamp){0};
    }
    return stamp_of(&status);
}

/* The length of the file: one byte more than there is room for, if it is longer. */
static size_t read_all(int fd, char *out, size_t size)
{
    size_t length = 0;
    char surplus;
    size_t more = 0;
    if (file_read(fd, out, size, &length) != 0) {
        return 0;
    }
    return length == size && file_read(fd, &surplus, 1, &more) == 0 ? length + more : length;
}

/* The length of what the unit wrote since `before`; 0: nothing. A file that was not written since is of
 * an earlier run. */
static size_t read_result(const struct helper *helper, const struct stamp *before)
{
    struct stat status;
    size_t length = 0;
    if (helper->stdout_bytes == NULL || helper->result_path == NULL) {
        return 0;
    }
    int fd = open(helper->result_path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        struct stamp now = stamp_of(&status);
        if (!is_same_stamp(&now, before)) {
            length = read_all(fd, helper->stdout_bytes, helper->stdout_size);
        }
    }
    file_close(fd);
    return length;
}

/* [steps] method = unit */
static void run_unit(const struct helper *helper, struct helper_result *ret)
{
    static const enum helper_end ends[] = {
        [UNIT_REFUSED] = HELPER_REFUSED,
        [UNIT_ENDED] = HELPER_ENDED,
        [UNIT_LATE] = HELPER_TIMEOUT,
        [UNIT_LEFT] = HELPER_LEFT,
    };
    const struct unit_start start = {
        .unit = helper->unit,
        .deadline_ms = helper->deadline_ms,
        .stop_fd = helper->stop_fd,
    };
    struct unit_outcome outcome;
    const struct stamp before = read_stamp(helper->result_path);
    unit_run(&start, &outcome);
    ret->end = ends[outcome.end];
    ret->outcome_unknown =
        outcome.end == UNIT_LATE || (outcome.end == UNIT_ENDED && outcome.job[0] == '\0');
    ret->code = unit_outcome_code(&outcome);
    ret->stdout_length = outcome.end == UNIT_REFUSED ? 0 : read_result(helper, &before);
    unit_outcome_format(&outcome, helper->unit, ret->how);
}

void helper_run(const struct helper *helper, struct helper_result *ret)
{
    struct helper_result result = {.end = HELPER_REFUSED, .code = ERROR_UNAVAILABLE};
    if (helper->method == CONF_STEP_UNIT) {
        run_unit(helper, &result);
    } else {
        run_child(helper, &result);
    }
    *ret = result;
}
