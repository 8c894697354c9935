/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/dial.h"

#include "wire/clock.h"

#include <errno.h>
#include <stdio.h>

enum { LAST_TRY_MS = 100 }; /* a connection tried when the limit is reached still gets this long */

bool dial_no_connection(struct client_outcome *outcome, int error, const char *text)
{
    outcome->result = CLIENT_NO_CONNECTION;
    outcome->error = error;
    snprintf(outcome->text, sizeof(outcome->text), "%s", text);
    return false;
}

bool dial_stopped(struct client_outcome *outcome)
{
    outcome->result = CLIENT_STOPPED;
    outcome->text[0] = '\0';
    return false;
}

bool dial_silent(struct client_outcome *outcome)
{
    outcome->result = CLIENT_TIME_OVER;
    snprintf(outcome->text, sizeof(outcome->text),
             "the host took the connection but did not answer the greeting");
    return false;
}

bool dial_closed(struct client_outcome *outcome)
{
    return dial_no_connection(outcome, ECONNRESET,
                              "the host closed the connection without answering the greeting");
}

bool dial_not_understood(struct client_outcome *outcome)
{
    outcome->result = CLIENT_NO_CONNECTION;
    outcome->error = ECONNRESET;
    return false;
}

bool dial_no_protocol(struct client_outcome *outcome, const char *text)
{
    outcome->result = CLIENT_NO_PROTOCOL;
    snprintf(outcome->text, sizeof(outcome->text), "%s", text);
    return false;
}

bool dial_refused(const struct client *client, const struct answer *answer,
                  struct client_outcome *outcome)
{
    bool version = answer->code == ERROR_UNSUPPORTED_VERSION;
    outcome->result = version ? CLIENT_NO_PROTOCOL : CLIENT_ANSWERED;
    outcome->answer = *answer;
    outcome->text[0] = '\0';
    exchange_trace(client, "the host answered the greeting with error %u (%s)", answer->code,
                   error_name(answer->code) != NULL ? error_name(answer->code) : "unknown");
    return false;
}

/* Without a limit for trying again there is one try, and only the deadline of everything ends it.
 */
static int64_t try_deadline(const struct client *client)
{
    if (client->setup.connect_ms == 0) {
        return client->setup.deadline_ms;
    }
    int64_t left_ms = client->retry.left_ms > LAST_TRY_MS ? client->retry.left_ms : LAST_TRY_MS;
    int64_t deadline_ms = clock_deadline(left_ms);
    return deadline_ms < client->setup.deadline_ms ? deadline_ms : client->setup.deadline_ms;
}

bool dial_open(struct client *client, struct link *link, struct client_outcome *outcome)
{
    int fd = -1;
    int64_t began_ms = clock_ms();
    int error = client->setup.connect(client->setup.context, try_deadline(client), &fd);
    retry_spend(&client->retry, clock_ms() - began_ms);
    if (error == -ECANCELED) {
        return dial_stopped(outcome);
    }
    if (error < 0) {
        int shown = error == -ETIME ? ETIMEDOUT : -error;
        exchange_trace(client, "connecting failed: %s", strerror(shown));
        return dial_no_connection(outcome, shown, strerror(shown));
    }
    stream_open(&link->stream, &fd);
    exchange_trace(client, "connected");
    return true;
}

bool dial_learn_cid(const struct client *client, struct client_session *session,
                    struct client_outcome *outcome)
{
    if (!session->dialect->tells_cid) {
        return true;
    }
    int error = client->setup.local_cid(client->setup.context, &session->local_cid);
    if (error < 0) {
        char text[CLIENT_TEXT_MAX];
        snprintf(text, sizeof(text), "%s needs the CID of this machine: %s", session->dialect->name,
                 strerror(-error));
        exchange_trace(client, "%s", text);
        return dial_no_connection(outcome, -error, text);
    }
    return true;
}
