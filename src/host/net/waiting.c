/* SPDX-License-Identifier: Apache-2.0 */
#include "host/net/waiting.h"

#include "host/command/command.h"
#include "host/net/session.h"
#include "wire/clock.h"

enum { PROGRESS_MS = 1000 /* between two PROGRESS frames of one phase */ };

static void tell_progress(struct connection *connection, const struct ticket_view *view,
                          int64_t now)
{
    struct answer answer = {.type = ANSWER_PROGRESS, .status = view->status};
    connection_answer(connection, &answer);
    connection->progress_sent = true;
    connection->progress_phase = view->status.phase;
    connection->progress_revision = view->revision;
    connection->progress_ms = now;
}

/* True if the guest is to be told of this view now; if it is too early for that, when to look
 * again. */
static bool progress_is_due(struct connection *connection, const struct ticket_view *view,
                            int64_t now)
{
    if (!connection->progress_wanted || !view->has_progress ||
        (connection->progress_sent && view->revision == connection->progress_revision)) {
        return false;
    }
    int64_t due = connection->progress_ms + PROGRESS_MS;
    if (connection->progress_sent && view->status.phase == connection->progress_phase &&
        now < due) {
        connection->look_deadline_ms = due;
        return false;
    }
    return true;
}

static void answer(struct connection *connection, const struct ticket_view *view)
{
    struct answer ended = command_ended(view);
    connection_answer_command(connection, &ended);
    session_log_ended(connection, view);
    connection->ticket = ticket_unref(connection->ticket);
}

bool waiting_look(struct connection *connection, bool stopping)
{
    struct ticket_view view;
    int64_t now = clock_ms();
    ticket_look(connection->ticket, &view);
    connection->look_deadline_ms = CLOCK_NEVER;
    bool due = progress_is_due(connection, &view, now);
    if (due) {
        tell_progress(connection, &view, now); /* the last phase too, right before the answer */
    }
    if (view.ended) {
        answer(connection, &view);
        return true;
    }
    if (stopping && connection->ticket->kind->outlives) {
        connection->ticket = ticket_unref(connection->ticket); /* that its end is not known is the
                                                                * truth */
        connection->closing = true;
        return true;
    }
    return due;
}
