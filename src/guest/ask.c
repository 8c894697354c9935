/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/ask.h"

#include "guest/stop.h"
#include "wire/clock.h"
#include "wire/number.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int local_cid_read(const char *device, uint32_t *ret)
{
    uint32_t cid = VMADDR_CID_ANY;
    int fd = open(device, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return errno == ENOENT ? -EAFNOSUPPORT : -errno; /* no device: no module */
    }
    int error = ioctl(fd, IOCTL_VM_SOCKETS_GET_LOCAL_CID, &cid) < 0 ? -errno : 0;
    close(fd);
    if (error == 0 && cid == VMADDR_CID_ANY) {
        error = -EADDRNOTAVAIL;
    }
    if (error == 0) {
        *ret = cid;
    }
    return error;
}

int local_cid_parse(const char *value, uint32_t *ret)
{
    uint64_t number = LOCAL_CID_DEFAULT;
    if (value != NULL && decimal_parse(value, 0, VMADDR_CID_ANY - 1, &number) < 0) {
        return -EINVAL;
    }
    *ret = (uint32_t)number;
    return 0;
}

static int connect_host(const struct address *address, int stop_fd, int64_t deadline_ms,
                        int *ret_fd)
{
    struct sockaddr_storage storage;
    socklen_t length = address_to_sockaddr(address, &storage);
    int fd = socket(address->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    int error = connect(fd, (struct sockaddr *)&storage, length) < 0 ? -errno : 0;
    if (error == -EINPROGRESS || error == -EINTR) {
        socklen_t size = sizeof error;
        error = stop_wait(fd, POLLOUT, stop_fd, deadline_ms);
        if (error == 0) {
            error = getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? -errno : -error;
        }
    }
    if (error < 0) {
        close(fd);
        return error;
    }
    *ret_fd = fd;
    return 0;
}

enum { EVERY_MS = 1000 };

bool follow_has_ended(unsigned phase)
{
    return phase == PHASE_IDLE || (phase >= PHASE_REBOOTING && phase <= PHASE_UPGRADED);
}

/* Waits until next_ms. False: the outcome says what ended the wait before. */
static bool wait_until(const struct client *client, int64_t next_ms, struct client_outcome *outcome)
{
    int64_t deadline_ms = client->setup.deadline_ms;
    int64_t until_ms = next_ms < deadline_ms ? next_ms : deadline_ms;
    if (stop_wait(-1, 0, client->setup.stop_fd, until_ms) == -ECANCELED) {
        outcome->result = CLIENT_STOPPED;
        return false;
    }
    if (clock_ms() >= deadline_ms) {
        *outcome = (struct client_outcome){.result = CLIENT_TIME_OVER,
                                           .sent = true,
                                           .has_status = true,
                                           .text = "the upgrade has not ended"};
        return false;
    }
    return true;
}

/* get-upgrade-status --follow: once a second, through restarts of the host. */
static void follow_upgrade(struct client *client, const struct request *request,
                           struct screen *screen, struct client_outcome *ret)
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
        /* A host that has answered once and is away restarts: no limit but the deadline. */
        client->setup.connect_ms = CLOCK_NEVER;
        if (!wait_until(client, next_ms, ret)) {
            return;
        }
    }
}

enum { NOTE_AFTER_MS = 1000 };

static int ask_connect(void *context, int64_t deadline_ms, int *ret_fd)
{
    struct asking *asking = context;
    return connect_host(&asking->options->address, asking->client.setup.stop_fd, deadline_ms,
                        ret_fd);
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
    screen_trace(((struct asking *)context)->screen, line);
}

/* Shows once, after a second, why the program waits. */
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
    snprintf(note, sizeof note, "%s: %s; still trying", address,
             outcome->text[0] != '\0' ? outcome->text : "the host is not ready");
    screen_note(asking->screen, note);
}

static bool is_active(unsigned phase)
{
    return phase >= PHASE_QUEUED && phase <= PHASE_REBOOTING;
}

static bool ask_progress(void *context, const struct upgrade_status *status)
{
    struct asking *asking = context;
    if (screen_wants_progress(asking->screen)) {
        screen_progress(asking->screen, status);
    }
    return !asking->options->no_wait || !is_active(status->phase);
}

void ask_run(struct asking *asking, const struct options *options, struct screen *screen,
             int stop_fd, int64_t deadline_ms)
{
    *asking = (struct asking){.options = options, .screen = screen};
    const struct client_setup setup = {
        .dialect = options->dialect,
        .unix_path = options->address.family == AF_UNIX,
        .stop_fd = stop_fd,
        .deadline_ms = deadline_ms,
        .connect_ms = options->connect_ms,
        .connect = ask_connect,
        .local_cid = ask_local_cid,
        .trace = ask_trace,
        .again = ask_again,
        .progress = ask_progress,
        .context = asking,
    };
    client_init(&asking->client, &setup);

    char address[ADDRESS_TEXT_MAX];
    char line[ADDRESS_TEXT_MAX + 64];
    address_format(&options->address, address);
    snprintf(line, sizeof line, "host %s (%s)", address, options->address_source);
    screen_trace(screen, line);

    struct request request = options->request;
    request.progress =
        request.command == COMMAND_UPGRADE && (options->no_wait || screen_wants_progress(screen));
    if (options->follow) {
        follow_upgrade(&asking->client, &request, screen, &asking->outcome);
    } else {
        client_ask(&asking->client, &request, &asking->outcome);
    }
    if (asking->outcome.only_accepted) {
        screen_remark(screen,
                      "this host does not report the end of an upgrade: it has only accepted "
                      "the request");
    }
}
