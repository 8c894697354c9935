/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/follow.h"

#include "guest/stop.h"
#include "wire/clock.h"

enum { EVERY_MS = 1000 };

bool follow_has_ended(unsigned phase)
{
    switch (phase) {
    case PHASE_IDLE:
    case PHASE_REBOOTING:
    case PHASE_FAILED:
    case PHASE_UPGRADED:
        return true;
    default:
        return false;
    }
}

/* Until the next second; what ended the waiting before it is put into the outcome. */
static bool wait_for_next(const struct client *client, int64_t next_ms,
                          struct client_outcome *outcome)
{
    int64_t deadline_ms = client->setup.deadline_ms;
    int64_t until_ms = next_ms < deadline_ms ? next_ms : deadline_ms;
    if (stop_wait(client->setup.stop_fd, until_ms) < 0) {
        outcome->result = CLIENT_STOPPED;
        return false;
    }
    if (clock_ms() >= deadline_ms) {
        *outcome = (struct client_outcome){.result = CLIENT_TIME_OVER,
                                           .sent = true,
                                           .tells_status = true,
                                           .text = "the upgrade has not ended"};
        return false;
    }
    return true;
}

void follow_run(struct client *client, const struct request *request, struct screen *screen,
                struct client_outcome *ret)
{
    for (;;) {
        int64_t next_ms = clock_deadline(EVERY_MS);
        client_ask(client, request, ret);
        if (ret->result != CLIENT_ANSWERED || ret->answer.type == ANSWER_ERROR) {
            return;
        }
        screen_progress(screen, &ret->answer.status);
        if (follow_has_ended(ret->answer.status.phase)) {
            return;
        }
        /* A host that has answered once is waited for: it restarts. */
        client->setup.connect_ms = CLOCK_NEVER;
        if (!wait_for_next(client, next_ms, ret)) {
            return;
        }
    }
}
