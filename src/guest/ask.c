/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/ask.h"

#include "guest/connect.h"
#include "guest/follow.h"
#include "guest/local_cid.h"
#include "wire/clock.h"

#include <stdio.h>

enum { NOTE_AFTER_MS = 1000 };

static int ask_connect(void *context, int64_t deadline_ms, int *ret_fd)
{
    struct asking *asking = context;
    return connect_to(&asking->options->address, asking->stop_fd, deadline_ms, ret_fd);
}

static int ask_local_cid(void *context, uint32_t *ret)
{
    const struct asking *asking = context;
    if (asking->options->address.family == AF_UNIX) {
        *ret = asking->options->unix_cid;
        return 0;
    }
    return local_cid_read("/dev/vsock", ret);
}

static void ask_trace(void *context, const char *line)
{
    struct asking *asking = context;
    screen_trace(asking->screen, line);
}

/* Who has waited for a second on a terminal is told why, once. */
static void ask_again(void *context, const struct client_outcome *outcome)
{
    struct asking *asking = context;
    int64_t now_ms = clock_ms();
    if (asking->trying_since_ms == 0) {
        asking->trying_since_ms = now_ms;
    }
    if (asking->noted || now_ms - asking->trying_since_ms < NOTE_AFTER_MS) {
        return;
    }
    asking->noted = true;
    char address[ADDRESS_TEXT_MAX];
    char note[ADDRESS_TEXT_MAX + CLIENT_TEXT_MAX + 32];
    address_format(&asking->options->address, address);
    snprintf(note, sizeof(note), "%s: %s; still trying", address,
             outcome->text[0] != '\0' ? outcome->text : "the host is not ready");
    screen_note(asking->screen, note);
}

static bool is_under_way(unsigned phase)
{
    return phase >= PHASE_QUEUED && phase <= PHASE_REBOOTING;
}

static bool ask_progress(void *context, const struct upgrade_status *status)
{
    struct asking *asking = context;
    if (screen_wants_progress(asking->screen)) {
        screen_progress(asking->screen, status);
    }
    return !asking->options->no_wait || !is_under_way(status->phase);
}

static struct client_setup setup_of(struct asking *asking)
{
    const struct options *options = asking->options;
    return (struct client_setup){
        .dialect = options->dialect,
        .unix_path = options->address.family == AF_UNIX,
        .stop_fd = asking->stop_fd,
        .deadline_ms = asking->deadline_ms,
        .connect_ms = options->connect_ms,
        .connect = ask_connect,
        .local_cid = ask_local_cid,
        .trace = ask_trace,
        .again = ask_again,
        .progress = ask_progress,
        .context = asking,
    };
}

void ask_run(struct asking *asking, const struct options *options, struct screen *screen,
             int stop_fd, int64_t deadline_ms)
{
    asking->options = options;
    asking->screen = screen;
    asking->stop_fd = stop_fd;
    asking->deadline_ms = deadline_ms;
    asking->trying_since_ms = 0;
    asking->noted = false;
    struct client_setup setup = setup_of(asking);
    client_init(&asking->client, &setup);

    char address[ADDRESS_TEXT_MAX];
    char line[ADDRESS_TEXT_MAX + 64];
    address_format(&options->address, address);
    snprintf(line, sizeof(line), "host %s (%s)", address, options->address_source);
    screen_trace(screen, line);

    struct request request = options->request;
    request.progress =
        request.command == COMMAND_UPGRADE && (options->no_wait || screen_wants_progress(screen));
    if (options->follow) {
        follow_run(&asking->client, &request, screen, &asking->outcome);
    } else {
        client_ask(&asking->client, &request, &asking->outcome);
    }
    if (asking->outcome.only_accepted) {
        screen_remark(screen, "this host does not tell how an upgrade ends: it has only said that "
                              "it began");
    }
}

void ask_done(struct asking *asking)
{
    client_done(&asking->client);
}
