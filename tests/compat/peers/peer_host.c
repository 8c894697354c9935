/* SPDX-License-Identifier: Apache-2.0 */
#include "peer_host.h"

#include "peer_host_talk.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 256 };

const struct peer_host_habit peer_host_habits[] = {
    {.name = "json-0", .speaks = PEER_HOST_JSON_0},
    {.name = "json-1, one read", .speaks = PEER_HOST_JSON_1},
    {.name = "json-1, reads to the end", .speaks = PEER_HOST_JSON_1, .reads_to_end = true},
    {.name = "json-1, reads to the end, one at a time",
     .speaks = PEER_HOST_JSON_1,
     .reads_to_end = true,
     .one_at_a_time = true},
    {.name = "json-1, 3 s late", .speaks = PEER_HOST_JSON_1, .delay_ms = 3000},
    {.name = "tlv 0.9", .speaks = PEER_HOST_TLV_0},
    {.name = "tlv 1.0", .speaks = PEER_HOST_TLV_1, .versions = {{{1, 0}}}},
    {.name = "tlv 1.7", .speaks = PEER_HOST_TLV_1, .versions = {{{1, 7}}}},
    {.name = "tlv 2.0 only", .speaks = PEER_HOST_TLV_1, .versions = {{{2, 0}}}},
    {.name = "tlv 1.0, 2 s late",
     .speaks = PEER_HOST_TLV_1,
     .versions = {{{1, 0}}},
     .delay_ms = 2000},
    {.name = "closes once, then tlv 1.0",
     .speaks = PEER_HOST_TLV_1,
     .versions = {{{1, 0}}},
     .closes_first = 1},
    {.name = "closes once, then json-1", .speaks = PEER_HOST_JSON_1, .closes_first = 1},
    {.name = "always closes", .speaks = PEER_HOST_SILENT, .closes_first = UINT_MAX},
    {.name = "silent", .speaks = PEER_HOST_SILENT},
    {.name = "junk", .speaks = PEER_HOST_JUNK},
    {.name = "accepts everything", .speaks = PEER_HOST_ACCEPTS_ALL},
};
const size_t peer_host_habits_count = sizeof peer_host_habits / sizeof peer_host_habits[0];

struct peer_host {
    struct peer_host_setup setup;
    int listen_fd;
    int stop_fd;
    pthread_t accepter;
    pthread_t talker[CONNECTIONS_MAX];
    unsigned talkers;
    pthread_mutex_t lock;
    struct peer_counts counts; /* under lock */
};

const struct peer_host_habit *peer_host_find(const char *name)
{
    for (size_t i = 0; i < peer_host_habits_count; i++) {
        if (strcmp(peer_host_habits[i].name, name) == 0) {
            return &peer_host_habits[i];
        }
    }
    return NULL;
}

static unsigned add(struct peer_host *host, unsigned *count)
{
    pthread_mutex_lock(&host->lock);
    unsigned now = ++*count;
    pthread_mutex_unlock(&host->lock);
    return now;
}

void peer_host_count_request(struct peer_host *host, enum peer_command command)
{
    (void)add(host, &host->counts.requests[command]);
}

void peer_host_count_cut(struct peer_host *host)
{
    (void)add(host, &host->counts.cut);
}

void peer_host_count_strange(struct peer_host *host)
{
    (void)add(host, &host->counts.strange);
}

static void *talk(void *argument)
{
    struct peer_talk *talk = argument;
    peer_host_talk(talk);
    peer_link_close(&talk->link);
    free(talk);
    return NULL;
}

static void worker_serve(struct peer_host *host, int fd)
{
    unsigned number = add(host, &host->counts.connections);
    struct peer_talk *next = malloc(sizeof *next);
    if (next == NULL || number <= host->setup.habit->closes_first ||
        host->talkers == CONNECTIONS_MAX) {
        free(next);
        close(fd);
        return;
    }
    *next = (struct peer_talk){
        .host = host,
        .setup = &host->setup,
        .number = number,
        .link = {fd, host->stop_fd, peer_link_now_ms() + PEER_LINK_PATIENCE_MS},
    };
    if (!host->setup.habit->one_at_a_time &&
        pthread_create(&host->talker[host->talkers], NULL, talk, next) == 0) {
        host->talkers++;
    } else {
        (void)talk(next); /* what a thread returns is of no interest here */
    }
}

static void *accept_all(void *argument)
{
    struct peer_host *host = argument;
    struct pollfd watched[] = {{.fd = host->stop_fd, .events = POLLIN},
                               {.fd = host->listen_fd, .events = POLLIN}};
    while (poll(watched, 2, -1) >= 0 || errno == EINTR) {
        if (watched[0].revents != 0) {
            return NULL;
        }
        int fd = accept4(host->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            worker_serve(host, fd);
        }
    }
    return NULL;
}

struct peer_host *peer_host_start(const struct peer_host_setup *setup)
{
    struct peer_host *host = calloc(1, sizeof *host);
    if (host == NULL) {
        return NULL;
    }
    host->setup = *setup;
    if (host->setup.drop_ms == 0) {
        host->setup.drop_ms = PEER_HOST_DROP_MS;
    }
    pthread_mutex_init(&host->lock, NULL);
    host->stop_fd = eventfd(0, EFD_CLOEXEC);
    host->listen_fd = peer_link_listen(setup->path);
    if (host->stop_fd >= 0 && host->listen_fd >= 0 &&
        pthread_create(&host->accepter, NULL, accept_all, host) == 0) {
        return host;
    }
    fprintf(stderr, "peer_host: %s could not be started\n", setup->habit->name);
    abort();
}

void peer_host_stop(struct peer_host *host, struct peer_counts *ret)
{
    uint64_t one = 1;
    if (write(host->stop_fd, &one, sizeof one) != (ssize_t)sizeof one) {
        abort(); /* an eventfd at 0 takes a 1 */
    }
    pthread_join(host->accepter, NULL);
    for (unsigned i = 0; i < host->talkers; i++) {
        pthread_join(host->talker[i], NULL);
    }
    close(host->listen_fd);
    close(host->stop_fd);
    (void)unlink(host->setup.path); /* the folder is temporary */
    pthread_mutex_destroy(&host->lock);
    *ret = host->counts;
    free(host);
}
