/* SPDX-License-Identifier: Apache-2.0 */
#include "host/log.h"

#include "host/systemd/notify.h"
#include "wire/text.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Leaves the field out when not even its name and one escaped byte would fit. */
static void add_field(struct journal_entry *entry, const char *name, const char *value)
{
    char *at = entry->bytes + entry->used;
    size_t left = sizeof entry->bytes - entry->used;
    size_t name_size = strlen(name) + 1;
    if (entry->count == JOURNAL_ENTRY_FIELDS || name_size + sizeof "\\xNN" > left) {
        return;
    }
    snprintf(at, left, "%s=", name);
    size_t value_size = left - name_size < LOG_TEXT_MAX + 1 ? left - name_size : LOG_TEXT_MAX + 1;
    (void)escape_text(text_of(value), ESCAPE_LINE, at + name_size, value_size);
    size_t length = name_size + strlen(at + name_size);
    entry->fields[entry->count++] = (struct iovec){at, length};
    entry->used += length + 1;
}

void journal_entry_build(const char *program, enum log_priority priority, const char *message_id,
                         const char *message, const struct log_field *fields, size_t count,
                         struct journal_entry *ret)
{
    char digit[] = {(char)('0' + priority), '\0'};
    ret->count = 0;
    ret->used = 0;
    add_field(ret, "PRIORITY", digit);
    add_field(ret, "SYSLOG_IDENTIFIER", program);
    add_field(ret, "MESSAGE", message);
    if (message_id != NULL) {
        add_field(ret, "MESSAGE_ID", message_id);
    }
    for (size_t i = 0; i < count; i++) {
        if (fields[i].value != NULL) {
            add_field(ret, fields[i].name, fields[i].value);
        }
    }
}

bool log_target_is_journal(enum log_target target, const char *journal_stream,
                           const struct stat *stderr_stat)
{
    if (target != LOG_AUTO) {
        return target == LOG_JOURNAL;
    }
    if (journal_stream == NULL || stderr_stat == NULL) {
        return false;
    }
    char own[48];
    (void)snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)stderr_stat->st_dev,
                   (uintmax_t)stderr_stat->st_ino);
    return strcmp(journal_stream, own) == 0;
}

enum {
    PROGRAM_MAX = 64, /* bytes of its name on stderr */
    LOST_MAX = 40,    /* bytes of the note about lost lines */
    STUCK_MS = 100,   /* the wait for a full stderr, once */
};

/* Constant once log_init has run. */
static struct {
    const char *program;
    bool to_journal;
    bool verbose;
} settings = {.program = "vsock"};

static const char *const priority_names[] = {
    [PRIORITY_ERROR] = "error", [PRIORITY_WARNING] = "warning", [PRIORITY_NOTICE] = "notice",
    [PRIORITY_INFO] = "info",   [PRIORITY_DEBUG] = "debug",
};

enum log_priority log_line_priority(const char *line)
{
    const char *name = line + strcspn(line, ": ");
    if (strncmp(name, ": ", 2) == 0) {
        name += 2;
        for (enum log_priority priority = PRIORITY_ERROR; priority <= PRIORITY_DEBUG; priority++) {
            size_t length = strlen(priority_names[priority]);
            if (strncmp(name, priority_names[priority], length) == 0 && name[length] == ':') {
                return priority;
            }
        }
    }
    return PRIORITY_INFO;
}

void log_init(const char *program, enum log_target target, bool verbose)
{
    struct stat stderr_stat;
    bool known = fstat(STDERR_FILENO, &stderr_stat) == 0;
    bool wanted =
        log_target_is_journal(target, getenv("JOURNAL_STREAM"), known ? &stderr_stat : NULL);
    settings.program = program;
    settings.to_journal = wanted && journal_available();
    settings.verbose = verbose;
}

/* True if a write to stderr would not block. A reader that stopped reading costs one short wait, then none
 * until it reads again: no thread may hang for a log line. */
static bool stderr_is_writable(bool waited_before)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    return poll(&out, 1, waited_before ? 0 : STUCK_MS) == 1 && (out.revents & POLLOUT) != 0;
}

/* One write, so that lines of several threads and processes do not mix. What cannot be written is
 * lost, and counted: the next line that can be says how many. */
static void write_line(enum log_priority priority, const char *message)
{
    static _Atomic unsigned lost;
    char line[PROGRAM_MAX + LOST_MAX + 16 + LOG_TEXT_MAX + 2];
    char note[LOST_MAX] = "";
    if (!stderr_is_writable(atomic_load_explicit(&lost, memory_order_relaxed) > 0)) {
        atomic_fetch_add_explicit(&lost, 1, memory_order_relaxed);
        return;
    }
    unsigned missing = atomic_exchange_explicit(&lost, 0, memory_order_relaxed);
    if (missing > 0) {
        (void)snprintf(note, sizeof note, "(lines lost: %u) ", missing);
    }
    int length = snprintf(line, sizeof line, "%.*s: %s: %s%s\n", PROGRAM_MAX, settings.program,
                          priority_names[priority], note, message);
    ssize_t written = write(STDERR_FILENO, line, (size_t)length);
    (void)written; /* nowhere is left to log that */
}

static bool send_entry(enum log_priority priority, const char *message_id, const char *message,
                       const struct log_field *fields, size_t count)
{
    struct journal_entry entry;
    journal_entry_build(settings.program, priority, message_id, message, fields, count, &entry);
    return journal_send(entry.fields, entry.count) == 0;
}

bool log_wants(enum log_priority priority)
{
    return priority != PRIORITY_DEBUG || settings.verbose;
}

void log_event(enum log_priority priority, const char *message_id, const struct log_field *fields,
               size_t count, const char *format, ...)
{
    if (!log_wants(priority)) {
        return;
    }
    int saved = errno;
    /* Escaping never shortens, so what does not fit here could not be shown in LOG_TEXT_MAX; the
     * few bytes more keep a character that is cut here out of what is shown. */
    char raw[LOG_TEXT_MAX + 8];
    char message[LOG_TEXT_MAX + 1];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(raw, sizeof raw, format, arguments);
    va_end(arguments);
    (void)escape_text(text_of(raw), ESCAPE_LINE, message, sizeof message);
    if (!settings.to_journal || !send_entry(priority, message_id, message, fields, count)) {
        write_line(priority, message);
    }
    errno = saved;
}
