/* SPDX-License-Identifier: Apache-2.0 */
#include "host/console.h"

#include "host/keyfile.h"
#include "host/lock.h"
#include "host/log.h"
#include "host/message_id.h"
#include "host/watchdog.h"
#include "wire/clock.h"
#include "wire/text.h"

#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STUCK_MS = 1000 }; /* a device that takes nothing for so long is skipped */

/* A descriptor, or -errno. */
static int open_device(const char *path)
{
    int fd = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_APPEND | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int wait_writable(int fd, int stop_fd, int64_t deadline_ms)
{
    struct pollfd polled[] = {{.fd = fd, .events = POLLOUT}, {.fd = stop_fd, .events = POLLIN}};
    int ready = poll(polled, 2, clock_poll_timeout(deadline_ms));
    if (ready < 0) {
        return errno == EINTR ? 0 : -errno;
    }
    if (polled[1].revents != 0) {
        return -ECANCELED;
    }
    return ready == 0 ? -ETIMEDOUT : 0;
}

/* -ETIMEDOUT: the device took nothing for STUCK_MS; -ECANCELED: `stop_fd` became readable. */
static int write_device(int fd, const char *bytes, size_t length, int stop_fd)
{
    int64_t deadline = clock_deadline(STUCK_MS);
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written > 0) {
            bytes += written;
            length -= (size_t)written;
            deadline = clock_deadline(STUCK_MS);
        } else if (written < 0 && errno != EAGAIN && errno != EINTR) {
            return -errno;
        } else {
            int error = wait_writable(fd, stop_fd, deadline);
            if (error < 0) {
                return error;
            }
        }
    }
    return 0;
}

enum { COMMAND_LINE_MAX = 4096 }; /* the rest of a command line is not searched */

static bool holds_all(const char *line, char *const words[])
{
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strstr(line, words[i]) == NULL) {
            return false;
        }
    }
    return true;
}

/* The arguments with a blank after each. False if there are none (a kernel thread, a zombie). */
static bool read_command_line(int process, char line[COMMAND_LINE_MAX])
{
    size_t length = 0;
    int fd = openat(process, "cmdline", O_RDONLY | O_CLOEXEC);
    int error = fd < 0 ? -errno : file_read(fd, line, COMMAND_LINE_MAX - 1, &length);
    file_close(fd);
    if (error < 0 || length == 0) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (line[i] == '\0') {
            line[i] = ' ';
        }
    }
    line[length] = '\0';
    return true;
}

static bool is_tool(int proc, const char *pid, char *const words[])
{
    int process = openat(proc, pid, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (process < 0) {
        return false;
    }
    struct stat owner;
    char line[COMMAND_LINE_MAX];
    bool found = fstat(process, &owner) == 0 && owner.st_uid == 0 &&
                 read_command_line(process, line) && holds_all(line, words);
    close(process);
    return found;
}

bool console_is_busy(char *const words[])
{
    if (words == NULL || words[0] == NULL) {
        return false;
    }
    DIR *proc = opendir("/proc");
    if (proc == NULL) {
        return false;
    }
    bool found = false;
    const struct dirent *entry;
    while (!found && (entry = readdir(proc)) != NULL) {
        found =
            isdigit((unsigned char)entry->d_name[0]) && is_tool(dirfd(proc), entry->d_name, words);
    }
    closedir(proc);
    return found;
}

/* One message as it is written: newline, text, newline. */
struct notice {
    char *bytes;
    size_t length;
    uint32_t count;
};

struct console {
    _Atomic(const struct conf *) conf; /* replaced by a reload; an earlier one stays readable */
    int stop_fd;                       /* readable for ever once the thread shall end */
    pthread_t thread;
    bool running;

    struct lock lock;
    pthread_cond_t filled; /* under lock, all that follows */
    struct notice *queue;  /* a ring */
    uint32_t first, length;
    bool stopping;
};

/* False: stopping. */
static bool take_notice_locked(struct console *console, struct notice *ret)
    REQUIRES_LOCK(console->lock)
{
    while (console->length == 0 && !console->stopping) {
        signal_wait(&console->filled, &console->lock);
    }
    if (console->stopping) {
        return false;
    }
    *ret = console->queue[console->first];
    console->first = (console->first + 1) % console->conf->console.queue;
    console->length--;
    return true;
}

static void write_to_device(const struct console *console, const char *path,
                            const struct notice *notice)
{
    int fd = open_device(path);
    int error = fd < 0 ? fd : write_device(fd, notice->bytes, notice->length, console->stop_fd);
    if (fd >= 0) {
        close(fd);
    }
    if (error < 0 && error != -ECANCELED) {
        log_event(PRIORITY_WARNING, MESSAGE_ID_CONSOLE_SKIPPED, NULL, 0,
                  "cannot write to console %s ([console] devices): %s; skipped", path,
                  error == -ETIMEDOUT ? "it took nothing for 1 s" : strerror(-error));
    }
}

static void write_once(const struct console *console, const struct notice *notice)
{
    if (console_is_busy(console->conf->console.skip_while_running.items)) {
        log_event(PRIORITY_NOTICE, MESSAGE_ID_CONSOLE_SKIPPED, NULL, 0,
                  "message not written: an operator's tool owns the consoles ([console] "
                  "skip_while_running)");
        return;
    }
    const struct conf_strings *devices = &console->conf->console.devices;
    for (size_t i = 0; i < devices->count; i++) {
        write_to_device(console, devices->items[i], notice);
    }
}

/* True when the thread shall end. */
static bool wait_for_stop(const struct console *console, int64_t deadline_ms)
{
    struct pollfd stop = {.fd = console->stop_fd, .events = POLLIN};
    int ready;
    do {
        ready = poll(&stop, 1, clock_poll_timeout(deadline_ms));
    } while (ready < 0 && errno == EINTR);
    return ready != 0;
}

/* As often as was asked, or until the stop. */
static void write_repeats(const struct console *console, const struct notice *notice)
{
    for (uint32_t i = 0; i < notice->count; i++) {
        int64_t interval_ms = console->conf->console.interval_ms;
        int64_t next_ms = clock_deadline(interval_ms);
        watchdog_expect("writing to the consoles", WATCHDOG_DISK_MS + interval_ms);
        write_once(console, notice);
        if (i + 1 < notice->count && wait_for_stop(console, next_ms)) {
            return;
        }
    }
}

static void *run_console(void *argument)
{
    struct console *console = argument;
    watchdog_enter("console", 0);
    for (;;) {
        struct notice notice;
        watchdog_idle();
        lock_take(&console->lock);
        bool taken = take_notice_locked(console, &notice);
        lock_give(&console->lock);
        if (!taken) {
            watchdog_leave();
            return NULL;
        }
        write_repeats(console, &notice);
        free(notice.bytes);
    }
}

int console_new(const struct conf *conf, struct console **ret)
{
    struct console *console = calloc(1, sizeof *console);
    if (console == NULL) {
        return -ENOMEM;
    }
    atomic_init(&console->conf, conf);
    lock_init(&console->lock);
    signal_init(&console->filled);
    console->queue = calloc(conf->console.queue, sizeof *console->queue);
    console->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int error = console->stop_fd < 0 ? errno : 0;
    if (console->queue == NULL) {
        error = ENOMEM;
    } else if (error == 0) {
        error = pthread_create(&console->thread, NULL, run_console, console);
    }
    if (error != 0) {
        console_free(console);
        return -error;
    }
    (void)pthread_setname_np(console->thread, "console"); /* for people only */
    console->running = true;
    *ret = console;
    return 0;
}

void console_stop(struct console *console)
{
    if (!console->running) {
        return;
    }
    lock_take(&console->lock);
    console->stopping = true;
    lock_give(&console->lock);
    pthread_cond_signal(&console->filled);
    int error = eventfd_write(console->stop_fd, 1);
    assert(error == 0);
    error = pthread_join(console->thread, NULL);
    assert(error == 0);
    (void)error; /* NDEBUG */
    console->running = false;
}

struct console *console_free(struct console *console)
{
    if (console != NULL) {
        assert(!console->running);
        for (; console->queue != NULL && console->length > 0; console->length--) {
            free(console->queue[console->first].bytes);
            console->first = (console->first + 1) % console->conf->console.queue;
        }
        file_close(console->stop_fd);
        lock_done(&console->lock);
        (void)pthread_cond_destroy(&console->filled); /* nobody waits: the thread is joined */
        free(console->queue);
        free(console);
    }
    return NULL;
}

/* True if one of the devices can be opened now; else `why` names each with its error. */
static bool any_device_opens(const struct conf_strings *devices, char why[], size_t size)
{
    size_t length = (size_t)snprintf(why, size, "no console in [console] devices can be opened");
    for (size_t i = 0; i < devices->count; i++) {
        int fd = open_device(devices->items[i]);
        if (fd >= 0) {
            close(fd);
            return true;
        }
        if (length < size) {
            length += (size_t)snprintf(why + length, size - length, "%s %s: %s", i == 0 ? ":" : ";",
                                       devices->items[i], strerror(-fd));
        }
    }
    return false;
}

static int make_notice(struct text message, uint32_t count, struct notice *ret)
{
    size_t length = escape_text(message, ESCAPE_CONSOLE, (char[1]){0}, 1);
    char *bytes = malloc(length + 3); /* two newlines and escape_text's NUL */
    if (bytes == NULL) {
        return -ENOMEM;
    }
    bytes[0] = '\n';
    escape_text(message, ESCAPE_CONSOLE, bytes + 1, length + 1);
    bytes[length + 1] = '\n';
    *ret = (struct notice){.bytes = bytes, .length = length + 2, .count = count};
    return 0;
}

/* True: the queue owns the notice's bytes. False: it is full. */
static bool append_notice(struct console *console, const struct notice *notice)
{
    uint32_t size = console->conf->console.queue;
    lock_take(&console->lock);
    bool fits = console->length < size;
    if (fits) {
        console->queue[(console->first + console->length) % size] = *notice;
        console->length++;
    }
    lock_give(&console->lock);
    if (fits) {
        pthread_cond_signal(&console->filled);
    }
    return fits;
}

enum error_code console_notify(struct console *console, struct text message, uint32_t count,
                               char why[], size_t size)
{
    const struct conf *conf = console->conf;
    if (count > conf->console.max_repeats) {
        count = conf->console.max_repeats;
    }
    if (count == 0) {
        return ERROR_NONE;
    }
    if (!any_device_opens(&conf->console.devices, why, size)) {
        return ERROR_UNAVAILABLE;
    }
    struct notice notice;
    if (make_notice(message, count, &notice) < 0) {
        (void)snprintf(why, size, "out of memory for the message: try again later");
        return ERROR_INTERNAL;
    }
    if (!append_notice(console, &notice)) {
        free(notice.bytes);
        (void)snprintf(why, size,
                       "the queue of messages is full ([console] queue = %u): try again later",
                       conf->console.queue);
        return ERROR_BUSY;
    }
    return ERROR_NONE;
}

void console_configure(struct console *console, const struct conf *conf)
{
    atomic_store(&console->conf, conf);
}
