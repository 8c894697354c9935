/* SPDX-License-Identifier: Apache-2.0 */
#include "job_world.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/file/install_state.h"
#include "host/log/log.h"
#include "host/policy/url_policy.h"
#include "host/step/step.h"
#include "host/systemd/systemd.h"
#include "host/systemd/unit_job.h"
#include "host/systemd/unit_pending.h"
#include "wire/clock.h"

struct world world = {.base = "/tmp/test_job.XXXXXX"};
char world_program[] = "/nowhere/vsock_host-install";
static char *no_strings[] = {NULL};

/* --- the stand-ins --- */

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
    (void)vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    lock_take(&world.lock);
    size_t used = strlen(world.log);
    int made = snprintf(world.log + used, sizeof(world.log) - used, "%d %s", (int)priority, line);
    for (size_t i = 0; i < count && made > 0; i++) {
        used = strlen(world.log);
        made = snprintf(world.log + used, sizeof(world.log) - used, " %s=%s", fields[i].name,
                        fields[i].value != NULL ? fields[i].value : "-");
    }
    used = strlen(world.log);
    (void)snprintf(world.log + used, sizeof(world.log) - used, " %s\n",
                   message_id != NULL ? message_id : "-");
    lock_give(&world.lock);
}

void service_status(const char *status)
{
    lock_take(&world.lock);
    (void)snprintf(world.status, sizeof(world.status), "%s", status);
    lock_give(&world.lock);
}

void download_sweep(int directory_fd, const uint8_t *keep)
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
    download->tell(download->context, "the connection was lost", "the journal's own words");
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
        (void)snprintf(ret->text, sizeof(ret->text), "no server answers");
        return;
    }
    if (world.download == DOWNLOAD_RETRIED) {
        retry(download);
    }
    if (world.download == DOWNLOAD_TWICE) {
        download->progress(download->context, WORLD_TOTAL, WORLD_TOTAL);
        download->verifying(download->context);
        download->tell(download->context, "from the start again", "the journal's own words");
        download->progress(download->context, 0, WORLD_TOTAL);
    }
    download->progress(download->context, WORLD_TOTAL / 2, WORLD_TOTAL); /* as it is seen last */
    download->verifying(download->context);
    ret->code = ERROR_NONE;
}

void world_record(const char *hex, enum record_stage stage, enum error_code code,
                  const char *boot_id)
{
    struct record record = {.stage = stage, .started = 1, .exit_status = 0, .code = code};
    if (boot_id != NULL) {
        (void)snprintf(record.boot_id, sizeof(record.boot_id), "%s", boot_id);
    } else if (boot_id_read(record.boot_id) != 0) {
        abort();
    }
    record.reboot_at = (uint64_t)((int64_t)time(NULL) + world.reboot_delay);
    (void)snprintf(record.text, sizeof(record.text), "said the record");
    int fd = open(world.install_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (sha256_parse(text_of(hex), record.sha256) != 0 || record_write(fd, &record) != 0) {
        abort();
    }
    (void)close(fd);
}

/* Does as planned. False: it was left, because the daemon stops. */
static bool carry_out(const char *hex, enum step_plan plan, int stop_fd)
{
    static const enum record_stage stages[] = {
        [STEP_REBOOTS] = RECORD_REBOOTING,   [STEP_NOT_READY] = RECORD_FAILED,
        [STEP_NO_REBOOT] = RECORD_REBOOTING, [STEP_NEVER_REBOOT] = RECORD_INSTALLED,
        [STEP_CUT] = RECORD_STARTED,         [STEP_HELD] = RECORD_STARTED,
    };
    bool first = ++world.steps == 1;
    if (plan == STEP_MISSING || plan == STEP_SILENT || plan == STEP_UNHEARD) {
        return true;
    }
    world_record(hex, first && plan == STEP_NO_REBOOT ? RECORD_INSTALLED : stages[plan],
                 plan == STEP_NOT_READY ? ERROR_NOT_READY : ERROR_NONE, NULL);
    return plan != STEP_HELD || hold(stop_fd);
}

int step_run(const struct step *step, struct step_result *ret)
{
    enum step_plan plan = world.step;
    lock_take(&world.lock);
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(world.argv[i], WORLD_ARGUMENT_SIZE, "%s", step->argv[i]);
    }
    lock_give(&world.lock);
    step->on_line(step->context, "a line of the installer");
    *ret = (struct step_result){.end = STEP_EXITED, .exit_status = 1, .line = "its last words"};
    if (!carry_out(step->argv[3], plan, step->stop_fd)) {
        ret->end = STEP_LEFT;
    }
    return plan == STEP_MISSING ? -ENOENT : 0;
}

/* What systemd says of the unit is no help: it always failed. */
void unit_job_run(const struct unit_job *job, struct unit_outcome *ret)
{
    char hex[SHA256_HEX + 1];
    enum step_plan plan = world.step;
    const char *instance = strchr(job->unit, '@');
    CU_ASSERT_PTR_NOT_NULL_FATAL(instance);
    (void)snprintf(hex, sizeof(hex), "%s", instance + 1);
    *ret = (struct unit_outcome){.end = UNIT_ENDED, .job = "failed", .active = "failed"};
    if (!carry_out(hex, plan, job->stop_fd)) {
        ret->end = UNIT_LEFT;
    }
    if (plan == STEP_MISSING) {
        *ret = (struct unit_outcome){.end = UNIT_REFUSED,
                                     .error = "org.freedesktop.systemd1.NoSuchUnit"};
    } else if (plan == STEP_UNHEARD) {
        *ret = (struct unit_outcome){.end = UNIT_LATE, .unheard = true};
    }
}

int unit_pending(const char *unit, int stop_fd, int64_t limit_ms, bool *ret)
{
    CU_ASSERT_PTR_NOT_NULL(strstr(unit, "vsock_host-install@"));
    CU_ASSERT_TRUE(stop_fd >= 0 && limit_ms > 0);
    *ret = world.unit_pending;
    return world.unit_error;
}

void world_rang(void *context)
{
    (void)context;
    world.rings++;
}

/* --- help --- */

bool world_logged(const char *text)
{
    lock_take(&world.lock);
    bool found = strstr(world.log, text) != NULL;
    lock_give(&world.lock);
    return found;
}

bool world_told(const char *text)
{
    lock_take(&world.lock);
    bool found = strstr(world.status, text) != NULL;
    lock_give(&world.lock);
    return found;
}

/* `before`, the path, `after`: a shell's line. */
void world_shell(const char *before, const char *path, const char *after)
{
    char command[256];
    (void)snprintf(command, sizeof(command), "%s'%s'%s", before, path, after);
    if (system(command) != 0) { /* NOLINT(cert-env33-c): paths of ours */
        abort();
    }
}

void world_version(const char *version)
{
    FILE *file = fopen(world.version_path, "we");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    (void)fprintf(file, "%s\n", version);
    (void)fclose(file);
}

/* An empty machine. */
void world_fresh(void)
{
    uint64_t left;
    world_shell("rm -rf ", world.base, "/*");
    CU_ASSERT_EQUAL(mkdir(world.install_directory, 0700), 0);
    world_version("1.0");
    (void)eventfd_read(world.release_fd, &left);
    world.download = DOWNLOAD_WELL;
    world.step = STEP_REBOOTS;
    world.downloads = world.steps = world.rings = 0;
    world.reboot_delay = 3600;
    world.unit_pending = false;
    world.unit_error = 0;
    lock_take(&world.lock);
    world.log[0] = world.status[0] = '\0';
    lock_give(&world.lock);
    world.conf =
        (struct conf){.upgrade = {.directory = world.upgrade_directory, .queue = 1, .watchers = 8}};
    world.conf.upgrade.schemes.items = no_strings;
    world.conf.upgrade.allowed_prefixes.items = no_strings;
    world.conf.install.directory = world.install_directory;
    world.conf.version.file = world.version_path;
    world.conf.steps.install_program = world_program;
}

struct job *world_make_job(void)
{
    struct job *job = NULL;
    char problem[CONF_PROBLEM_MAX] = "";
    int error =
        job_new(&world.conf, "/etc/x.conf", (struct ticket_bell){world_rang, NULL}, &job, problem);
    if (error != 0) {
        fprintf(stderr, "job_new: %s\n", problem);
    }
    CU_ASSERT_EQUAL_FATAL(error, 0);
    job->poll_ms = 1;
    return job;
}

struct job *world_start_job(void)
{
    struct job *job = world_make_job();
    CU_ASSERT_EQUAL_FATAL(job_start(job), 0);
    return job;
}

void world_end_job(struct job *job)
{
    job_stop(job);
    CU_ASSERT_PTR_NULL(job_free(job));
}

void world_release(void)
{
    CU_ASSERT_EQUAL(eventfd_write(world.release_fd, 1), 0);
}

enum error_code world_ask(struct job *job, uint8_t hash, const char *url, struct job_ticket **ret,
                          char why[JOB_TEXT_MAX])
{
    struct request request = {.command = COMMAND_UPGRADE, .url = text_of(url)};
    memset(request.sha256, hash, SHA256_SIZE);
    return job_submit(job, &request, ret, why);
}

struct job_ticket *world_must_ask(struct job *job, uint8_t hash, const char *url)
{
    struct job_ticket *ticket = NULL;
    char why[JOB_TEXT_MAX] = "";
    enum error_code code = world_ask(job, hash, url, &ticket, why);
    if (code != ERROR_NONE) {
        fprintf(stderr, "refused: %s\n", why);
    }
    CU_ASSERT_EQUAL_FATAL(code, ERROR_NONE);
    return ticket;
}

/* The view may be of a ticket, or the job's status. */
bool world_await(struct job *job, const struct job_ticket *ticket, enum phase phase,
                 struct job_view *view)
{
    int64_t deadline_ms = clock_deadline(WORLD_PATIENCE_MS);
    do {
        if (ticket != NULL) {
            job_view(ticket, view);
        } else {
            job_status(job, view);
        }
        if (view->status.phase == phase) {
            return true;
        }
        (void)usleep(500);
    } while (clock_ms() < deadline_ms);
    fprintf(stderr, "phase %s, wanted %s: %s\n", phase_name(view->status.phase), phase_name(phase),
            view->detail);
    return false;
}

struct state world_state(void)
{
    static struct state state;
    int fd = open(world.upgrade_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CU_ASSERT_EQUAL(state_read(fd, STATE_NAME, &state), 0);
    (void)close(fd);
    return state;
}

/* Rewrites what an earlier run left, as if it had been in another boot. */
void world_reboot(void)
{
    static const char other[] = "22222222-2222-2222-2222-222222222222";
    struct state state = world_state();
    (void)snprintf(state.boot_id, sizeof(state.boot_id), "%s", other);
    int fd = open(world.upgrade_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CU_ASSERT_EQUAL(state_write(&state, fd, STATE_NAME), 0);
    (void)close(fd);
    fd = open(world.install_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct record record;
    if (record_read(fd, &record) == 0) {
        (void)snprintf(record.boot_id, sizeof(record.boot_id), "%s", other);
        CU_ASSERT_EQUAL(record_write(fd, &record), 0);
    }
    (void)close(fd);
}

size_t world_queued(void)
{
    uint8_t hashes[8][SHA256_SIZE];
    size_t count = 0;
    int fd = open(world.upgrade_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CU_ASSERT_EQUAL(state_queued_restore(fd, hashes, 8, &count), 0);
    (void)close(fd);
    return count;
}

int world_main(const char *suite, const struct unit_test *tests, size_t count)
{
    if (mkdtemp(world.base) == NULL) {
        return 1;
    }
    (void)snprintf(world.upgrade_directory, WORLD_PATH_SIZE, "%s/upgrade", world.base);
    (void)snprintf(world.install_directory, WORLD_PATH_SIZE, "%s/install", world.base);
    (void)snprintf(world.version_path, WORLD_PATH_SIZE, "%s/version.txt", world.base);
    world.release_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    lock_init(&world.lock);
    int status = unit_main(suite, tests, count);
    world_shell("rm -rf ", world.base, "");
    (void)close(world.release_fd);
    return status;
}
