/* SPDX-License-Identifier: Apache-2.0 */
/* One entry for the journal, built from a message and its fields: what journald is told, apart from
 * telling it.
 *
 * Threads  a pure function over the caller's struct.
 * Shape    PRIORITY, SYSLOG_IDENTIFIER, MESSAGE, MESSAGE_ID if there is one, then the fields in
 *          their order (systemd.journal-fields(7)). Values are escaped and cut to
 *          LOG_TEXT_MAX bytes; what no longer fits the entry is left out, the last fields first.
 */
#ifndef HOST_JOURNAL_ENTRY_H
#define HOST_JOURNAL_ENTRY_H

#include <sys/uio.h>

#include "host/log/log.h"

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

#endif
