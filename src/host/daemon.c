/* SPDX-License-Identifier: Apache-2.0 */
#include "host/daemon.h"

#include "host/digest.h"
#include "host/download/download.h"
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

static void tell_kept(const char *section, const char *name)
{
    log_warning("reload: [%s] %s differs; that takes a restart", section, name);
}

static const struct conf *keep(struct reload *reload, struct conf *fresh)
{
    struct conf **loaded = reallocarray(reload->loaded, reload->count + 1, sizeof(struct conf *));
    if (loaded == NULL) {
        conf_free(fresh);
        return NULL;
    }
    reload->loaded = loaded;
    reload->loaded[reload->count++] = fresh;
    return fresh;
}

/* What is in effect from now on: `now` itself if nothing has changed, which costs no memory. NULL:
 * out of memory. */
static const struct conf *merge(struct reload *reload, const struct conf *now, struct conf *fresh)
{
    int error = conf_carry_over(now, fresh, tell_kept);
    if (error == 0 && !conf_same(now, fresh)) {
        return keep(reload, fresh);
    }
    conf_free(fresh);
    return error == 0 ? now : NULL;
}

/* What the files say now, `now` itself if that is the same; keys that need a restart keep what they
 * have in `now`, and are named. NULL: the files cannot be used, so `now` stays. */
static const struct conf *reload_load(struct reload *reload, const struct conf *now)
{
    struct conf *fresh = NULL;
    const struct conf *merged = NULL;
    char problem[CONF_PROBLEM_MAX];
    if (conf_load(reload->path, reload->listen, &fresh, problem) == 0) {
        (void)snprintf(problem, sizeof problem, "out of memory");
        merged = merge(reload, now, fresh);
    }
    if (merged == NULL) {
        log_event(PRIORITY_ERROR, MESSAGE_ID_RELOAD_FAILED, NULL, 0,
                  "reload: %s; the configuration stays as it was", problem);
    } else {
        log_event(PRIORITY_NOTICE, MESSAGE_ID_RELOADED, NULL, 0, "the configuration was reloaded%s",
                  merged == now ? "; nothing changed" : "");
    }
    return merged;
}

static void reload_done(struct reload *reload)
{
    while (reload->count > 0) {
        conf_free(reload->loaded[--reload->count]);
    }
    free(reload->loaded);
    reload->loaded = NULL;
}

enum {
    OTHER_FILES =
        64, /* descriptors beside those of guests and two a listener: files, pipes, downloads, libraries */
    METRICS_MS = 15000, /* between two writes of the metrics file */
    LISTENING_TEXT_SIZE = 512,
    READY_AGAIN_MS = 1000, /* until systemd could be told that all is ready */
    STOP_LINGER_MS = 2000, /* of the stop limit, beside [limits] send_seconds */
    STOP_STEP_MS = 15000,  /* what systemd grants each step of the stop beside its own limit */
};

struct daemon {
    const struct conf *conf; /* the present one */
    struct reload reload;
    struct watchdog_late late; /* the thread that was told of; no name: none */
    bool untold;               /* systemd: that all is ready */
    int signal_fd;
    struct listener_set listener_set;
    struct command_parts parts;
    struct acceptor *acceptor;
    struct worker_pool *pool;
};

/* --- pieces of the start; each logs its own failure --- */

static bool complain(const char *what, int error)
{
    log_error("cannot start: %s: %s", what, strerror(-error));
    return false;
}

/* Signals are read from a descriptor; so they are blocked in every thread that comes. */
static bool take_signals(struct daemon *daemon)
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
    return error == 0 || complain("signals", -error);
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
        return complain("RLIMIT_NOFILE", -errno);
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

static void work(void *context, struct connection *connection)
{
    struct daemon *daemon = context;
    worker_serve(&daemon->parts, connection);
    acceptor_back(daemon->acceptor, connection);
}

static bool make_parts(struct daemon *daemon, const char *config_path)
{
    const struct conf *conf = daemon->conf;
    char problem[CONF_PROBLEM_MAX];
    /* For the state, and for systemd's word on an installation: a start waits for nothing else. */
    notify_extend_timeout(WATCHDOG_DISK_MS + UNIT_PENDING_LIMIT_MS);
    int error = acceptor_new(conf, &daemon->parts, daemon->listener_set.listeners,
                             daemon->listener_set.count, &daemon->acceptor);
    if (error < 0) {
        return complain("acceptor", error);
    }
    const struct pending_wakeup wakeup = {.notify = acceptor_notify, .context = daemon->acceptor};
    if (upgrade_new(conf, config_path, wakeup, &daemon->parts.upgrade, problem) < 0) {
        log_error("cannot start: %s", problem);
        return false;
    }
    error = operation_new(conf, config_path, wakeup, &daemon->parts.operations);
    if (error < 0) {
        return complain("errands", error);
    }
    error = console_new(conf, &daemon->parts.console);
    return error == 0 || complain("console thread", error);
}

/* The units name no configuration, so they read the default one. */
static void warn_of_units(const struct conf *conf, const char *config_path)
{
    if (conf->steps.method == CONF_STEP_UNIT && strcmp(config_path, CONF_DEFAULT_PATH) != 0) {
        log_warning("[steps] method = unit in %s: the units of the step programs read %s",
                    config_path, CONF_DEFAULT_PATH);
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
        error =
            worker_pool_new(conf->limits.workers, conf->limits.queue, work, daemon, &daemon->pool);
    }
    if (error == 0) {
        error = acceptor_start(daemon->acceptor, daemon->pool);
    }
    return error == 0 || complain("threads", error);
}

/* --- running --- */

static void write_metrics(const struct daemon *daemon)
{
    static int told; /* the error that was told last: it is told once */
    const char *path = daemon->conf->metrics.textfile;
    if (path[0] == '\0') {
        return;
    }
    struct pending_view view;
    upgrade_read_status(daemon->parts.upgrade, &view);
    int error = metrics_write(path, &view.status);
    if (error != told && error < 0) {
        log_warning("cannot write %s ([metrics] textfile): %s", path, strerror(-error));
    }
    told = error;
}

/* While an upgrade is under way STATUS tells of that. */
static void tell_ready(struct daemon *daemon, const char *remark)
{
    char listener_set[LISTENING_TEXT_SIZE];
    char status[2 * LISTENING_TEXT_SIZE];
    listener_set_describe(&daemon->listener_set, listener_set, sizeof listener_set);
    (void)snprintf(status, sizeof status, "%s%s", remark, listener_set);
    int error = notify_ready(status);
    if (error < 0 && !daemon->untold) {
        log_warning("systemd cannot be told that all is ready, and will be: %s", strerror(-error));
    }
    daemon->untold = error < 0;
    upgrade_show(daemon->parts.upgrade);
}

static void say_ready(struct daemon *daemon)
{
    char listener_set[LISTENING_TEXT_SIZE];
    listener_set_describe(&daemon->listener_set, listener_set, sizeof listener_set);
    tell_ready(daemon, "");
    log_event(PRIORITY_INFO, MESSAGE_ID_STARTED, NULL, 0, "vsock_host %s: %s", VSOCK_VERSION,
              listener_set);
}

/* The parts go on with the new configuration from their next piece of work on. */
static void adopt(struct daemon *daemon, const struct conf *conf)
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
    const struct conf *fresh = reload_load(&daemon->reload, daemon->conf);
    if (fresh != NULL) {
        adopt(daemon, fresh);
    }
    tell_ready(daemon, fresh == NULL ? "Reload failed, the configuration stays as it was. " : "");
}

/* Tells systemd that all is well, if it is; a thread that hangs is told once. */
static void look_after_threads(struct daemon *daemon)
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
                  "thread %s%s is late by %lld ms (%s): systemd is not told that all is well",
                  late.name, number, (long long)late.late_ms, late.step);
    }
}

/* How long main may sleep. While a thread is late it looks more often: if the thread goes on after all,
 * systemd hears of it in time. */
static int nap_ms(const struct daemon *daemon, int64_t watchdog_ms)
{
    int64_t nap = daemon->conf->metrics.textfile[0] != '\0' ? METRICS_MS : INT_MAX;
    int64_t look = watchdog_ms / (daemon->late.name == NULL ? 2 : 16);
    nap = watchdog_ms > 0 && look < nap ? look : nap;
    nap = daemon->untold && nap > READY_AGAIN_MS ? READY_AGAIN_MS : nap;
    return nap == INT_MAX ? -1 : (int)nap;
}

/* The signal that ends the daemon. */
static int wait_for_signal(struct daemon *daemon)
{
    int64_t watchdog_ms = notify_watchdog_ms();
    struct pollfd polled = {.fd = daemon->signal_fd, .events = POLLIN};
    for (;;) {
        struct signalfd_siginfo info;
        write_metrics(daemon);
        look_after_threads(daemon);
        (void)poll(&polled, 1, nap_ms(daemon, watchdog_ms)); /* the read tells what came */
        if (daemon->untold) {
            tell_ready(daemon, "");
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

/* One more step of the stop has begun. systemd grants it its time from now on, so it waits for steps
 * that make headway, whatever TimeoutStopSec= says, and not for one that hangs. */
static void grant_step(int64_t limit_ms)
{
    notify_extend_timeout(limit_ms + STOP_STEP_MS);
}

/* Takes everything down, in the reverse order of its making; it may be half made. */
static void take_down(struct daemon *daemon)
{
    int64_t send_ms = daemon->conf->limits.send_ms;
    atomic_store_explicit(&daemon->parts.stopping, true, memory_order_release);
    if (daemon->parts.upgrade != NULL) {
        grant_step(0);
        upgrade_stop(daemon->parts.upgrade);
    }
    if (daemon->parts.operations != NULL) {
        grant_step(send_ms + CHILD_GRACE_MS); /* a step program that is ended may take that */
        operation_stop(daemon->parts.operations, send_ms);
    }
    if (daemon->acceptor != NULL) {
        grant_step(send_ms + STOP_LINGER_MS);
        acceptor_stop(daemon->acceptor, send_ms + STOP_LINGER_MS);
    }
    listener_set_close(&daemon->listener_set);
    if (daemon->pool != NULL) {
        grant_step(0);
        worker_pool_stop(daemon->pool);
        daemon->pool = worker_pool_free(daemon->pool);
    }
    if (daemon->parts.console != NULL) {
        grant_step(0);
        console_stop(daemon->parts.console);
        daemon->parts.console = console_free(daemon->parts.console);
    }
    daemon->acceptor = acceptor_free(daemon->acceptor); /* its connections hold tickets */
    daemon->parts.upgrade = upgrade_free(daemon->parts.upgrade);
    daemon->parts.operations = operation_free(daemon->parts.operations);
    reload_done(&daemon->reload);
    if (daemon->signal_fd >= 0) {
        close(daemon->signal_fd);
    }
}

int daemon_run(const struct conf *conf, const char *config_path, char *const listen[])
{
    struct daemon daemon = {
        .conf = conf, .reload = {.path = config_path, .listen = listen}, .signal_fd = -1};
    atomic_init(&daemon.parts.stopping, false);
    atomic_init(&daemon.parts.conf, conf);
    watchdog_init(notify_watchdog_ms());
    digest_library_init();
    download_library_init();
    bool started = take_signals(&daemon) && open_listeners(&daemon) && raise_file_limit(&daemon) &&
                   make_parts(&daemon, config_path) && start_threads(&daemon);
    if (started) {
        warn_of_units(conf, config_path);
        say_ready(&daemon);
        int signal = wait_for_signal(&daemon);
        char status[64];
        (void)snprintf(status, sizeof status, "Stopping on %s",
                       signal == SIGTERM ? "SIGTERM" : "SIGINT");
        notify_stopping(status);
        log_event(PRIORITY_INFO, MESSAGE_ID_STOPPED, NULL, 0, "%s", status);
        write_metrics(&daemon);
    }
    take_down(&daemon);
    return started ? 0 : 1;
}
