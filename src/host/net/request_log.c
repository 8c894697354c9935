/* SPDX-License-Identifier: Apache-2.0 */
#include "host/net/request_log.h"

#include "host/message_id.h"

#include <stdio.h>

static void log_request(const struct connection *connection, enum log_priority priority,
                        const char *message_id, const char *command, const char *outcome,
                        const char *text)
{
    if (!log_wants(priority)) {
        return;
    }
    char cid[16];
    char id[16];
    const char *dialect = server_dialect_name(&connection->session);
    (void)snprintf(cid, sizeof cid, "%u", connection->cid);
    (void)snprintf(id, sizeof id, "%u", connection->session.id);
    const struct log_field fields[] = {
        {"VSOCK_CID", cid},         {"VSOCK_DIALECT", dialect}, {"VSOCK_REQUEST_ID", id},
        {"VSOCK_COMMAND", command}, {"VSOCK_RESULT", outcome},
    };
    log_event(priority, message_id, fields, sizeof fields / sizeof fields[0],
              "cid %s %s id %s: %s: %s%s%s", cid, dialect, id,
              command != NULL ? command : "refused", outcome, text[0] != '\0' ? ": " : "", text);
}

void request_log_request(const struct connection *connection, const struct request *request,
                         const struct answer *answer, bool waits)
{
    const char *command = command_name(request->command);
    if (answer->type == ANSWER_ERROR) {
        char text[ANSWER_TEXT_MAX];
        (void)snprintf(text, sizeof text, "%.*s", (int)answer->message.length,
                       answer->message.bytes);
        log_request(connection, PRIORITY_WARNING, MESSAGE_ID_REQUEST, command,
                    error_name(answer->code), text);
    } else {
        log_request(connection, command_is_query(request->command) ? PRIORITY_DEBUG : PRIORITY_INFO,
                    MESSAGE_ID_REQUEST, command, waits ? "accepted" : "done", "");
    }
}

void request_log_ended(const struct connection *connection, const struct pending_view *view)
{
    bool failed = view->code != ERROR_NONE;
    log_request(connection, PRIORITY_INFO, MESSAGE_ID_REQUEST,
                command_name(connection->pending->command),
                failed ? error_name(view->code) : "done", failed ? view->text : "");
}

void request_log_refuse(struct connection *connection, enum log_priority priority,
                        enum error_code code, const char *text, bool closes)
{
    log_request(connection, priority, MESSAGE_ID_REFUSED, NULL, error_name(code), text);
    connection_refuse(connection, code, text, closes);
}
