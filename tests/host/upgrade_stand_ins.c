/* SPDX-License-Identifier: Apache-2.0 */
/* What the job calls, as `world` plans it: the url policy, the log, the download, the steps. */
#include "host/download/partial.h"
#include "host/log.h"
#include "host/policy/url_policy.h"
#include "host/process/child.h"
#include "host/systemd/notify.h"
#include "host/systemd/unit.h"
#include "upgrade_world.h"
#include "wire/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

int url_policy_judge(const struct url_policy *policy, const char *url, char *why, size_t why_size)
{
    (void)policy;
    if (strncmp(url, "http", 4) == 0) {
        return 0;
    }
    (void)snprintf(why, why_size, "only http");
    return -EPERM;
}

void log_event(enum log_priority priority, const char *message_id, const struct log_field *fields,
               size_t count, const char *format, ...)
{
    char line[4096];
    va_list arguments;
    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is initialised a line above */
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    lock_take(&world.lock);
    size_t used = strlen(world.log);
    int made = snprintf(world.log + used, sizeof world.log - used, "%d %s", (int)priority, line);
    for (size_t i = 0; i < count && made > 0; i++) {
        used = strlen(world.log);
        made = snprintf(world.log + used, sizeof world.log - used, " %s=%s", fields[i].name,
                        fields[i].value != NULL ? fields[i].value : "-");
    }
    used = strlen(world.log);
    (void)snprintf(world.log + used, sizeof world.log - used, " %s\n",
                   message_id != NULL ? message_id : "-");
    lock_give(&world.lock);
}

void notify_status(const char *status)
{
    lock_take(&world.lock);
    (void)snprintf(world.status, sizeof world.status, "%s", status);
    lock_give(&world.lock);
}

void partial_sweep(int directory_fd, const uint8_t *keep)
{
    (void)directory_fd;
    (void)keep;
}

/* True: released. False: the daemon stops. */
static bool hold(int stop_fd)
{
    struct pollfd polled[] = {{.fd = stop_fd, .events = POLLIN},
                              {.fd = world.release_fd, .events = POLLIN}};
    (void)poll(polled, 2, WORLD_PATIENCE_MS);
    return polled[0].revents == 0;
}

/* The same count again and again, until systemd has been told. */
static void feed(const struct download *download, uint64_t done, const char *status)
{
    int64_t deadline_ms = clock_deadline(WORLD_PATIENCE_MS);
    while (!world_told(status) && clock_ms() < deadline_ms) {
        download->progress(download->context, done, WORLD_TOTAL);
        (void)usleep(500);
    }
}

/* A try that fails, and one that does not; it waits to be released within each. */
static void retry(const struct download *download)
{
    uint64_t left;
    feed(download, WORLD_TOTAL / 4, ", 25 %");
    download->report_retry(download->context, "the connection was lost", "the journal's own words");
    (void)hold(download->stop_fd);
    (void)eventfd_read(world.release_fd, &left);
    feed(download, WORLD_TOTAL / 2, ", 50 %");
    (void)hold(download->stop_fd);
}

void download_run(const struct download *download, struct download_result *ret)
{
    static char urls[DOWNLOAD_MIRRORS_MAX][URL_MAX + 1];
    world.downloads++;
    if (world.download != DOWNLOAD_BADLY) {
        download->progress(download->context, 0, WORLD_TOTAL);
    }
    if (world.download == DOWNLOAD_HELD && !hold(download->stop_fd)) {
        ret->stopped = true;
        return;
    }
    world.mirrors = download->mirrors(download->context, urls);
    if (world.download == DOWNLOAD_BADLY) {
        ret->code = ERROR_DOWNLOAD_FAILED;
        (void)snprintf(ret->text, sizeof ret->text, "no server answers");
        return;
    }
    if (world.download == DOWNLOAD_RETRIED) {
        retry(download);
    }
    if (world.download == DOWNLOAD_TWICE) {
        download->progress(download->context, WORLD_TOTAL, WORLD_TOTAL);
        download->verifying(download->context);
        download->report_retry(download->context, "from the start again",
                               "the journal's own words");
        download->progress(download->context, 0, WORLD_TOTAL);
    }
    download->progress(download->context, WORLD_TOTAL / 2, WORLD_TOTAL); /* as it is seen last */
    download->verifying(download->context);
    ret->code = ERROR_NONE;
}

/* Does as planned. False: it was left, because the daemon stops. */
static bool carry_out(const char *hex, enum step_plan plan, int stop_fd)
{
    static const enum install_record_stage stages[] = {
        [STEP_REBOOTS] = RECORD_REBOOTING,   [STEP_NOT_READY] = RECORD_FAILED,
        [STEP_NO_REBOOT] = RECORD_REBOOTING, [STEP_NEVER_REBOOT] = RECORD_INSTALLED,
        [STEP_CUT] = RECORD_STARTED,         [STEP_HELD] = RECORD_STARTED,
    };
    bool first = ++world.steps == 1;
    if (plan == STEP_MISSING || plan == STEP_SILENT || plan == STEP_UNHEARD || plan == STEP_LOST) {
        return true;
    }
    world_record(hex, first && plan == STEP_NO_REBOOT ? RECORD_INSTALLED : stages[plan],
                 plan == STEP_NOT_READY ? ERROR_NOT_READY : ERROR_NONE, NULL);
    return plan != STEP_HELD || hold(stop_fd);
}

int child_run(const struct child_command *step, struct child_result *ret)
{
    enum step_plan plan = world.step;
    lock_take(&world.lock);
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(world.argv[i], WORLD_ARGUMENT_SIZE, "%s", step->argv[i]);
    }
    lock_give(&world.lock);
    step->sink.on_line(step->sink.context, "a line of the installer");
    *ret = (struct child_result){.end = CHILD_EXITED, .exit_status = 1, .line = "its last words"};
    if (!carry_out(step->argv[3], plan, step->stop_fd)) {
        ret->end = CHILD_LEFT;
    }
    return plan == STEP_MISSING ? -ENOENT : 0;
}

/* What systemd says of the unit is no help: it always failed. */
void unit_run(const struct unit_start *start, struct unit_outcome *ret)
{
    char hex[SHA256_HEX + 1];
    enum step_plan plan = world.step;
    const char *instance = strchr(start->unit, '@');
    REQUIRE_NOT_NULL(instance);
    (void)snprintf(hex, sizeof hex, "%s", instance + 1);
    *ret = (struct unit_outcome){.end = UNIT_ENDED, .job = "failed", .active = "failed"};
    if (!carry_out(hex, plan, start->stop_fd)) {
        ret->end = UNIT_LEFT;
    }
    if (plan == STEP_MISSING) {
        *ret = (struct unit_outcome){.end = UNIT_REFUSED,
                                     .error = "org.freedesktop.systemd1.NoSuchUnit"};
    } else if (plan == STEP_UNHEARD) {
        *ret = (struct unit_outcome){.end = UNIT_LATE, .outcome_unknown = true};
    } else if (plan == STEP_LOST) {
        *ret = (struct unit_outcome){.end = UNIT_ENDED, .active = "inactive"};
    }
}

int unit_is_pending(const char *unit, int stop_fd, int64_t limit_ms, bool *ret)
{
    CHECK_CONTAINS(unit, "vsock_host-install@");
    CHECK_COMPARE(stop_fd, >=, 0);
    CHECK_COMPARE(limit_ms, >, 0);
    *ret = world.unit_is_pending;
    return world.unit_error;
}
