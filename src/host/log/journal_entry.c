/* SPDX-License-Identifier: Apache-2.0 */
#include "host/log/journal_entry.h"

#include <stdio.h>

#include "wire/escape.h"

/* Leaves the field out when not even its name and one escaped byte would fit. */
static void add(struct journal_entry *entry, const char *name, const char *value)
{
    char *at = entry->bytes + entry->used;
    size_t left = sizeof(entry->bytes) - entry->used;
    size_t name_size = strlen(name) + 1;
    if (entry->count == JOURNAL_ENTRY_FIELDS || name_size + sizeof("\\xNN") > left) {
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
    add(ret, "PRIORITY", digit);
    add(ret, "SYSLOG_IDENTIFIER", program);
    add(ret, "MESSAGE", message);
    if (message_id != NULL) {
        add(ret, "MESSAGE_ID", message_id);
    }
    for (size_t i = 0; i < count; i++) {
        if (fields[i].value != NULL) {
            add(ret, fields[i].name, fields[i].value);
        }
    }
}
