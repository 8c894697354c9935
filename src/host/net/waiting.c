/* SPDX-License-Identifier: Apache-2.0 */
#include "host/net/waiting.h"

#include "host/command/command.h"
#include "host/net/session.h"
#include "wire/clock.h"

enum { PROGRESS_MS = 1000 /* between two PROGRESS frames of one phase */ };

static void tell_progress(struct connection *connection, const struct job_view *view, int64_t now)
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
static bool progress_is_due(struct connection *connection, const struct job_view *view, int64_t now)
{
    if (!connection->progress_wanted ||
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

static void answer_upgrade(struct connection *connection, const struct job_view *view)
{
    struct answer answer = command_upgrade_answer(view);
    connection_answer(connection, &answer);
    session_log_ended(connection, view);
    connection->ticket = job_unref(connection->ticket);
}

bool waiting_look(struct connection *connection, bool stopping)
{
    struct job_view view;
    int64_t now = clock_ms();
    job_view(connection->ticket, &view);
    connection->look_deadline_ms = CLOCK_NEVER;
    bool due = progress_is_due(connection, &view, now);
    if (due) {
        tell_progress(connection, &view, now); /* the last phase too, right before the answer */
    }
    if (view.ended) {
        answer_upgrade(connection, &view);
        return true;
    }
    if (stopping) { /* it goes on at the next start: that the end is not known is the truth */
        connection->ticket = job_unref(connection->ticket);
        connection->closing = true;
        return true;
    }
    return due;
}
