/* SPDX-License-Identifier: Apache-2.0 */
#include "support/scripted_host.h"

#include "wire/clock.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 65536, CONNECT_MS = 3000, DEADLINE_MS = 60000, GUEST_CID = 3 };

/* False: the guest has ended the stream. */
static bool read_once(struct scripted_connection *connection)
{
    static _Thread_local char bytes[READ_BYTES];
    ssize_t got = recv(connection->fd, bytes, sizeof bytes, 0);
    for (ssize_t i = 0; i < got; i++) {
        if (connection->received < sizeof connection->first) {
            connection->first[connection->received] = bytes[i];
        }
        connection->received++;
    }
    if (got <= 0) {
        atomic_store(&connection->ended, true);
    }
    return got > 0;
}

static void say(struct scripted_connection *connection, struct text word)
{
    connection->beside_first = !atomic_load(&connection->host->connection[0].ended);
    ssize_t sent = send(connection->fd, word.bytes, word.length, MSG_NOSIGNAL);
    (void)sent; /* a guest that has gone is met at the next read */
}

static void follow(struct scripted_connection *connection)
{
    const struct script *script = connection->script;
    for (size_t i = 0; i < SCRIPTED_WORDS_MAX && script->word[i].length > 0; i++) {
        bool more = read_once(connection);
        while (more && i == 0 && script->reads_to_end) {
            more = read_once(connection);
        }
        if (i == 0 && script->pause_ms > 0) {
            poll(NULL, 0, script->pause_ms);
        }
        say(connection, script->word[i]);
    }
    while (script->holds && read_once(connection)) {
    }
}

static void *run(void *argument)
{
    struct scripted_connection *connection = argument;
    if (!connection->script->leaves) {
        follow(connection);
    } else {
        struct pollfd something = {.fd = connection->fd, .events = POLLIN};
        poll(&something, 1, DEADLINE_MS);
    }
    close(connection->fd);
    return NULL;
}

static int take_connection(struct scripted_host *host, const struct script *script, int *ret_fd)
{
    int ends[2];
    assert(host->connections < SCRIPTED_CONNECTIONS_MAX);
    struct scripted_connection *connection = &host->connection[host->connections];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        return -errno;
    }
    *connection = (struct scripted_connection){.host = host, .script = script, .fd = ends[1]};
    if (pthread_create(&connection->thread, NULL, run, connection) != 0) {
        abort();
    }
    host->connections++;
    *ret_fd = ends[0];
    return 0;
}

static int connect_to(void *context, int64_t deadline_ms, int *ret_fd)
{
    struct scripted_host *host = context;
    size_t index = host->tries < host->scripts ? host->tries : host->scripts - 1;
    const struct script *script = &host->script[index];
    (void)deadline_ms; /* it does not wait */
    host->tries++;
    return script->connect_error != 0 ? -script->connect_error
                                      : take_connection(host, script, ret_fd);
}

static int local_cid(void *context, uint32_t *ret)
{
    struct scripted_host *host = context;
    int error = host->cid_error[host->cids > 0 ? 1 : 0];
    host->cids++;
    *ret = GUEST_CID;
    return error;
}

static void trace(void *context, const char *line)
{
    struct scripted_host *host = context;
    size_t length = strlen(host->trace);
    snprintf(host->trace + length, sizeof host->trace - length, "%s\n", line);
}

static void again(void *context, const struct client_outcome *outcome)
{
    (void)context;
    (void)outcome;
}

static bool progress(void *context, const struct upgrade_status *status)
{
    (void)context;
    (void)status;
    return true;
}

void scripted_host_start(const struct script *script, size_t scripts, struct scripted_host *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->script = script;
    ret->scripts = scripts;
}

struct client_setup scripted_host_setup(struct scripted_host *host)
{
    return (struct client_setup){
        .stop_fd = -1,
        .deadline_ms = clock_deadline(DEADLINE_MS),
        .connect_ms = CONNECT_MS,
        .connect = connect_to,
        .local_cid = local_cid,
        .trace = trace,
        .again = again,
        .progress = progress,
        .context = host,
    };
}

void scripted_host_stop(struct scripted_host *host)
{
    for (unsigned i = 0; i < host->connections; i++) {
        pthread_join(host->connection[i].thread, NULL);
    }
}
