/* SPDX-License-Identifier: Apache-2.0 */
#include "host/operation.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

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

enum { NAME_MAX_BYTES = 64, RESULT_PATH_MAX = 256 };

static bool stopped(const struct errand_order *order)
{
    struct pollfd fd = {.fd = order->stop_fd, .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}

static void on_line(void *context, const char *line)
{
    const struct errand_order *order = context;
    char cid[16];
    (void)snprintf(cid, sizeof(cid), "%u", order->cid);
    const struct log_field fields[] = {{"VSOCK_CID", cid},
                                       {"VSOCK_COMMAND", command_name(order->command)}};
    log_event(PRIORITY_INFO, NULL, fields, sizeof(fields) / sizeof(fields[0]), "%s: %s",
              command_name(order->command), line);
}

/* The program's own line counts, however it ended. Without one: how it ended. */
static enum error_code judge(const struct errand_order *order, const struct program_result *result,
                             const char *said, char text[TICKET_TEXT_MAX])
{
    struct errand_line line;
    int error = errand_line_parse(said, result->said, &line);
    if (error == 0) {
        (void)escape_text(line.text, ESCAPE_LINE, text, TICKET_TEXT_MAX);
        return line.code;
    }
    if (result->end == PROGRAM_LEFT || (result->end == PROGRAM_ENDED && stopped(order))) {
        (void)snprintf(text, TICKET_TEXT_MAX, "the host is stopping; %s: %.1200s",
                       result->end == PROGRAM_LEFT ? "how this ends is not known"
                                                   : "whether this was done is not known",
                       result->how);
        return ERROR_SHUTTING_DOWN;
    }
    if (result->end == PROGRAM_ENDED) {
        (void)snprintf(text, TICKET_TEXT_MAX, "the step program %s: %.1200s",
                       errand_line_explain(error), result->how);
        return result->code == ERROR_TIMEOUT ? ERROR_TIMEOUT : ERROR_INTERNAL;
    }
    (void)snprintf(text, TICKET_TEXT_MAX, "%s", result->how);
    return result->code;
}

static enum error_code run_hsm(struct errand_order *order, char verb[], char text[TICKET_TEXT_MAX])
{
    char said[ERRAND_LINE_MAX];
    char option[] = "--config";
    char cid[16];
    char unit[NAME_MAX_BYTES];
    char result_path[RESULT_PATH_MAX];
    struct program_result result;
    (void)snprintf(cid, sizeof(cid), "%u", order->cid);
    (void)snprintf(unit, sizeof(unit), "vsock_host-hsm-%s@%s.service", verb, cid);
    (void)snprintf(result_path, sizeof(result_path), "%s/%s@%s", order->results, verb, cid);
    char *const argv[] = {
        order->conf->steps.hsm_program, option, order->config_path, verb, cid, NULL};
    const struct program program = {
        .method = order->conf->steps.method,
        .argv = argv,
        .unit = unit,
        .result_path = result_path,
        .said = said,
        .said_size = sizeof(said),
        .deadline_ms = clock_deadline(order->conf->hsm.timeout_ms + ERRAND_HSM_MARGIN_MS),
        .stop_fd = order->stop_fd,
        .on_line = on_line,
        .context = order,
    };
    program_run(&program, &result);
    return judge(order, &result, said, text);
}

static enum error_code run_guest_upgrade(const struct errand_order *order,
                                         char text[TICKET_TEXT_MAX])
{
    const struct unit_job job = {
        .unit = order->conf->guest_upgrade.unit,
        .restart = true,
        .deadline_ms = clock_deadline(ERRAND_GUEST_UPGRADE_MS),
        .stop_fd = order->stop_fd,
        .settle_ms = ERRAND_SETTLE_MS,
    };
    struct unit_outcome outcome;
    char words[UNIT_WORDS_MAX];
    unit_job_run(&job, &outcome);
    unit_outcome_format(&outcome, job.unit, words);
    (void)snprintf(text, TICKET_TEXT_MAX, "%s", words);
    return unit_outcome_well(&outcome) ? ERROR_NONE : unit_outcome_code(&outcome);
}

enum error_code errand_run(const struct errand_order *order, char text[TICKET_TEXT_MAX])
{
    struct errand_order own = *order;
    char attach[] = "attach";
    char detach[] = "detach";
    if (order->command == COMMAND_START_UPGRADE_GUEST_VM) {
        return run_guest_upgrade(order, text);
    }
    return run_hsm(&own, order->command == COMMAND_ATTACH_HSM ? attach : detach, text);
}

struct errand {
    struct ticket ticket; /* first */
    struct errands *errands;
    uint32_t cid;
    /* Under the lock. */
    struct errand *next; /* in the queue */
    unsigned references; /* the guest's, and one while it waits or is under way */
    bool ended;
    enum error_code code;
    char text[TICKET_TEXT_MAX];
};

struct errands {
    _Atomic(const struct conf *) conf; /* replaced by a reload; an earlier one stays readable */
    char *config_path;
    const char *results;
    struct ticket_bell bell;
    int stop_fd; /* an eventfd: readable once the daemon waits no longer */
    pthread_t thread;
    bool running; /* the thread */

    struct lock lock;
    pthread_cond_t news; /* anything below changed */
    bool stopping;
    struct errand *present; /* under way; NULL: none */
    struct errand *queue;   /* oldest first */
    unsigned waiting;
    unsigned tickets; /* given out */
};

/* --- tickets --- */

static void look(const struct ticket *ticket, struct ticket_view *ret)
{
    const struct errand *errand = (const struct errand *)ticket;
    struct errands *errands = errand->errands;
    lock_take(&errands->lock);
    ret->ended = errand->ended;
    ret->code = errand->code;
    ret->revision = errand->ended ? 1 : 0;
    ret->has_progress = false;
    memcpy(ret->text, errand->text, sizeof(ret->text));
    lock_give(&errands->lock);
}

/* `given`: to a guest. Both counts change at once, so that none is left when the last is gone. */
static void drop(struct errand *errand, bool given)
{
    struct errands *errands = errand->errands;
    lock_take(&errands->lock);
    errands->tickets -= given ? 1 : 0;
    bool last = --errand->references == 0;
    lock_give(&errands->lock);
    if (last) {
        free(errand);
    }
}

static void unref(struct ticket *ticket)
{
    drop((struct errand *)ticket, true);
}

static const struct ticket_kind errand_kind = {.look = look, .unref = unref, .outlives = false};

/* --- asking --- */

static enum error_code append_locked(struct errands *errands, struct errand *fresh,
                                     char why[TICKET_TEXT_MAX]) REQUIRES_LOCK(errands->lock);
static void end_locked(struct errands *errands, struct errand *errand, enum error_code code,
                       const char *text) REQUIRES_LOCK(errands->lock);
static struct errand *take_locked(struct errands *errands) REQUIRES_LOCK(errands->lock);

static enum error_code append_locked(struct errands *errands, struct errand *fresh,
                                     char why[TICKET_TEXT_MAX])
{
    if (errands->stopping) {
        (void)snprintf(why, TICKET_TEXT_MAX, "the host is stopping: try again later");
        return ERROR_SHUTTING_DOWN;
    }
    if (errands->waiting == ERRANDS_QUEUE) {
        const struct errand *first = errands->present != NULL ? errands->present : errands->queue;
        (void)snprintf(why, TICKET_TEXT_MAX,
                       "%s for CID %u is under way, and %d more wait, as many as may: try again "
                       "later",
                       command_name(first->ticket.command), first->cid, ERRANDS_QUEUE);
        return ERROR_BUSY;
    }
    struct errand **end = &errands->queue;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = fresh;
    fresh->references++;
    errands->waiting++;
    errands->tickets++;
    return ERROR_NONE;
}

enum error_code errands_submit(struct errands *errands, enum command command, uint32_t cid,
                               struct ticket **ret, char why[TICKET_TEXT_MAX])
{
    struct errand *fresh = calloc(1, sizeof(*fresh));
    if (fresh == NULL) {
        (void)snprintf(why, TICKET_TEXT_MAX, "the host is out of memory");
        return ERROR_INTERNAL;
    }
    fresh->ticket = (struct ticket){.kind = &errand_kind, .command = command};
    fresh->errands = errands;
    fresh->cid = cid;
    fresh->references = 1;
    lock_take(&errands->lock);
    enum error_code code = append_locked(errands, fresh, why);
    lock_give(&errands->lock);
    if (code != ERROR_NONE) {
        free(fresh);
        return code;
    }
    (void)pthread_cond_broadcast(&errands->news); /* cannot fail */
    *ret = &fresh->ticket;
    return ERROR_NONE;
}

/* --- the thread --- */

static void end_locked(struct errands *errands, struct errand *errand, enum error_code code,
                       const char *text)
{
    (void)errands; /* named for its lock */
    errand->ended = true;
    errand->code = code;
    (void)snprintf(errand->text, sizeof(errand->text), "%s", text);
}

/* The oldest that waits becomes the present one. NULL: none will come any more. */
static struct errand *take_locked(struct errands *errands)
{
    while (errands->queue == NULL && !errands->stopping) {
        signal_wait(&errands->news, &errands->lock);
    }
    struct errand *errand = errands->queue;
    if (errand != NULL) {
        errands->queue = errand->next;
        errands->waiting--;
    }
    errands->present = errand;
    return errand;
}

static void tell(const struct errand *errand, enum error_code code, const char *text)
{
    char cid[16];
    bool well = code == ERROR_NONE;
    const char *command = command_name(errand->ticket.command);
    const char *result = well ? "done" : error_name(code);
    (void)snprintf(cid, sizeof(cid), "%u", errand->cid);
    const struct log_field fields[] = {
        {"VSOCK_CID", cid}, {"VSOCK_COMMAND", command}, {"VSOCK_RESULT", result}};
    metrics_count_request(errand->ticket.command, code);
    log_event(well ? PRIORITY_INFO : PRIORITY_WARNING,
              well ? MESSAGE_ID_STEP_DONE : MESSAGE_ID_STEP_FAILED, fields,
              sizeof(fields) / sizeof(fields[0]), "%s for cid %s: %s: %s", command, cid, result,
              text);
}

static void ring(const struct errands *errands)
{
    errands->bell.rang(errands->bell.context);
}

static void carry_out(struct errands *errands, struct errand *errand)
{
    const struct errand_order order = {
        .conf = atomic_load(&errands->conf),
        .config_path = errands->config_path,
        .results = errands->results,
        .stop_fd = errands->stop_fd,
        .command = errand->ticket.command,
        .cid = errand->cid,
    };
    char text[TICKET_TEXT_MAX] = "";
    enum error_code code = errand_run(&order, text);
    tell(errand, code, text);
    lock_take(&errands->lock);
    end_locked(errands, errand, code, text);
    errands->present = NULL;
    lock_give(&errands->lock);
    (void)pthread_cond_broadcast(&errands->news); /* cannot fail */
    ring(errands);
    drop(errand, false);
}

/* An errand keeps limits of its own; this is what hangs beyond them. */
static int64_t order_limit_ms(struct errands *errands)
{
    return atomic_load(&errands->conf)->hsm.timeout_ms;
}

static void *run(void *context)
{
    struct errands *errands = context;
    (void)pthread_setname_np(pthread_self(), "errand"); /* only a name */
    watch_enter("errand", 0);
    for (;;) {
        watch_idle();
        lock_take(&errands->lock);
        struct errand *errand = take_locked(errands);
        lock_give(&errands->lock);
        if (errand == NULL) {
            watch_leave();
            return NULL;
        }
        watch_step(command_name(errand->ticket.command), WATCH_DISK_MS + order_limit_ms(errands));
        carry_out(errands, errand);
    }
}

/* --- making and taking down --- */

int errands_new(const struct conf *conf, const char *config_path, struct ticket_bell bell,
                struct errands **ret)
{
    struct errands *errands = calloc(1, sizeof(*errands));
    if (errands == NULL) {
        return -ENOMEM;
    }
    const char *results = secure_getenv("HSM_RESULTS"); /* for tests */
    atomic_init(&errands->conf, conf);
    errands->results = results != NULL ? results : ERRAND_RESULTS;
    errands->bell = bell;
    errands->config_path = strdup(config_path);
    errands->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    lock_init(&errands->lock);
    signal_init(&errands->news);
    if (errands->config_path == NULL || errands->stop_fd < 0) {
        int error = errands->stop_fd < 0 ? -errno : -ENOMEM;
        errands_free(errands);
        return error;
    }
    *ret = errands;
    return 0;
}

int errands_start(struct errands *errands)
{
    int error = pthread_create(&errands->thread, NULL, run, errands);
    errands->running = error == 0;
    return -error;
}

/* Ends those that wait; the queue is the machinery's, so their references go too. */
static void end_queue(struct errands *errands)
{
    lock_take(&errands->lock);
    struct errand *queue = errands->queue;
    errands->stopping = true;
    errands->queue = NULL;
    errands->waiting = 0;
    for (struct errand *errand = queue; errand != NULL; errand = errand->next) {
        end_locked(errands, errand, ERROR_SHUTTING_DOWN,
                   "the host is stopping, and this was not begun: try again later");
    }
    lock_give(&errands->lock);
    (void)pthread_cond_broadcast(&errands->news); /* cannot fail */
    while (queue != NULL) {
        struct errand *next = queue->next;
        tell(queue, ERROR_SHUTTING_DOWN, "not begun");
        drop(queue, false);
        queue = next;
    }
}

void errands_stop(struct errands *errands, int64_t limit_ms)
{
    int64_t deadline_ms = clock_deadline(limit_ms);
    end_queue(errands);
    ring(errands);
    if (!errands->running) {
        return;
    }
    lock_take(&errands->lock);
    while (errands->present != NULL && clock_ms() < deadline_ms) {
        signal_wait_until(&errands->news, &errands->lock, deadline_ms);
    }
    lock_give(&errands->lock);
    int error = eventfd_write(errands->stop_fd, 1);
    assert(error == 0);
    error = pthread_join(errands->thread, NULL);
    assert(error == 0);
    (void)error; /* NDEBUG */
    errands->running = false;
}

struct errands *errands_free(struct errands *errands)
{
    if (errands != NULL) {
        assert(!errands->running && errands->tickets == 0 && errands->queue == NULL);
        if (errands->stop_fd >= 0) {
            (void)close(errands->stop_fd); /* nothing was written to keep */
        }
        (void)pthread_cond_destroy(&errands->news); /* nobody waits: the thread is joined */
        lock_done(&errands->lock);
        free(errands->config_path);
        free(errands);
    }
    return NULL;
}

void errands_configure(struct errands *errands, const struct conf *conf)
{
    atomic_store(&errands->conf, conf);
}
