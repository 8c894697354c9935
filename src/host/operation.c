/* SPDX-License-Identifier: Apache-2.0 */
#include "host/operation.h"

#include "host/keyfile.h"
#include "host/lock.h"
#include "host/log.h"
#include "host/message_id.h"
#include "host/metrics.h"
#include "host/process/helper.h"
#include "host/process/result_line.h"
#include "host/systemd/unit.h"
#include "host/watchdog.h"
#include "wire/clock.h"
#include "wire/text.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

enum {
    QUEUE_MAX = 4, /* behind the current one; more are refused with `busy` */
    /* vsock_host-hsm enforces [hsm] timeout_seconds; this much later the daemon ends it, or stops
     * waiting for its unit. */
    HSM_MARGIN_MS = 10 * 1000,
    /* For a unit to stop and to start again: systemd's defaults for either are 90 s. */
    GUEST_UPGRADE_MS = 200 * 1000,
    /* A service of Type=simple counts as started before it has done anything: its state is read once
     * more after this time. */
    SETTLE_MS = 1000,
    UNIT_NAME_MAX = 64,
    RESULT_PATH_MAX = 256,
};

struct operation {
    struct pending pending; /* first */
    struct operations *operations;
    uint32_t cid;
    const struct conf *conf; /* that it was begun with; the thread's */
    /* Under the lock. */
    struct operation *next; /* in the queue */
    unsigned references;    /* the guest's, and one while it is queued or current */
    bool ended;
    enum error_code code;
    char text[PENDING_TEXT_MAX];
};

struct operations {
    _Atomic(const struct conf *) conf; /* replaced by a reload; an earlier one stays readable */
    char *config_path;
    const char *results;
    struct pending_wakeup wakeup;
    int stop_fd; /* an eventfd: readable once the daemon waits no longer */
    pthread_t thread;
    bool running; /* the thread */

    struct lock lock;
    pthread_cond_t changed; /* anything below */
    bool stopping;
    struct operation *current; /* NULL: none */
    struct operation *queue;   /* oldest first */
    unsigned queued;
    unsigned given_out; /* references of guests */
};

/* --- one operation, without the lock --- */

static bool is_stopped(const struct operations *operations)
{
    struct pollfd fd = {.fd = operations->stop_fd, .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}

static void log_output_line(void *context, enum log_priority priority, const char *line)
{
    const struct operation *operation = context;
    const char *command = command_name(operation->pending.command);
    char cid[16];
    (void)snprintf(cid, sizeof cid, "%u", operation->cid);
    const struct log_field fields[] = {{"VSOCK_CID", cid}, {"VSOCK_COMMAND", command}};
    log_event(priority, NULL, fields, sizeof fields / sizeof fields[0], "%s: %s", command, line);
}

/* The program's own result line counts, however it ended. Without one: how it ended. */
static enum error_code judge_result(const struct operation *operation,
                                    const struct helper_result *result, const char *output,
                                    char text[PENDING_TEXT_MAX])
{
    struct result_line line;
    int error = result_line_parse(output, result->stdout_length, &line);
    if (error == 0) {
        (void)escape_text(line.text, ESCAPE_LINE, text, PENDING_TEXT_MAX);
        return line.code;
    }
    if (result->end == HELPER_LEFT ||
        (result->end == HELPER_ENDED && is_stopped(operation->operations))) {
        (void)snprintf(text, PENDING_TEXT_MAX,
                       "the host is stopping; the outcome is not known: "
                       "%.1200s",
                       result->how);
        return ERROR_SHUTTING_DOWN;
    }
    if (result->end == HELPER_ENDED) {
        (void)snprintf(text, PENDING_TEXT_MAX, "the helper program %s: %.1200s",
                       result_line_explain(error), result->how);
        return result->code == ERROR_TIMEOUT ? ERROR_TIMEOUT : ERROR_INTERNAL;
    }
    (void)snprintf(text, PENDING_TEXT_MAX, "%s", result->how);
    return result->code;
}

static enum error_code run_hsm(struct operation *operation, char verb[],
                               char text[PENDING_TEXT_MAX])
{
    const struct conf *conf = operation->conf;
    char output[RESULT_LINE_MAX];
    char option[] = "--config";
    char cid[16];
    char unit[UNIT_NAME_MAX];
    char result_path[RESULT_PATH_MAX];
    struct helper_result result;
    (void)snprintf(cid, sizeof cid, "%u", operation->cid);
    (void)snprintf(unit, sizeof unit, "vsock_host-hsm-%s@%s.service", verb, cid);
    (void)snprintf(result_path, sizeof result_path, "%s/%s@%s", operation->operations->results,
                   verb, cid);
    char *const argv[] = {
        conf->steps.hsm_program, option, operation->operations->config_path, verb, cid, NULL};
    const struct helper helper = {
        .method = conf->steps.method,
        .argv = argv,
        .unit = unit,
        .result_path = result_path,
        .stdout_bytes = output,
        .stdout_size = sizeof output,
        .deadline_ms = clock_deadline(conf->hsm.timeout_ms + HSM_MARGIN_MS),
        .stop_fd = operation->operations->stop_fd,
        .on_line = log_output_line,
        .context = operation,
    };
    helper_run(&helper, &result);
    return judge_result(operation, &result, output, text);
}

static enum error_code restart_guest_upgrade(const struct operation *operation,
                                             char text[PENDING_TEXT_MAX])
{
    const struct unit_start start = {
        .unit = operation->conf->guest_upgrade.unit,
        .restart = true,
        .deadline_ms = clock_deadline(GUEST_UPGRADE_MS),
        .stop_fd = operation->operations->stop_fd,
        .settle_ms = SETTLE_MS,
    };
    struct unit_outcome outcome;
    char words[UNIT_WORDS_MAX];
    unit_run(&start, &outcome);
    unit_outcome_format(&outcome, start.unit, words);
    (void)snprintf(text, PENDING_TEXT_MAX, "%s", words);
    return unit_outcome_code(&outcome);
}

/* ERROR_NONE or the error that the guest gets; `text` has one line in either case, escaped. */
static enum error_code execute_command(struct operation *operation, char text[PENDING_TEXT_MAX])
{
    char attach[] = "attach";
    char detach[] = "detach";
    if (operation->pending.command == COMMAND_START_UPGRADE_GUEST_VM) {
        return restart_guest_upgrade(operation, text);
    }
    return run_hsm(operation, operation->pending.command == COMMAND_ATTACH_HSM ? attach : detach,
                   text);
}

static void log_end(const struct operation *operation, enum error_code code, const char *text)
{
    char cid[16];
    bool done = code == ERROR_NONE;
    const char *command = command_name(operation->pending.command);
    const char *result = done ? "done" : error_name(code);
    (void)snprintf(cid, sizeof cid, "%u", operation->cid);
    const struct log_field fields[] = {
        {"VSOCK_CID", cid}, {"VSOCK_COMMAND", command}, {"VSOCK_RESULT", result}};
    metrics_count_request(operation->pending.command, code);
    log_event(done ? PRIORITY_INFO : PRIORITY_WARNING,
              done ? MESSAGE_ID_STEP_DONE : MESSAGE_ID_STEP_FAILED, fields,
              sizeof fields / sizeof fields[0], "%s for cid %s: %s: %s", command, cid, result,
              text);
}

/* --- references --- */

static void read_view(const struct pending *pending, struct pending_view *ret)
{
    const struct operation *operation = (const struct operation *)pending;
    struct operations *operations = operation->operations;
    lock_take(&operations->lock);
    ret->ended = operation->ended;
    ret->code = operation->code;
    ret->revision = operation->ended ? 1 : 0;
    ret->has_progress = false;
    memcpy(ret->text, operation->text, sizeof ret->text);
    lock_give(&operations->lock);
}

/* `of_guest`: both counts change at once, so that none is left when the last reference is gone. */
static void drop_reference(struct operation *operation, bool of_guest)
{
    struct operations *operations = operation->operations;
    lock_take(&operations->lock);
    operations->given_out -= of_guest ? 1 : 0;
    bool last = --operation->references == 0;
    lock_give(&operations->lock);
    if (last) {
        free(operation);
    }
}

static void unref_guest(struct pending *pending)
{
    drop_reference((struct operation *)pending, true);
}

static const struct pending_kind operation_kind = {.look = read_view, .unref = unref_guest};

/* --- the queue --- */

static enum error_code append_locked(struct operations *operations, struct operation *fresh,
                                     char why[PENDING_TEXT_MAX]) REQUIRES_LOCK(operations->lock)
{
    if (operations->stopping) {
        (void)snprintf(why, PENDING_TEXT_MAX, "the host is stopping: try again later");
        return ERROR_SHUTTING_DOWN;
    }
    if (operations->queued == QUEUE_MAX) {
        const struct operation *first =
            operations->current != NULL ? operations->current : operations->queue;
        (void)snprintf(why, PENDING_TEXT_MAX,
                       "the queue is full (%d operations behind %s for CID %u): try again later",
                       QUEUE_MAX, command_name(first->pending.command), first->cid);
        return ERROR_BUSY;
    }
    struct operation **end = &operations->queue;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = fresh;
    fresh->references++;
    operations->queued++;
    operations->given_out++;
    return ERROR_NONE;
}

enum error_code operation_submit(struct operations *operations, enum command command, uint32_t cid,
                                 struct pending **ret, char why[PENDING_TEXT_MAX])
{
    struct operation *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL) {
        (void)snprintf(why, PENDING_TEXT_MAX, "the host is out of memory");
        return ERROR_INTERNAL;
    }
    fresh->pending = (struct pending){.kind = &operation_kind, .command = command};
    fresh->operations = operations;
    fresh->cid = cid;
    fresh->references = 1;
    lock_take(&operations->lock);
    enum error_code code = append_locked(operations, fresh, why);
    lock_give(&operations->lock);
    if (code != ERROR_NONE) {
        free(fresh);
        return code;
    }
    (void)pthread_cond_broadcast(&operations->changed); /* cannot fail */
    *ret = &fresh->pending;
    return ERROR_NONE;
}

/* --- the thread --- */

static void end_locked(struct operations *operations, struct operation *operation,
                       enum error_code code, const char *text) REQUIRES_LOCK(operations->lock)
{
    (void)operations; /* named for its lock */
    operation->ended = true;
    operation->code = code;
    (void)snprintf(operation->text, sizeof operation->text, "%s", text);
}

/* The oldest in the queue becomes the current one. NULL: stopping, and none is left. */
static struct operation *take_locked(struct operations *operations) REQUIRES_LOCK(operations->lock)
{
    while (operations->queue == NULL && !operations->stopping) {
        signal_wait(&operations->changed, &operations->lock);
    }
    struct operation *operation = operations->queue;
    if (operation != NULL) {
        operations->queue = operation->next;
        operations->queued--;
    }
    operations->current = operation;
    return operation;
}

static void notify_guests(const struct operations *operations)
{
    operations->wakeup.notify(operations->wakeup.context);
}

static void run_operation(struct operations *operations, struct operation *operation)
{
    char text[PENDING_TEXT_MAX] = "";
    operation->conf = atomic_load(&operations->conf);
    watchdog_expect(command_name(operation->pending.command),
                    WATCHDOG_DISK_MS + operation->conf->hsm.timeout_ms); /* beyond its own limits */
    enum error_code code = execute_command(operation, text);
    log_end(operation, code, text);
    lock_take(&operations->lock);
    end_locked(operations, operation, code, text);
    operations->current = NULL;
    lock_give(&operations->lock);
    (void)pthread_cond_broadcast(&operations->changed); /* cannot fail */
    notify_guests(operations);
    drop_reference(operation, false);
}

static void *run_thread(void *context)
{
    struct operations *operations = context;
    (void)pthread_setname_np(pthread_self(), "operation"); /* only a name */
    watchdog_enter("operation", 0);
    for (;;) {
        watchdog_idle();
        lock_take(&operations->lock);
        struct operation *operation = take_locked(operations);
        lock_give(&operations->lock);
        if (operation == NULL) {
            watchdog_leave();
            return NULL;
        }
        run_operation(operations, operation);
    }
}

/* --- start and stop --- */

int operation_new(const struct conf *conf, const char *config_path, const char *results,
                  struct pending_wakeup wakeup, struct operations **ret)
{
    struct operations *operations = calloc(1, sizeof *operations);
    if (operations == NULL) {
        return -ENOMEM;
    }
    atomic_init(&operations->conf, conf);
    operations->results = results;
    operations->wakeup = wakeup;
    operations->config_path = strdup(config_path);
    operations->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    lock_init(&operations->lock);
    signal_init(&operations->changed);
    if (operations->config_path == NULL || operations->stop_fd < 0) {
        int error = operations->stop_fd < 0 ? -errno : -ENOMEM;
        operation_free(operations);
        return error;
    }
    *ret = operations;
    return 0;
}

int operation_start(struct operations *operations)
{
    int error = pthread_create(&operations->thread, NULL, run_thread, operations);
    operations->running = error == 0;
    return -error;
}

/* Ends those in the queue and drops the queue's references to them. */
static void end_queue(struct operations *operations)
{
    lock_take(&operations->lock);
    struct operation *queue = operations->queue;
    operations->stopping = true;
    operations->queue = NULL;
    operations->queued = 0;
    for (struct operation *operation = queue; operation != NULL; operation = operation->next) {
        end_locked(operations, operation, ERROR_SHUTTING_DOWN,
                   "the host is stopping; the operation was not begun: try again later");
    }
    lock_give(&operations->lock);
    (void)pthread_cond_broadcast(&operations->changed); /* cannot fail */
    while (queue != NULL) {
        struct operation *next = queue->next;
        log_end(queue, ERROR_SHUTTING_DOWN, "not begun");
        drop_reference(queue, false);
        queue = next;
    }
}

void operation_stop(struct operations *operations, int64_t limit_ms)
{
    int64_t deadline_ms = clock_deadline(limit_ms);
    end_queue(operations);
    notify_guests(operations);
    if (!operations->running) {
        return;
    }
    lock_take(&operations->lock);
    while (operations->current != NULL && clock_ms() < deadline_ms) {
        signal_wait_until(&operations->changed, &operations->lock, deadline_ms);
    }
    lock_give(&operations->lock);
    int error = eventfd_write(operations->stop_fd, 1);
    assert(error == 0);
    error = pthread_join(operations->thread, NULL);
    assert(error == 0);
    (void)error; /* NDEBUG */
    operations->running = false;
}

struct operations *operation_free(struct operations *operations)
{
    if (operations != NULL) {
        assert(!operations->running && operations->given_out == 0 && operations->queue == NULL);
        file_close(operations->stop_fd);
        (void)pthread_cond_destroy(&operations->changed); /* nobody waits: the thread is joined */
        lock_done(&operations->lock);
        free(operations->config_path);
        free(operations);
    }
    return NULL;
}

void operation_configure(struct operations *operations, const struct conf *conf)
{
    atomic_store(&operations->conf, conf);
}
