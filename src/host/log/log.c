/* SPDX-License-Identifier: Apache-2.0 */
#include "host/log/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/log/journal_entry.h"
#include "host/log/log_target.h"
#include "host/systemd/systemd.h"
#include "wire/escape.h"

enum { PROGRAM_MAX = 64 };

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

/* One write, so that lines of several threads and processes do not mix. */
static void write_line(enum log_priority priority, const char *message)
{
    char line[PROGRAM_MAX + 16 + LOG_TEXT_MAX + 2];
    int length = snprintf(line, sizeof(line), "%.*s: %s: %s\n", PROGRAM_MAX, settings.program,
                          priority_names[priority], message);
    /* A line that cannot be written is lost: there is nowhere left to say so. */
    ssize_t written = write(STDERR_FILENO, line, (size_t)length);
    (void)written;
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
    vsnprintf(raw, sizeof(raw), format, arguments);
    va_end(arguments);
    (void)escape_text(text_of(raw), ESCAPE_LINE, message, sizeof(message));
    if (!settings.to_journal || !send_entry(priority, message_id, message, fields, count)) {
        write_line(priority, message);
    }
    errno = saved;
}
