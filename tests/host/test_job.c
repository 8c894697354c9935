/* SPDX-License-Identifier: Apache-2.0 */
/* The job with its thread, its files and its lock; the download, the step program, the url policy,
 * the log and systemd are stand-ins that do what each test says. */
#include "host/file/install_state.h"
#include "host/log/log.h"
#include "host/step/step.h"
#include "host/systemd/systemd.h"
#include "host/upgrade/download.h"
#include "host/upgrade/job_inner.h"
#include "host/upgrade/phase.h"
#include "support/unit.h"
#include "wire/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATIENCE_MS = 20 * 1000, TOTAL = 1000000, ARGUMENT_MAX = 128 };

/* --- what the stand-ins do, and what they saw --- */

enum download_plan { DOWNLOAD_WELL, DOWNLOAD_BADLY, DOWNLOAD_TWICE, DOWNLOAD_HELD };
enum step_plan {
    STEP_REBOOTS,
    STEP_NOT_READY,
    STEP_SILENT,       /* no record */
    STEP_NO_REBOOT,    /* installed, and ended there; the second run asks for the reboot */
    STEP_NEVER_REBOOT, /* the second run does not either */
    STEP_CUT,          /* `started`, and ended there */
    STEP_MISSING,
    STEP_HELD, /* until the daemon stops */
};

static struct {
    _Atomic enum download_plan download;
    _Atomic enum step_plan step;
    int release_fd; /* lets a held download go on */
    atomic_uint downloads;
    atomic_uint steps;
    atomic_uint rings;
    atomic_size_t mirrors;
    atomic_int reboot_delay;
    struct lock lock;
    char argv[4][ARGUMENT_MAX];
    char log[65536];
    char status[512];
} world;

static char base[] = "/tmp/test_job.XXXXXX";
static char upgrade_directory[64];
static char install_directory[64];
static char version_path[64];
static struct conf conf;
static char *no_strings[] = {NULL};
static char program[] = "/nowhere/vsock_host-install";

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
    (void)poll(polled, 2, PATIENCE_MS);
    return polled[0].revents == 0;
}

void download_run(const struct download *download, struct download_result *ret)
{
    static char urls[DOWNLOAD_MIRRORS_MAX][URL_MAX + 1];
    world.downloads++;
    download->progress(download->context, 0, TOTAL);
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
    if (world.download == DOWNLOAD_TWICE) {
        download->progress(download->context, TOTAL, TOTAL);
        download->verifying(download->context);
        download->tell(download->context, "from the start again", "the journal's own words");
        download->progress(download->context, 0, TOTAL);
    }
    download->progress(download->context, TOTAL, TOTAL);
    download->verifying(download->context);
    ret->code = ERROR_NONE;
}

static void write_record(const char *hex, enum record_stage stage, enum error_code code,
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
    int fd = open(install_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (sha256_parse(text_of(hex), record.sha256) != 0 || record_write(fd, &record) != 0) {
        abort();
    }
    (void)close(fd);
}

int step_run(const struct step *step, struct step_result *ret)
{
    const char *hex = step->argv[3];
    unsigned run = ++world.steps;
    lock_take(&world.lock);
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(world.argv[i], ARGUMENT_MAX, "%s", step->argv[i]);
    }
    lock_give(&world.lock);
    step->on_line(step->context, "a line of the installer");
    *ret = (struct step_result){.end = STEP_EXITED, .exit_status = 1, .line = "its last words"};
    enum step_plan plan = world.step;
    switch (plan) {
    case STEP_REBOOTS:
        write_record(hex, RECORD_REBOOTING, ERROR_NONE, NULL);
        break;
    case STEP_NOT_READY:
        write_record(hex, RECORD_FAILED, ERROR_NOT_READY, NULL);
        break;
    case STEP_NO_REBOOT:
        write_record(hex, run == 1 ? RECORD_INSTALLED : RECORD_REBOOTING, ERROR_NONE, NULL);
        break;
    case STEP_NEVER_REBOOT:
        write_record(hex, RECORD_INSTALLED, ERROR_NONE, NULL);
        break;
    case STEP_CUT:
        write_record(hex, RECORD_STARTED, ERROR_NONE, NULL);
        break;
    case STEP_MISSING:
        return -ENOENT;
    case STEP_HELD:
        write_record(hex, RECORD_STARTED, ERROR_NONE, NULL);
        ret->end = hold(step->stop_fd) ? STEP_EXITED : STEP_LEFT;
        break;
    case STEP_SILENT:
        break;
    }
    return 0;
}

static void rang(void *context)
{
    (void)context;
    world.rings++;
}

/* --- help --- */

static bool logged(const char *text)
{
    lock_take(&world.lock);
    bool found = strstr(world.log, text) != NULL;
    lock_give(&world.lock);
    return found;
}

/* `before`, the path, `after`: a shell's line. */
static void run_shell(const char *before, const char *path, const char *after)
{
    char command[256];
    (void)snprintf(command, sizeof(command), "%s'%s'%s", before, path, after);
    if (system(command) != 0) { /* NOLINT(cert-env33-c): paths of ours */
        abort();
    }
}

static void write_version(const char *version)
{
    FILE *file = fopen(version_path, "we");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    (void)fprintf(file, "%s\n", version);
    (void)fclose(file);
}

/* An empty machine. */
static void fresh_world(void)
{
    uint64_t left;
    run_shell("rm -rf ", base, "/*");
    CU_ASSERT_EQUAL(mkdir(install_directory, 0700), 0);
    write_version("1.0");
    (void)eventfd_read(world.release_fd, &left);
    world.download = DOWNLOAD_WELL;
    world.step = STEP_REBOOTS;
    world.downloads = world.steps = world.rings = 0;
    world.reboot_delay = 3600;
    lock_take(&world.lock);
    world.log[0] = world.status[0] = '\0';
    lock_give(&world.lock);
    conf = (struct conf){.upgrade = {.directory = upgrade_directory, .queue = 1, .watchers = 8}};
    conf.upgrade.schemes.items = no_strings;
    conf.upgrade.allowed_prefixes.items = no_strings;
    conf.install.directory = install_directory;
    conf.version.file = version_path;
    conf.steps.install_program = program;
}

static struct job *make_job(void)
{
    struct job *job = NULL;
    char problem[CONF_PROBLEM_MAX] = "";
    int error = job_new(&conf, "/etc/x.conf", (struct job_bell){rang, NULL}, &job, problem);
    if (error != 0) {
        fprintf(stderr, "job_new: %s\n", problem);
    }
    CU_ASSERT_EQUAL_FATAL(error, 0);
    job->poll_ms = 1;
    return job;
}

static struct job *start_job(void)
{
    struct job *job = make_job();
    CU_ASSERT_EQUAL_FATAL(job_start(job), 0);
    return job;
}

static void end_job(struct job *job)
{
    job_stop(job);
    CU_ASSERT_PTR_NULL(job_free(job));
}

static void release(void)
{
    CU_ASSERT_EQUAL(eventfd_write(world.release_fd, 1), 0);
}

static enum error_code ask(struct job *job, uint8_t hash, const char *url, struct job_ticket **ret,
                           char why[JOB_TEXT_MAX])
{
    struct request request = {.command = COMMAND_UPGRADE, .url = text_of(url)};
    memset(request.sha256, hash, SHA256_SIZE);
    return job_submit(job, &request, ret, why);
}

static struct job_ticket *must_ask(struct job *job, uint8_t hash, const char *url)
{
    struct job_ticket *ticket = NULL;
    char why[JOB_TEXT_MAX] = "";
    enum error_code code = ask(job, hash, url, &ticket, why);
    if (code != ERROR_NONE) {
        fprintf(stderr, "refused: %s\n", why);
    }
    CU_ASSERT_EQUAL_FATAL(code, ERROR_NONE);
    return ticket;
}

/* The view may be of a ticket, or the job's status. */
static bool await_phase(struct job *job, const struct job_ticket *ticket, enum phase phase,
                        struct job_view *view)
{
    int64_t deadline_ms = clock_deadline(PATIENCE_MS);
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

#define ASSERT_PHASE(job, ticket, phase) CU_ASSERT_TRUE(await_phase(job, ticket, phase, &view))

static struct state read_state(void)
{
    static struct state state;
    int fd = open(upgrade_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CU_ASSERT_EQUAL(state_read(fd, STATE_NAME, &state), 0);
    (void)close(fd);
    return state;
}

/* Rewrites what an earlier run left, as if it had been in another boot. */
static void pretend_reboot(void)
{
    static const char other[] = "22222222-2222-2222-2222-222222222222";
    struct state state = read_state();
    (void)snprintf(state.boot_id, sizeof(state.boot_id), "%s", other);
    int fd = open(upgrade_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CU_ASSERT_EQUAL(state_write(&state, fd, STATE_NAME), 0);
    (void)close(fd);
    fd = open(install_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct record record;
    if (record_read(fd, &record) == 0) {
        (void)snprintf(record.boot_id, sizeof(record.boot_id), "%s", other);
        CU_ASSERT_EQUAL(record_write(fd, &record), 0);
    }
    (void)close(fd);
}

static size_t queued_files(void)
{
    uint8_t hashes[8][SHA256_SIZE];
    size_t count = 0;
    int fd = open(upgrade_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CU_ASSERT_EQUAL(state_queued_list(fd, hashes, 8, &count), 0);
    (void)close(fd);
    return count;
}

static struct job_view view;
static char why[JOB_TEXT_MAX];

/* --- one upgrade --- */

static void test_upgrade(void)
{
    fresh_world();
    struct job *job = start_job();
    job_status(job, &view);
    CU_ASSERT_EQUAL(view.status.phase, PHASE_IDLE);
    CU_ASSERT_FALSE(view.status.has_sha256);
    struct job_ticket *ticket = must_ask(job, 0xab, "http://user:hunter2@host/image");
    ASSERT_PHASE(job, ticket, PHASE_REBOOTING);
    CU_ASSERT_TRUE(view.ended);
    CU_ASSERT_EQUAL(view.code, ERROR_NONE);
    CU_ASSERT_EQUAL(view.status.done, TOTAL);
    CU_ASSERT_EQUAL(view.status.total, TOTAL);
    CU_ASSERT_EQUAL(strncmp(view.detail, "the machine reboots at 20", 25), 0);
    CU_ASSERT_PTR_EQUAL(view.status.detail.bytes, view.detail);
    CU_ASSERT_STRING_EQUAL(world.argv[0], program);
    CU_ASSERT_STRING_EQUAL(world.argv[1], "--config");
    CU_ASSERT_STRING_EQUAL(world.argv[2], "/etc/x.conf");
    CU_ASSERT_EQUAL(strncmp(world.argv[3], "abababab", 8), 0);
    struct state state = read_state();
    CU_ASSERT_EQUAL(state.phase, PHASE_REBOOTING);
    CU_ASSERT_STRING_EQUAL(state.urls[0], "http://host/image");
    CU_ASSERT_STRING_EQUAL(state.version, "1.0\\x0a");
    CU_ASSERT_EQUAL(queued_files(), 0);
    CU_ASSERT_TRUE(world.rings >= 4);
    (void)job_unref(ticket);
    end_job(job);
    CU_ASSERT_TRUE(logged("VSOCK_UPGRADE_PHASE=downloading"));
    CU_ASSERT_TRUE(logged("VSOCK_UPGRADE_PHASE=installing"));
    CU_ASSERT_TRUE(logged("VSOCK_UPGRADE_DONE=1000000 VSOCK_UPGRADE_TOTAL=1000000"));
    CU_ASSERT_TRUE(logged("6 a line of the installer"));
    CU_ASSERT_FALSE(logged("hunter2"));
    CU_ASSERT_EQUAL(strncmp(world.status, "upgrade abababababab: rebooting, 100 %", 38), 0);
}

static void test_failures(void)
{
    static const struct {
        enum download_plan download;
        enum step_plan step;
        enum error_code code;
        const char *text;
    } rows[] = {
        {DOWNLOAD_BADLY, STEP_REBOOTS, ERROR_DOWNLOAD_FAILED, "no server answers"},
        {DOWNLOAD_WELL, STEP_NOT_READY, ERROR_NOT_READY, "said the record"},
        {DOWNLOAD_WELL, STEP_SILENT, ERROR_INSTALL_FAILED,
         "vsock_host-install exited with status 1 and left no record: its last words"},
        {DOWNLOAD_WELL, STEP_MISSING, ERROR_INSTALL_FAILED,
         "vsock_host-install cannot be started: No such file or directory"},
        {DOWNLOAD_WELL, STEP_CUT, ERROR_INSTALL_FAILED,
         "vsock_host-install was ended before it could write down how the installation went"},
        {DOWNLOAD_WELL, STEP_NEVER_REBOOT, ERROR_REBOOT_FAILED,
         "the image is installed, but vsock_host-install does not ask for the reboot"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fresh_world();
        world.download = rows[i].download;
        world.step = rows[i].step;
        struct job *job = start_job();
        for (unsigned again = 0; again < 2; again++) { /* the second is judged anew */
            struct job_ticket *ticket = must_ask(job, 1, "http://host/");
            ASSERT_PHASE(job, ticket, PHASE_FAILED);
            CU_ASSERT_TRUE(view.ended);
            CU_ASSERT_EQUAL(view.code, rows[i].code);
            CU_ASSERT_EQUAL(view.status.result, rows[i].code);
            CU_ASSERT_STRING_EQUAL(view.detail, rows[i].text);
            (void)job_unref(ticket);
        }
        CU_ASSERT_EQUAL(world.downloads, 2);
        end_job(job);
        CU_ASSERT_EQUAL(read_state().code, rows[i].code);
    }
}

static void test_reboot_is_asked_for_again(void)
{
    fresh_world();
    world.step = STEP_NO_REBOOT;
    struct job *job = start_job();
    struct job_ticket *ticket = must_ask(job, 1, "http://host/");
    ASSERT_PHASE(job, ticket, PHASE_REBOOTING);
    CU_ASSERT_EQUAL(world.steps, 2);
    (void)job_unref(ticket);
    end_job(job);
}

static void test_fetched_again(void)
{
    fresh_world();
    world.download = DOWNLOAD_TWICE;
    struct job *job = start_job();
    struct job_ticket *ticket = must_ask(job, 1, "http://host/");
    ASSERT_PHASE(job, ticket, PHASE_REBOOTING);
    CU_ASSERT_EQUAL(view.status.done, TOTAL);
    CU_ASSERT_TRUE(logged("4 the journal's own words VSOCK_UPGRADE_SHA256=0101"));
    CU_ASSERT_FALSE(logged("from the start again VSOCK"));
    (void)job_unref(ticket);
    end_job(job);
}

/* A record that an earlier run left, of the same image, is not taken for this one's. */
static void test_stale_record(void)
{
    char hex[SHA256_HEX + 1];
    memset(hex, '1', SHA256_HEX);
    hex[SHA256_HEX] = '\0';
    fresh_world();
    world.step = STEP_SILENT;
    write_record(hex, RECORD_REBOOTING, ERROR_NONE, NULL);
    struct job *job = start_job();
    struct job_ticket *ticket = must_ask(job, 0x11, "http://host/");
    ASSERT_PHASE(job, ticket, PHASE_FAILED);
    CU_ASSERT_EQUAL(view.code, ERROR_INSTALL_FAILED);
    (void)job_unref(ticket);
    end_job(job);
}

/* --- several who ask --- */

static void test_join_and_mirrors(void)
{
    fresh_world();
    world.download = DOWNLOAD_HELD;
    struct job *job = start_job();
    struct job_ticket *tickets[8];
    static const char *const urls[] = {"http://a/", "http://a/", "http://b/", "http://c/",
                                       "http://d/", "http://e/", "http://f/", "http://b/"};
    for (size_t i = 0; i < 8; i++) {
        tickets[i] = must_ask(job, 1, urls[i]);
        CU_ASSERT_PTR_EQUAL(tickets[i], tickets[0]);
    }
    struct job_ticket *none = NULL;
    CU_ASSERT_EQUAL(ask(job, 1, "http://a/", &none, why), ERROR_BUSY);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "[upgrade] watchers = 8"));
    CU_ASSERT_PTR_NULL(none);
    (void)job_unref(tickets[7]);
    tickets[7] = must_ask(job, 1, "http://a/");
    release();
    ASSERT_PHASE(job, tickets[0], PHASE_REBOOTING);
    CU_ASSERT_EQUAL(world.downloads, 1);
    CU_ASSERT_EQUAL(world.mirrors, 5);
    for (size_t i = 0; i < 8; i++) {
        CU_ASSERT_PTR_NULL(job_unref(tickets[i]));
    }
    end_job(job);
}

static void test_queue(void)
{
    fresh_world();
    world.download = DOWNLOAD_HELD;
    struct job *job = start_job();
    struct job_ticket *first = must_ask(job, 1, "http://a/");
    ASSERT_PHASE(job, first, PHASE_DOWNLOADING);
    struct job_ticket *second = must_ask(job, 2, "http://a/");
    job_view(second, &view);
    CU_ASSERT_EQUAL(view.status.phase, PHASE_QUEUED);
    CU_ASSERT_FALSE(view.ended);
    CU_ASSERT_EQUAL(queued_files(), 1);
    struct job_ticket *joined = must_ask(job, 2, "http://b/");
    CU_ASSERT_PTR_EQUAL(joined, second);
    struct job_ticket *none = NULL;
    CU_ASSERT_EQUAL(ask(job, 3, "http://a/", &none, why), ERROR_BUSY);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "010101010101"));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "downloading"));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "[upgrade] queue = 1"));
    job_status(job, &view);
    CU_ASSERT_EQUAL(view.status.sha256[0], 1);

    world.step = STEP_NOT_READY;
    release();
    ASSERT_PHASE(job, first, PHASE_FAILED);
    ASSERT_PHASE(job, second, PHASE_FAILED); /* the descriptor stays readable */
    CU_ASSERT_EQUAL(world.downloads, 2);
    CU_ASSERT_EQUAL(world.mirrors, 2);
    (void)job_unref(first);
    (void)job_unref(second);
    (void)job_unref(joined);
    end_job(job);
    CU_ASSERT_EQUAL(queued_files(), 0);
}

static void test_no_queue(void)
{
    fresh_world();
    conf.upgrade.queue = 0;
    world.download = DOWNLOAD_HELD;
    struct job *job = start_job();
    struct job_ticket *first = must_ask(job, 1, "http://a/");
    struct job_ticket *none = NULL;
    CU_ASSERT_EQUAL(ask(job, 2, "http://a/", &none, why), ERROR_BUSY);
    (void)job_unref(first);
    end_job(job);
}

static void test_reboot_pending(void)
{
    fresh_world();
    world.download = DOWNLOAD_HELD;
    struct job *job = start_job();
    struct job_ticket *first = must_ask(job, 1, "http://a/");
    struct job_ticket *second = must_ask(job, 2, "http://a/");
    release();
    ASSERT_PHASE(job, first, PHASE_REBOOTING);
    ASSERT_PHASE(job, second, PHASE_FAILED);
    CU_ASSERT_EQUAL(view.code, ERROR_BUSY);
    CU_ASSERT_PTR_NOT_NULL(strstr(view.detail, "reboot into upgrade 010101010101 is pending"));
    CU_ASSERT_EQUAL(world.downloads, 1);
    struct job_ticket *again = must_ask(job, 1, "http://z/");
    job_view(again, &view);
    CU_ASSERT_TRUE(view.ended);
    CU_ASSERT_EQUAL(view.code, ERROR_NONE);
    struct job_ticket *none = NULL;
    CU_ASSERT_EQUAL(ask(job, 2, "http://a/", &none, why), ERROR_BUSY);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "reboot into upgrade 010101010101 is pending"));
    job_status(job, &view);
    CU_ASSERT_EQUAL(view.status.phase, PHASE_REBOOTING);
    (void)job_unref(first);
    (void)job_unref(second);
    (void)job_unref(again);
    end_job(job);
    CU_ASSERT_EQUAL(queued_files(), 0);
}

static void test_reboot_never_comes(void)
{
    fresh_world();
    world.reboot_delay = 0;
    struct job *job = make_job();
    job->reboot_grace_ms = 1;
    CU_ASSERT_EQUAL(job_start(job), 0);
    struct job_ticket *ticket = must_ask(job, 1, "http://a/");
    ASSERT_PHASE(job, ticket, PHASE_FAILED);
    CU_ASSERT_EQUAL(view.code, ERROR_REBOOT_FAILED);
    struct job_ticket *again = must_ask(job, 1, "http://a/"); /* judged anew */
    ASSERT_PHASE(job, again, PHASE_FAILED);
    CU_ASSERT_EQUAL(world.downloads, 2);
    (void)job_unref(ticket);
    (void)job_unref(again);
    end_job(job);
    pretend_reboot(); /* it came after all */
    job = start_job();
    job_status(job, &view);
    CU_ASSERT_EQUAL(view.status.phase, PHASE_UPGRADED);
    end_job(job);
}

static void test_refused(void)
{
    fresh_world();
    struct job *job = start_job();
    struct job_ticket *none = NULL;
    CU_ASSERT_EQUAL(ask(job, 1, "file:///etc/passwd", &none, why), ERROR_INVALID_ARGUMENT);
    CU_ASSERT_STRING_EQUAL(why, "only http");
    CU_ASSERT_EQUAL(ask(job, 1, "", &none, why), ERROR_INVALID_ARGUMENT);
    char url[URL_MAX + 2];
    memset(url, 'h', sizeof(url) - 1);
    url[URL_MAX + 1] = '\0';
    CU_ASSERT_EQUAL(ask(job, 1, url, &none, why), ERROR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NULL(none);
    job_status(job, &view);
    CU_ASSERT_EQUAL(view.status.phase, PHASE_IDLE);
    job_stop(job);
    CU_ASSERT_EQUAL(ask(job, 1, "http://a/", &none, why), ERROR_SHUTTING_DOWN);
    CU_ASSERT_EQUAL(world.downloads, 0);
    CU_ASSERT_PTR_NULL(job_free(job));
}

/* The folder goes away beneath the job: nothing is told that did not happen. */
static void test_cannot_record(void)
{
    fresh_world();
    struct job *job = start_job();
    run_shell("rm -rf ", upgrade_directory, "");
    struct job_ticket *ticket = must_ask(job, 1, "http://a/");
    job_view(ticket, &view);
    CU_ASSERT_TRUE(view.ended);
    CU_ASSERT_EQUAL(view.code, ERROR_INTERNAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(view.detail, "cannot be recorded"));
    CU_ASSERT_EQUAL(world.downloads, 0);
    (void)job_unref(ticket);
    end_job(job);
}

static void test_cannot_record_installing(void)
{
    fresh_world();
    world.download = DOWNLOAD_HELD;
    struct job *job = start_job();
    struct job_ticket *ticket = must_ask(job, 1, "http://a/");
    ASSERT_PHASE(job, ticket, PHASE_DOWNLOADING);
    run_shell("rm -rf ", upgrade_directory, "");
    release();
    ASSERT_PHASE(job, ticket, PHASE_FAILED);
    CU_ASSERT_EQUAL(view.code, ERROR_INTERNAL);
    CU_ASSERT_EQUAL(world.steps, 0);
    (void)job_unref(ticket);
    end_job(job);
}

/* --- over a restart --- */

static void test_stop_and_go_on(void)
{
    fresh_world();
    world.download = DOWNLOAD_HELD;
    struct job *job = start_job();
    struct job_ticket *first = must_ask(job, 1, "http://a/");
    ASSERT_PHASE(job, first, PHASE_DOWNLOADING);
    struct job_ticket *second = must_ask(job, 2, "http://b/");
    job_stop(job);
    job_view(first, &view);
    CU_ASSERT_FALSE(view.ended);
    job_view(second, &view);
    CU_ASSERT_FALSE(view.ended);
    (void)job_unref(first);
    (void)job_unref(second);
    CU_ASSERT_PTR_NULL(job_free(job));
    CU_ASSERT_EQUAL(job_status_read(&conf, &view), 0);
    CU_ASSERT_EQUAL(view.status.phase, PHASE_DOWNLOADING);
    CU_ASSERT_EQUAL(view.status.sha256[0], 1);
    CU_ASSERT_EQUAL(read_state().starts, 0);

    world.step = STEP_NOT_READY; /* so that the second gets its turn */
    job = start_job();
    job_status(job, &view);
    CU_ASSERT_EQUAL(view.status.phase, PHASE_DOWNLOADING);
    CU_ASSERT_EQUAL(read_state().starts, 1);
    first = must_ask(job, 1, "http://a/"); /* its guest asks again, and joins */
    second = must_ask(job, 2, "http://b/");
    release();
    ASSERT_PHASE(job, first, PHASE_FAILED);
    ASSERT_PHASE(job, second, PHASE_FAILED);
    CU_ASSERT_EQUAL(world.downloads, 3);
    (void)job_unref(first);
    (void)job_unref(second);
    end_job(job);
    CU_ASSERT_EQUAL(queued_files(), 0);
}

static void test_too_many_starts(void)
{
    fresh_world();
    world.download = DOWNLOAD_HELD;
    struct job *job = start_job();
    struct job_ticket *ticket = must_ask(job, 1, "http://a/");
    ASSERT_PHASE(job, ticket, PHASE_DOWNLOADING);
    (void)job_unref(ticket);
    end_job(job);
    for (unsigned start = 1; start <= RECOVER_STARTS_MAX; start++) {
        job = make_job(); /* and ends without a clean stop: no thread has run */
        CU_ASSERT_PTR_NULL(job_free(job));
        CU_ASSERT_EQUAL(read_state().starts, start);
    }
    job = start_job();
    job_status(job, &view);
    CU_ASSERT_EQUAL(view.status.phase, PHASE_FAILED);
    CU_ASSERT_EQUAL(view.code, ERROR_INTERNAL);
    end_job(job);
}

/* Stops a job while its installer runs; what is left is as after a crash. */
static void leave_installing(void)
{
    fresh_world();
    world.step = STEP_HELD;
    struct job *job = start_job();
    struct job_ticket *ticket = must_ask(job, 0x11, "http://a/");
    ASSERT_PHASE(job, ticket, PHASE_INSTALLING);
    int64_t deadline_ms = clock_deadline(PATIENCE_MS);
    while (world.steps == 0 && clock_ms() < deadline_ms) {
        (void)usleep(500);
    }
    job_stop(job);
    job_view(ticket, &view);
    CU_ASSERT_FALSE(view.ended);
    CU_ASSERT_EQUAL(view.status.phase, PHASE_INSTALLING);
    (void)job_unref(ticket);
    CU_ASSERT_PTR_NULL(job_free(job));
    CU_ASSERT_EQUAL(read_state().phase, PHASE_INSTALLING);
}

static void test_installer_found_again(void)
{
    char hex[SHA256_HEX + 1];
    char path[128];
    memset(hex, '1', SHA256_HEX);
    hex[SHA256_HEX] = '\0';
    leave_installing();
    (void)snprintf(path, sizeof(path), "%s/%s", install_directory, INSTALL_LOCK_NAME);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct flock held = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    CU_ASSERT_EQUAL(fcntl(fd, F_OFD_SETLK, &held), 0);

    struct job *job = start_job();
    struct job_ticket *ticket = must_ask(job, 0x11, "http://a/");
    (void)usleep(20000); /* some looks at the lock */
    job_view(ticket, &view);
    CU_ASSERT_EQUAL(view.status.phase, PHASE_INSTALLING);
    write_record(hex, RECORD_REBOOTING, ERROR_NONE, NULL);
    (void)close(fd);
    ASSERT_PHASE(job, ticket, PHASE_REBOOTING);
    CU_ASSERT_EQUAL(world.steps, 1);
    (void)job_unref(ticket);
    end_job(job);

    job = start_job(); /* and the reboot is still waited for */
    job_status(job, &view);
    CU_ASSERT_EQUAL(view.status.phase, PHASE_REBOOTING);
    end_job(job);
    pretend_reboot();
    job = start_job();
    job_status(job, &view);
    CU_ASSERT_EQUAL(view.status.phase, PHASE_UPGRADED);
    CU_ASSERT_TRUE(view.ended);
    CU_ASSERT_EQUAL(view.code, ERROR_NONE);
    end_job(job);
    job = start_job(); /* it stays so until the next request */
    job_status(job, &view);
    CU_ASSERT_EQUAL(view.status.phase, PHASE_UPGRADED);
    world.download = DOWNLOAD_BADLY;
    ticket = must_ask(job, 0x11, "http://a/");
    ASSERT_PHASE(job, ticket, PHASE_FAILED);
    (void)job_unref(ticket);
    end_job(job);
}

static void test_stop_while_waiting_for_the_lock(void)
{
    char path[128];
    leave_installing();
    (void)snprintf(path, sizeof(path), "%s/%s", install_directory, INSTALL_LOCK_NAME);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct flock held = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    CU_ASSERT_EQUAL(fcntl(fd, F_OFD_SETLK, &held), 0);
    struct job *job = start_job();
    end_job(job);
    CU_ASSERT_EQUAL(read_state().phase, PHASE_INSTALLING);
    (void)close(fd);
}

static void test_restart_ends(void)
{
    static const struct {
        bool reboot;
        const char *version;
        enum phase phase;
    } rows[] = {
        {false, "1.0", PHASE_FAILED}, /* `started`, and nobody lives */
        {true, "1.0", PHASE_FAILED},
        {true, "2.0", PHASE_UPGRADED}, /* the installer rebooted the machine itself */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        leave_installing();
        write_version(rows[i].version);
        if (rows[i].reboot) {
            pretend_reboot();
        }
        struct job *job = start_job();
        job_status(job, &view); /* at once: it is settled before the daemon is ready */
        CU_ASSERT_EQUAL(view.status.phase, rows[i].phase);
        end_job(job);
        CU_ASSERT_EQUAL(read_state().phase, rows[i].phase);
        CU_ASSERT_EQUAL(job_status_read(&conf, &view), 0);
        CU_ASSERT_EQUAL(view.status.phase, rows[i].phase);
    }
}

static void test_asks_again_after_restart(void)
{
    char hex[SHA256_HEX + 1];
    memset(hex, '1', SHA256_HEX);
    hex[SHA256_HEX] = '\0';
    leave_installing();
    write_record(hex, RECORD_INSTALLED, ERROR_NONE, NULL);
    world.step = STEP_REBOOTS;
    struct job *job = start_job();
    ASSERT_PHASE(job, NULL, PHASE_REBOOTING);
    CU_ASSERT_EQUAL(world.steps, 2);
    CU_ASSERT_EQUAL(world.downloads, 1);
    end_job(job);
}

static void test_damaged_state(void)
{
    char path[128];
    fresh_world();
    CU_ASSERT_EQUAL(job_status_read(&conf, &view), 0); /* no folder yet */
    CU_ASSERT_EQUAL(view.status.phase, PHASE_IDLE);
    CU_ASSERT_EQUAL(mkdir(upgrade_directory, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/state", upgrade_directory);
    run_shell("echo nonsense > ", path, "");
    CU_ASSERT_EQUAL(job_status_read(&conf, &view), -EBADMSG);
    struct job *job = start_job();
    job_status(job, &view);
    CU_ASSERT_EQUAL(view.status.phase, PHASE_IDLE);
    end_job(job);
    CU_ASSERT_TRUE(logged("is damaged: it is set aside as state.bad"));
    (void)snprintf(path, sizeof(path), "%s/state.bad", upgrade_directory);
    CU_ASSERT_EQUAL(access(path, F_OK), 0);
}

static void test_cannot_be_made(void)
{
    static char not_there[] = "/nowhere/at/all";
    struct job *job = NULL;
    char problem[CONF_PROBLEM_MAX] = "";
    struct job_bell bell = {rang, NULL};
    fresh_world();
    conf.upgrade.directory = not_there;
    CU_ASSERT_EQUAL(job_new(&conf, "x", bell, &job, problem), -ENOENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(problem, "[upgrade] directory = /nowhere/at/all"));
    conf.upgrade.directory = version_path;
    CU_ASSERT_EQUAL(job_new(&conf, "x", bell, &job, problem), -ENOTDIR);
    CU_ASSERT_EQUAL(mkdir(upgrade_directory, 0777), 0);
    CU_ASSERT_EQUAL(chmod(upgrade_directory, 0777), 0);
    conf.upgrade.directory = upgrade_directory;
    CU_ASSERT_EQUAL(job_new(&conf, "x", bell, &job, problem), -EPERM);
    CU_ASSERT_PTR_NOT_NULL(strstr(problem, "nobody else may write there"));
    CU_ASSERT_EQUAL(chmod(upgrade_directory, 0700), 0);
    conf.steps.method = CONF_STEP_UNIT;
    CU_ASSERT_EQUAL(job_new(&conf, "x", bell, &job, problem), -ENOTSUP);
    CU_ASSERT_PTR_NOT_NULL(strstr(problem, "exec"));
    CU_ASSERT_PTR_NULL(job);
}

/* --- many at once --- */

enum { GUESTS = 8, ROUNDS = 40 };
static struct job *shared_job;
static atomic_bool all_done;

static void *guest(void *context)
{
    unsigned seed = (unsigned)(uintptr_t)context;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct job_ticket *ticket = NULL;
        struct job_view seen = {.revision = 0};
        char text[JOB_TEXT_MAX];
        uint64_t revision = 0;
        enum error_code code =
            ask(shared_job, (uint8_t)((seed + round) % 3), "http://a/", &ticket, text);
        if (code != ERROR_NONE) {
            if (code == ERROR_SHUTTING_DOWN) {
                return NULL;
            }
            (void)usleep(200);
            continue;
        }
        while (!seen.ended && !all_done) {
            job_view(ticket, &seen);
            if (seen.revision < revision) {
                abort();
            }
            revision = seen.revision;
            job_status(shared_job, &seen);
            job_view(ticket, &seen);
            (void)usleep(50);
        }
        (void)job_unref(ticket);
    }
    return NULL;
}

static void test_many_guests_and_a_stop(void)
{
    fresh_world();
    world.step = STEP_NOT_READY; /* every upgrade ends, and the next begins */
    all_done = false;
    shared_job = start_job();
    pthread_t threads[GUESTS];
    for (uintptr_t i = 0; i < GUESTS; i++) {
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, guest, (void *)i), 0);
    }
    int64_t deadline_ms = clock_deadline(PATIENCE_MS);
    while (world.downloads < 10 && clock_ms() < deadline_ms) {
        (void)usleep(500);
    }
    CU_ASSERT_TRUE(world.downloads >= 10);
    job_stop(shared_job); /* in the middle */
    all_done = true;
    for (size_t i = 0; i < GUESTS; i++) {
        CU_ASSERT_EQUAL(pthread_join(threads[i], NULL), 0);
    }
    CU_ASSERT_PTR_NULL(job_free(shared_job)); /* asserts that every ticket came back */
}

static const struct unit_test tests[] = {
    {"an upgrade, from queued to rebooting", test_upgrade},
    {"how each failure is told", test_failures},
    {"installed without a reboot: asked again", test_reboot_is_asked_for_again},
    {"fetched again after a wrong hash", test_fetched_again},
    {"a record from before is not believed", test_stale_record},
    {"the same hash joins; mirrors; watchers", test_join_and_mirrors},
    {"another hash waits or is busy", test_queue},
    {"a queue of none", test_no_queue},
    {"while the reboot is pending", test_reboot_pending},
    {"a reboot that does not come", test_reboot_never_comes},
    {"refused requests", test_refused},
    {"a request that cannot be recorded", test_cannot_record},
    {"an installation that cannot be recorded", test_cannot_record_installing},
    {"stop, and go on at the next start", test_stop_and_go_on},
    {"too many starts", test_too_many_starts},
    {"an installer is found again", test_installer_found_again},
    {"stop while an installer is waited for", test_stop_while_waiting_for_the_lock},
    {"ends that are found at the start", test_restart_ends},
    {"installed before the restart: asked again", test_asks_again_after_restart},
    {"a damaged state file", test_damaged_state},
    {"directories and methods that do not do", test_cannot_be_made},
    {"many guests and a stop", test_many_guests_and_a_stop},
};

int main(void)
{
    if (mkdtemp(base) == NULL) {
        return 1;
    }
    (void)snprintf(upgrade_directory, sizeof(upgrade_directory), "%s/upgrade", base);
    (void)snprintf(install_directory, sizeof(install_directory), "%s/install", base);
    (void)snprintf(version_path, sizeof(version_path), "%s/version.txt", base);
    world.release_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    lock_init(&world.lock);
    int status = unit_main("job", tests, sizeof(tests) / sizeof(tests[0]));
    run_shell("rm -rf ", base, "");
    (void)close(world.release_fd);
    return status;
}
