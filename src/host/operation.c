/* SPDX-License-Identifier: Apache-2.0 */
#include "host/operation.h"

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
#include <unistd.h>

enum { NAME_MAX_BYTES = 64, RESULT_PATH_MAX = 256 };

static bool stopped(const struct operation_order *order)
{
    struct pollfd fd = {.fd = order->stop_fd, .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}

static void on_line(void *context, const char *line)
{
    const struct operation_order *order = context;
    char cid[16];
    (void)snprintf(cid, sizeof cid, "%u", order->cid);
    const struct log_field fields[] = {{"VSOCK_CID", cid},
                                       {"VSOCK_COMMAND", command_name(order->command)}};
    log_event(PRIORITY_INFO, NULL, fields, sizeof fields / sizeof fields[0], "%s: %s",
              command_name(order->command), line);
}

/* The program's own line counts, however it ended. Without one: how it ended. */
static enum error_code judge(const struct operation_order *order,
                             const struct helper_result *result, const char *said,
                             char text[PENDING_TEXT_MAX])
{
    struct result_line line;
    int error = result_line_parse(said, result->said, &line);
    if (error == 0) {
        (void)escape_text(line.text, ESCAPE_LINE, text, PENDING_TEXT_MAX);
        return line.code;
    }
    if (result->end == HELPER_LEFT || (result->end == HELPER_ENDED && stopped(order))) {
        (void)snprintf(text, PENDING_TEXT_MAX, "the host is stopping; %s: %.1200s",
                       result->end == HELPER_LEFT ? "how this ends is not known"
                                                  : "whether this was done is not known",
                       result->how);
        return ERROR_SHUTTING_DOWN;
    }
    if (result->end == HELPER_ENDED) {
        (void)snprintf(text, PENDING_TEXT_MAX, "the step program %s: %.1200s",
                       result_line_explain(error), result->how);
        return result->code == ERROR_TIMEOUT ? ERROR_TIMEOUT : ERROR_INTERNAL;
    }
    (void)snprintf(text, PENDING_TEXT_MAX, "%s", result->how);
    return result->code;
}

static enum error_code run_hsm(struct operation_order *order, char verb[],
                               char text[PENDING_TEXT_MAX])
{
    char said[OPERATION_LINE_MAX];
    char option[] = "--config";
    char cid[16];
    char unit[NAME_MAX_BYTES];
    char result_path[RESULT_PATH_MAX];
    struct helper_result result;
    (void)snprintf(cid, sizeof cid, "%u", order->cid);
    (void)snprintf(unit, sizeof unit, "vsock_host-hsm-%s@%s.service", verb, cid);
    (void)snprintf(result_path, sizeof result_path, "%s/%s@%s", order->results, verb, cid);
    char *const argv[] = {
        order->conf->steps.hsm_program, option, order->config_path, verb, cid, NULL};
    const struct helper program = {
        .method = order->conf->steps.method,
        .argv = argv,
        .unit = unit,
        .result_path = result_path,
        .said = said,
        .stdout_size = sizeof said,
        .deadline_ms = clock_deadline(order->conf->hsm.timeout_ms + OPERATION_HSM_MARGIN_MS),
        .stop_fd = order->stop_fd,
        .on_line = on_line,
        .context = order,
    };
    helper_run(&program, &result);
    return judge(order, &result, said, text);
}

static enum error_code run_guest_upgrade(const struct operation_order *order,
                                         char text[PENDING_TEXT_MAX])
{
    const struct unit_start job = {
        .unit = order->conf->guest_upgrade.unit,
        .restart = true,
        .deadline_ms = clock_deadline(OPERATION_GUEST_UPGRADE_MS),
        .stop_fd = order->stop_fd,
        .settle_ms = OPERATION_SETTLE_MS,
    };
    struct unit_outcome outcome;
    char words[UNIT_WORDS_MAX];
    unit_run(&job, &outcome);
    unit_outcome_format(&outcome, job.unit, words);
    (void)snprintf(text, PENDING_TEXT_MAX, "%s", words);
    return unit_outcome_well(&outcome) ? ERROR_NONE : unit_outcome_code(&outcome);
}

/* ERROR_NONE or what the guest is told; `text` has one line in either case, escaped. */
static enum error_code operation_run(const struct operation_order *order,
                                     char text[PENDING_TEXT_MAX])
{
    struct operation_order own = *order;
    char attach[] = "attach";
    char detach[] = "detach";
    if (order->command == COMMAND_START_UPGRADE_GUEST_VM) {
        return run_guest_upgrade(order, text);
    }
    return run_hsm(&own, order->command == COMMAND_ATTACH_HSM ? attach : detach, text);
}

struct operation {
    struct pending pending; /* first */
    struct operations *operations;
    uint32_t cid;
    /* Under the lock. */
    struct operation *next; /* in the queue */
    unsigned references;    /* the guest's, and one while it waits or is under way */
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
    pthread_cond_t news; /* anything below changed */
    bool stopping;
    struct operation *present; /* under way; NULL: none */
    struct operation *queue;   /* oldest first */
    unsigned waiting;
    unsigned pendings; /* given out */
};

/* --- tickets --- */

static void look(const struct pending *pending, struct pending_view *ret)
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

/* `given`: to a guest. Both counts change at once, so that none is left when the last is gone. */
static void drop(struct operation *operation, bool given)
{
    struct operations *operations = operation->operations;
    lock_take(&operations->lock);
    operations->pendings -= given ? 1 : 0;
    bool last = --operation->references == 0;
    lock_give(&operations->lock);
    if (last) {
        free(operation);
    }
}

static void unref(struct pending *pending)
{
    drop((struct operation *)pending, true);
}

static const struct pending_kind errand_kind = {.look = look, .unref = unref, .outlives = false};

/* --- asking --- */

static enum error_code append_locked(struct operations *operations, struct operation *fresh,
                                     char why[PENDING_TEXT_MAX]) REQUIRES_LOCK(operations->lock);
static void end_locked(struct operations *operations, struct operation *operation,
                       enum error_code code, const char *text) REQUIRES_LOCK(operations->lock);
static struct operation *take_locked(struct operations *operations) REQUIRES_LOCK(operations->lock);

static enum error_code append_locked(struct operations *operations, struct operation *fresh,
                                     char why[PENDING_TEXT_MAX])
{
    if (operations->stopping) {
        (void)snprintf(why, PENDING_TEXT_MAX, "the host is stopping: try again later");
        return ERROR_SHUTTING_DOWN;
    }
    if (operations->waiting == ERRANDS_QUEUE) {
        const struct operation *first =
            operations->present != NULL ? operations->present : operations->queue;
        (void)snprintf(why, PENDING_TEXT_MAX,
                       "%s for CID %u is under way, and %d more wait, as many as may: try again "
                       "later",
                       command_name(first->pending.command), first->cid, ERRANDS_QUEUE);
        return ERROR_BUSY;
    }
    struct operation **end = &operations->queue;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = fresh;
    fresh->references++;
    operations->waiting++;
    operations->pendings++;
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
    fresh->pending = (struct pending){.kind = &errand_kind, .command = command};
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
    (void)pthread_cond_broadcast(&operations->news); /* cannot fail */
    *ret = &fresh->pending;
    return ERROR_NONE;
}

/* --- the thread --- */

static void end_locked(struct operations *operations, struct operation *operation,
                       enum error_code code, const char *text)
{
    (void)operations; /* named for its lock */
    operation->ended = true;
    operation->code = code;
    (void)snprintf(operation->text, sizeof operation->text, "%s", text);
}

/* The oldest that waits becomes the present one. NULL: none will come any more. */
static struct operation *take_locked(struct operations *operations)
{
    while (operations->queue == NULL && !operations->stopping) {
        signal_wait(&operations->news, &operations->lock);
    }
    struct operation *operation = operations->queue;
    if (operation != NULL) {
        operations->queue = operation->next;
        operations->waiting--;
    }
    operations->present = operation;
    return operation;
}

static void tell(const struct operation *operation, enum error_code code, const char *text)
{
    char cid[16];
    bool well = code == ERROR_NONE;
    const char *command = command_name(operation->pending.command);
    const char *result = well ? "done" : error_name(code);
    (void)snprintf(cid, sizeof cid, "%u", operation->cid);
    const struct log_field fields[] = {
        {"VSOCK_CID", cid}, {"VSOCK_COMMAND", command}, {"VSOCK_RESULT", result}};
    metrics_count_request(operation->pending.command, code);
    log_event(well ? PRIORITY_INFO : PRIORITY_WARNING,
              well ? MESSAGE_ID_STEP_DONE : MESSAGE_ID_STEP_FAILED, fields,
              sizeof fields / sizeof fields[0], "%s for cid %s: %s: %s", command, cid, result,
              text);
}

static void ring(const struct operations *operations)
{
    operations->wakeup.notify(operations->wakeup.context);
}

static void carry_out(struct operations *operations, struct operation *operation)
{
    const struct operation_order order = {
        .conf = atomic_load(&operations->conf),
        .config_path = operations->config_path,
        .results = operations->results,
        .stop_fd = operations->stop_fd,
        .command = operation->pending.command,
        .cid = operation->cid,
    };
    char text[PENDING_TEXT_MAX] = "";
    enum error_code code = operation_run(&order, text);
    tell(operation, code, text);
    lock_take(&operations->lock);
    end_locked(operations, operation, code, text);
    operations->present = NULL;
    lock_give(&operations->lock);
    (void)pthread_cond_broadcast(&operations->news); /* cannot fail */
    ring(operations);
    drop(operation, false);
}

/* An errand keeps limits of its own; this is what hangs beyond them. */
static int64_t order_limit_ms(struct operations *operations)
{
    return atomic_load(&operations->conf)->hsm.timeout_ms;
}

static void *run(void *context)
{
    struct operations *operations = context;
    (void)pthread_setname_np(pthread_self(), "errand"); /* only a name */
    watchdog_enter("errand", 0);
    for (;;) {
        watchdog_idle();
        lock_take(&operations->lock);
        struct operation *operation = take_locked(operations);
        lock_give(&operations->lock);
        if (operation == NULL) {
            watchdog_leave();
            return NULL;
        }
        watchdog_expect(command_name(operation->pending.command),
                        WATCHDOG_DISK_MS + order_limit_ms(operations));
        carry_out(operations, operation);
    }
}

/* --- making and taking down --- */

int operation_new(const struct conf *conf, const char *config_path, struct pending_wakeup wakeup,
                  struct operations **ret)
{
    struct operations *operations = calloc(1, sizeof *operations);
    if (operations == NULL) {
        return -ENOMEM;
    }
    const char *results = secure_getenv("HSM_RESULTS"); /* for tests */
    atomic_init(&operations->conf, conf);
    operations->results = results != NULL ? results : OPERATION_RESULTS;
    operations->wakeup = wakeup;
    operations->config_path = strdup(config_path);
    operations->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    lock_init(&operations->lock);
    signal_init(&operations->news);
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
    int error = pthread_create(&operations->thread, NULL, run, operations);
    operations->running = error == 0;
    return -error;
}

/* Ends those that wait; the queue is the machinery's, so their references go too. */
static void end_queue(struct operations *operations)
{
    lock_take(&operations->lock);
    struct operation *queue = operations->queue;
    operations->stopping = true;
    operations->queue = NULL;
    operations->waiting = 0;
    for (struct operation *operation = queue; operation != NULL; operation = operation->next) {
        end_locked(operations, operation, ERROR_SHUTTING_DOWN,
                   "the host is stopping, and this was not begun: try again later");
    }
    lock_give(&operations->lock);
    (void)pthread_cond_broadcast(&operations->news); /* cannot fail */
    while (queue != NULL) {
        struct operation *next = queue->next;
        tell(queue, ERROR_SHUTTING_DOWN, "not begun");
        drop(queue, false);
        queue = next;
    }
}

void operation_stop(struct operations *operations, int64_t limit_ms)
{
    int64_t deadline_ms = clock_deadline(limit_ms);
    end_queue(operations);
    ring(operations);
    if (!operations->running) {
        return;
    }
    lock_take(&operations->lock);
    while (operations->present != NULL && clock_ms() < deadline_ms) {
        signal_wait_until(&operations->news, &operations->lock, deadline_ms);
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
        assert(!operations->running && operations->pendings == 0 && operations->queue == NULL);
        if (operations->stop_fd >= 0) {
            (void)close(operations->stop_fd); /* nothing was written to keep */
        }
        (void)pthread_cond_destroy(&operations->news); /* nobody waits: the thread is joined */
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
