/* SPDX-License-Identifier: Apache-2.0 */
#include "host/daemon.h"

#include "host/digest.h"
#include "host/download/download.h"
#include "host/keyfile.h"
#include "host/log.h"
#include "host/message_id.h"
#include "host/metrics.h"
#include "host/net/acceptor.h"
#include "host/net/listener.h"
#include "host/net/worker.h"
#include "host/process/child.h"
#include "host/systemd/notify.h"
#include "host/systemd/unit.h"
#include "host/watchdog.h"
#include "wire/clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    OTHER_FILES = 64,   /* descriptors beside those of guests and two a listener */
    METRICS_MS = 15000, /* between two writes of the metrics file */
    STATUS_SIZE = 1024,
    READY_RETRY_MS = 1000, /* between two attempts to send READY=1 */
    STOP_LINGER_MS = 2000, /* of the stop limit, beside [limits] send_seconds */
    STOP_PHASE_MS = 15000, /* that systemd grants each phase of the stop beside its own limit */
};

struct daemon {
    const struct conf *conf; /* the current one */
    const char *config_path;
    char *const *listen; /* as conf_load takes it */
    const char *hsm_results;
    /* All that were loaded by a reload. Threads read the current one without a lock, so one that was
     * replaced is kept until the daemon ends: a few KiB for each reload that changes something.
     * Reference counts would take a lock for each request, and each piece of work (a connection between
     * two events, an upgrade of hours, an operation, a message and its repeats) would have to hold and
     * drop one on every path: much that can leak, for memory that an operator changes by hand. */
    struct conf **loaded;
    size_t loaded_count;
    struct watchdog_late late; /* the thread that was reported; no name: none */
    bool ready_failed;         /* READY=1 could not be sent yet */
    int signal_fd;
    struct listener_set listener_set;
    struct command_parts parts;
    struct acceptor *acceptor;
    struct worker_pool *pool;
};

/* --- reload --- */

static void report_kept(const char *section, const char *name)
{
    log_warning("reload: [%s] %s differs; a change takes a restart", section, name);
}

/* What is in effect from now on: `fresh`, or the current one if nothing differs, which costs no memory.
 * NULL: out of memory. Takes `fresh`. */
static const struct conf *merge_conf(struct daemon *daemon, struct conf *fresh)
{
    int error = conf_carry_over(daemon->conf, fresh, report_kept);
    if (error == 0 && conf_same(daemon->conf, fresh)) {
        conf_free(fresh);
        return daemon->conf;
    }
    struct conf **loaded = NULL;
    if (error == 0) {
        loaded = reallocarray(daemon->loaded, daemon->loaded_count + 1, sizeof(struct conf *));
    }
    if (loaded == NULL) {
        conf_free(fresh);
        return NULL;
    }
    daemon->loaded = loaded;
    daemon->loaded[daemon->loaded_count++] = fresh;
    return fresh;
}

/* NULL: the files cannot be used, so the current one stays. Keys that take a restart keep their value
 * and are named. */
static const struct conf *reload_conf(struct daemon *daemon)
{
    struct conf *fresh = NULL;
    const struct conf *merged = NULL;
    char problem[CONF_PROBLEM_MAX];
    if (conf_load(daemon->config_path, daemon->listen, &fresh, problem) == 0) {
        (void)snprintf(problem, sizeof problem, "out of memory");
        merged = merge_conf(daemon, fresh);
    }
    if (merged == NULL) {
        log_event(PRIORITY_ERROR, MESSAGE_ID_RELOAD_FAILED, NULL, 0,
                  "reload: %s; the configuration stays as it was", problem);
    } else {
        log_event(PRIORITY_NOTICE, MESSAGE_ID_RELOADED, NULL, 0, "the configuration was reloaded%s",
                  merged == daemon->conf ? "; nothing changed" : "");
    }
    return merged;
}

/* --- start; each function logs its own failure --- */

static bool fail_start(const char *what, int error)
{
    log_error("cannot start: %s: %s", what, strerror(-error));
    return false;
}

/* Signals are read from a descriptor, so they are blocked in this and all later threads. */
static bool block_signals(struct daemon *daemon)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGPIPE); /* libraries that write to a closed socket */
    int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (error == 0) {
        sigdelset(&set, SIGPIPE);
        daemon->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        error = daemon->signal_fd < 0 ? errno : 0;
    }
    return error == 0 || fail_start("cannot block signals or read them (signalfd)", -error);
}

static bool open_listeners(struct daemon *daemon)
{
    char problem[CONF_PROBLEM_MAX];
    if (listener_set_open(daemon->conf, &daemon->listener_set, problem) < 0) {
        log_error("cannot start: %s", problem);
        return false;
    }
    if (daemon->listener_set.passed) {
        log_notice("systemd passed the sockets to listen on (%zu): [listen] address, --listen and "
                   "unix_mode are not used",
                   daemon->listener_set.count);
    }
    return true;
}

static bool raise_file_limit(const struct daemon *daemon)
{
    unsigned connections = daemon->conf->limits.connections;
    rlim_t needed =
        connections + CONNECTION_TABLE_SPARE + 2 * daemon->listener_set.count + OTHER_FILES;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) {
        return fail_start("cannot read RLIMIT_NOFILE", -errno);
    }
    if (limit.rlim_cur >= needed) {
        return true;
    }
    limit.rlim_cur = needed;
    limit.rlim_max = limit.rlim_max < needed ? needed : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0) {
        log_error("cannot start: [limits] connections = %u needs %llu open files, more than "
                  "RLIMIT_NOFILE allows: raise LimitNOFILE= or lower connections",
                  connections, (unsigned long long)needed);
        return false;
    }
    return true;
}

static void serve_connection(void *context, struct connection *connection)
{
    struct daemon *daemon = context;
    worker_serve(&daemon->parts, connection);
    acceptor_give_back(daemon->acceptor, connection);
}

static bool make_parts(struct daemon *daemon)
{
    const struct conf *conf = daemon->conf;
    char problem[CONF_PROBLEM_MAX];
    /* For the state on disk, and systemd's answer about an installation: a start waits for nothing else. */
    notify_extend_timeout(WATCHDOG_DISK_MS + UNIT_PENDING_LIMIT_MS);
    int error = acceptor_new(conf, &daemon->parts, &daemon->listener_set, &daemon->acceptor);
    if (error < 0) {
        return fail_start("cannot make the acceptor", error);
    }
    const struct pending_wakeup wakeup = {.notify = acceptor_notify, .context = daemon->acceptor};
    if (upgrade_new(conf, daemon->config_path, wakeup, &daemon->parts.upgrade, problem) < 0) {
        log_error("cannot start: %s", problem);
        return false;
    }
    error = operation_new(conf, daemon->config_path, daemon->hsm_results, wakeup,
                          &daemon->parts.operations);
    if (error < 0) {
        return fail_start("cannot make the queue of operations", error);
    }
    error = console_new(conf, &daemon->parts.console);
    return error == 0 || fail_start("cannot start the console thread", error);
}

/* The units name no configuration, so they read the default one. */
static void warn_of_units(const struct daemon *daemon)
{
    if (daemon->conf->steps.method == CONF_STEP_UNIT &&
        strcmp(daemon->config_path, CONF_DEFAULT_PATH) != 0) {
        log_warning("[steps] method = unit in %s: the units of the helper programs read %s",
                    daemon->config_path, CONF_DEFAULT_PATH);
    }
}

static bool start_threads(struct daemon *daemon)
{
    const struct conf *conf = daemon->conf;
    int error = upgrade_start(daemon->parts.upgrade);
    if (error == 0) {
        error = operation_start(daemon->parts.operations);
    }
    if (error == 0) {
        error = worker_pool_new(conf->limits.workers, conf->limits.queue, serve_connection, daemon,
                                &daemon->pool);
    }
    if (error == 0) {
        error = acceptor_start(daemon->acceptor, daemon->pool);
    }
    return error == 0 || fail_start("cannot start a thread", error);
}

/* --- running --- */

static void write_metrics(const struct daemon *daemon)
{
    static int logged; /* the last error: it is logged once */
    const char *path = daemon->conf->metrics.textfile;
    if (path[0] == '\0') {
        return;
    }
    struct pending_view view;
    upgrade_read_status(daemon->parts.upgrade, &view);
    int error = metrics_write(path, &view.status);
    if (error != logged && error < 0) {
        log_warning("cannot write %s ([metrics] textfile): %s", path, strerror(-error));
    }
    logged = error;
}

/* STATUS= is `remark` and the listeners, or the upgrade that is under way. */
static void notify_systemd_ready(struct daemon *daemon, const char *remark)
{
    char status[STATUS_SIZE];
    size_t length = (size_t)snprintf(status, sizeof status, "%s", remark);
    listener_set_describe(&daemon->listener_set, status + length, sizeof status - length);
    int error = notify_ready(status);
    if (error < 0 && !daemon->ready_failed) {
        log_warning("cannot notify systemd (READY=1): %s; will retry", strerror(-error));
    }
    daemon->ready_failed = error < 0;
    upgrade_show(daemon->parts.upgrade);
}

/* The parts use the new configuration from their next piece of work on. */
static void adopt_conf(struct daemon *daemon, const struct conf *conf)
{
    daemon->conf = conf;
    atomic_store(&daemon->parts.conf, conf);
    acceptor_configure(daemon->acceptor, conf);
    upgrade_configure(daemon->parts.upgrade, conf);
    operation_configure(daemon->parts.operations, conf);
    console_configure(daemon->parts.console, conf);
}

static void reload(struct daemon *daemon)
{
    notify_reloading();
    const struct conf *fresh = reload_conf(daemon);
    if (fresh != NULL) {
        adopt_conf(daemon, fresh);
    }
    notify_systemd_ready(daemon,
                         fresh == NULL ? "Reload failed, the configuration stays as it was. " : "");
}

/* WATCHDOG=1 to systemd while no thread is late; a thread that hangs is logged once. */
static void check_threads(struct daemon *daemon)
{
    struct watchdog_late late;
    if (!watchdog_is_on()) {
        return;
    }
    if (!watchdog_find_late(clock_ms(), &late)) {
        daemon->late = (struct watchdog_late){.name = NULL};
        notify_alive();
    } else if (daemon->late.name != late.name || daemon->late.number != late.number) {
        char number[16] = "";
        if (late.number != 0) {
            (void)snprintf(number, sizeof number, "-%u", late.number);
        }
        daemon->late = late;
        log_event(PRIORITY_ERROR, MESSAGE_ID_THREAD_LATE, NULL, 0,
                  "thread %s%s is late by %lld ms (%s): WATCHDOG=1 is not sent to systemd",
                  late.name, number, (long long)late.late_ms, late.step);
    }
}

/* How long main may sleep. While a thread is late it checks more often: if the thread goes on after all,
 * systemd is notified in time. */
static int sleep_ms(const struct daemon *daemon, int64_t watchdog_ms)
{
    int64_t sleep = daemon->conf->metrics.textfile[0] != '\0' ? METRICS_MS : INT_MAX;
    int64_t check = watchdog_ms / (daemon->late.name == NULL ? 2 : 16);
    sleep = watchdog_ms > 0 && check < sleep ? check : sleep;
    sleep = daemon->ready_failed && sleep > READY_RETRY_MS ? READY_RETRY_MS : sleep;
    return sleep == INT_MAX ? -1 : (int)sleep;
}

/* The signal that ends the daemon. */
static int wait_for_signal(struct daemon *daemon)
{
    int64_t watchdog_ms = notify_watchdog_ms();
    struct pollfd polled = {.fd = daemon->signal_fd, .events = POLLIN};
    for (;;) {
        struct signalfd_siginfo info;
        write_metrics(daemon);
        check_threads(daemon);
        (void)poll(&polled, 1, sleep_ms(daemon, watchdog_ms)); /* the read finds what arrived */
        if (daemon->ready_failed) {
            notify_systemd_ready(daemon, "");
        }
        if (read(daemon->signal_fd, &info, sizeof info) != (ssize_t)sizeof info) {
            continue;
        }
        if (info.ssi_signo != SIGHUP) {
            return (int)info.ssi_signo;
        }
        reload(daemon);
    }
}

/* A phase of the stop begins. systemd grants it its time from now on, so it waits for phases that
 * progress, whatever TimeoutStopSec= says, and not for one that hangs. */
static void extend_stop(int64_t limit_ms)
{
    notify_extend_timeout(limit_ms + STOP_PHASE_MS);
}

/* In the reverse order of the start, which may have failed halfway. */
static void take_down(struct daemon *daemon)
{
    int64_t send_ms = daemon->conf->limits.send_ms;
    atomic_store_explicit(&daemon->parts.stopping, true, memory_order_release);
    if (daemon->parts.upgrade != NULL) {
        extend_stop(0);
        upgrade_stop(daemon->parts.upgrade);
    }
    if (daemon->parts.operations != NULL) {
        extend_stop(send_ms + CHILD_GRACE_MS); /* a helper program may take that to end */
        operation_stop(daemon->parts.operations, send_ms);
    }
    if (daemon->acceptor != NULL) {
        extend_stop(send_ms + STOP_LINGER_MS);
        acceptor_stop(daemon->acceptor, send_ms + STOP_LINGER_MS);
    }
    listener_set_close(&daemon->listener_set);
    if (daemon->pool != NULL) {
        extend_stop(0);
        worker_pool_stop(daemon->pool);
        daemon->pool = worker_pool_free(daemon->pool);
    }
    if (daemon->parts.console != NULL) {
        extend_stop(0);
        console_stop(daemon->parts.console);
        daemon->parts.console = console_free(daemon->parts.console);
    }
    daemon->acceptor =
        acceptor_free(daemon->acceptor); /* its connections hold references to the work below */
    daemon->parts.upgrade = upgrade_free(daemon->parts.upgrade);
    daemon->parts.operations = operation_free(daemon->parts.operations);
    while (daemon->loaded_count > 0) {
        conf_free(daemon->loaded[--daemon->loaded_count]);
    }
    free(daemon->loaded);
    file_close(daemon->signal_fd);
}

static void run_until_signal(struct daemon *daemon)
{
    char status[STATUS_SIZE];
    warn_of_units(daemon);
    notify_systemd_ready(daemon, "");
    listener_set_describe(&daemon->listener_set, status, sizeof status);
    log_event(PRIORITY_INFO, MESSAGE_ID_STARTED, NULL, 0, "vsock_host %s: %s", VSOCK_VERSION,
              status);
    int signal = wait_for_signal(daemon);
    (void)snprintf(status, sizeof status, "Stopping on %s",
                   signal == SIGTERM ? "SIGTERM" : "SIGINT");
    notify_stopping(status);
    log_event(PRIORITY_INFO, MESSAGE_ID_STOPPED, NULL, 0, "%s", status);
    write_metrics(daemon);
}

int daemon_run(const struct conf *conf, const char *config_path, char *const listen[],
               const char *hsm_results)
{
    struct daemon daemon = {.conf = conf,
                            .config_path = config_path,
                            .listen = listen,
                            .hsm_results = hsm_results,
                            .signal_fd = -1};
    atomic_init(&daemon.parts.stopping, false);
    atomic_init(&daemon.parts.conf, conf);
    watchdog_init(notify_watchdog_ms());
    digest_library_init();
    download_library_init();
    bool started = block_signals(&daemon) && open_listeners(&daemon) && raise_file_limit(&daemon) &&
                   make_parts(&daemon) && start_threads(&daemon);
    if (started) {
        run_until_signal(&daemon);
    }
    take_down(&daemon);
    return started ? 0 : 1;
}
