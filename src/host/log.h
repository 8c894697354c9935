/* SPDX-License-Identifier: Apache-2.0 */
/* The log: journald with structured fields when the daemon runs under it, plain lines on stderr
 * elsewhere. Every message is escaped here, whole, so a peer's bytes can be passed as they are.
 * Rule: one line per failure, logged at the top (request, upgrade, main), never below.
 *
 * Threads  log_init before the first thread, then any thread. No lock: one datagram or one write per
 *          line.
 * Errors   a line that cannot be written is lost.
 */
#ifndef HOST_LOG_H
#define HOST_LOG_H

#include "wire/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* syslog(3) priorities, so that journald takes them as they are. */
enum log_priority {
    PRIORITY_ERROR = 3,
    PRIORITY_WARNING = 4,
    PRIORITY_NOTICE = 5,
    PRIORITY_INFO = 6,
    PRIORITY_DEBUG = 7,
};

enum log_target { LOG_AUTO, LOG_JOURNAL, LOG_STDERR };

/* LOG_AUTO: the journal when stderr is connected to it (JOURNAL_STREAM), else stderr. `verbose`
 * lets PRIORITY_DEBUG through. `program` names the process in both. */
void log_init(const char *program, enum log_target target, bool verbose);

/* False when a line of this priority is left out: then it need not be formatted. */
bool log_wants(enum log_priority priority);

/* The priority that a line "PROGRAM: PRIORITY: TEXT" names, as log_event writes it on stderr;
 * PRIORITY_INFO for any other line. */
enum log_priority log_line_priority(const char *line);

/* A structured field, such as {"VSOCK_CID", "3"}; a NULL value leaves it out. On stderr the fields
 * are not shown: the message holds all of it. */
struct log_field {
    const char *name;
    const char *value;
};

/* `message_id` is one of message_id.h, or NULL. */
void log_event(enum log_priority priority, const char *message_id, const struct log_field *fields,
               size_t count, const char *format, ...) PRINTF_LIKE(5, 6);

#define log_line(priority, ...) log_event((priority), NULL, NULL, 0, __VA_ARGS__)
#define log_error(...)          log_line(PRIORITY_ERROR, __VA_ARGS__)
#define log_warning(...)        log_line(PRIORITY_WARNING, __VA_ARGS__)
#define log_notice(...)         log_line(PRIORITY_NOTICE, __VA_ARGS__)
#define log_info(...)           log_line(PRIORITY_INFO, __VA_ARGS__)

/* One entry for the journal: PRIORITY, SYSLOG_IDENTIFIER, MESSAGE, MESSAGE_ID if there is one, then the
 * fields in their order (systemd.journal-fields(7)). Values are escaped and cut to LOG_TEXT_MAX bytes;
 * what does not fit is left out, the last fields first. */
enum {
    LOG_TEXT_MAX = 2048, /* bytes of one message or value, escaped */
    JOURNAL_ENTRY_SIZE = 16384,
    JOURNAL_ENTRY_FIELDS = 24,
};

struct journal_entry {
    struct iovec fields[JOURNAL_ENTRY_FIELDS];
    int count;
    size_t used;
    char bytes[JOURNAL_ENTRY_SIZE];
};

/* `message` is escaped already. */
void journal_entry_build(const char *program, enum log_priority priority, const char *message_id,
                         const char *message, const struct log_field *fields, size_t count,
                         struct journal_entry *ret);

/* `journal_stream` is the environment's JOURNAL_STREAM, or NULL; `stderr_stat` is NULL when stderr is
 * closed. A JOURNAL_STREAM that names another file was inherited from another service
 * (systemd.exec(5)). */
bool log_target_is_journal(enum log_target target, const char *journal_stream,
                           const struct stat *stderr_stat);

#endif
