/* SPDX-License-Identifier: Apache-2.0 */
/* A load generator: N clients in one thread ask get-hostos-version for some seconds.
 *
 *     load SOCKET PID CLIENTS SECONDS once|kept
 *
 * once: each request on a connection of its own, HELLO and request in one write, closed when the
 * whole answer is there. kept: the connections stay. PID is the server's, for its CPU time. One
 * line of JSON on stdout: requests, failures, seconds, p50 and p99 in microseconds, server CPU
 * seconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS_MAX = 1024, SAMPLES_MAX = 1 << 22, SECONDS_MAX = 60 };

static const uint8_t greeting[] = {'V', 'S', 'C', 'K', 1, 0, 0, 1, 0, 0, 0,
                                   0,   0,   0,   0,   6, 0, 2, 0, 2, 1, 0};
static const uint8_t request[] = {'V', 'S', 'C', 'K', 1, 0, 0, 0x10, 0, 0, 0,
                                  1,   0,   0,   0,   6, 0, 2, 0,    2, 0, 3};

struct client {
    int fd;
    int64_t start_ns;
    size_t got;
    size_t expected;
};

static struct sockaddr_un server = {.sun_family = AF_UNIX};
static bool kept;
static size_t whole_answer;  /* bytes of WELCOME and RESPONSE */
static size_t later_answer;  /* bytes of RESPONSE */
static uint32_t *samples_us; /* of each request */
static uint64_t requests, failures;

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Seconds on a processor, of all threads of the process (clock_getcpuclockid(3)). */
static double cpu_seconds(pid_t pid)
{
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) < 0) {
        (void)fprintf(stderr, "load: there is no process %d\n", (int)pid);
        exit(1);
    }
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static int dial(int flags)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&server, sizeof server) < 0) {
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

static size_t frame(int fd)
{
    uint8_t header[16];
    uint8_t payload[4096];
    if (recv(fd, header, sizeof header, MSG_WAITALL) != (ssize_t)sizeof header) {
        return 0;
    }
    size_t length = (size_t)header[14] << 8 | header[15];
    if (length > sizeof payload || recv(fd, payload, length, MSG_WAITALL) != (ssize_t)length) {
        return 0;
    }
    return sizeof header + length;
}

/* Learns from one exchange how long the answers are. */
static void learn(void)
{
    uint8_t both[sizeof greeting + sizeof request];
    memcpy(both, greeting, sizeof greeting);
    memcpy(both + sizeof greeting, request, sizeof request);
    int fd = dial(0);
    size_t welcome = 0;
    if (fd >= 0 && send(fd, both, sizeof both, MSG_NOSIGNAL) == (ssize_t)sizeof both) {
        welcome = frame(fd);
        later_answer = frame(fd);
    }
    if (welcome == 0 || later_answer == 0) {
        (void)fprintf(stderr, "load: %s gives no whole answer\n", server.sun_path);
        exit(1);
    }
    whole_answer = welcome + later_answer;
    close(fd);
}

static bool ask(struct client *client, bool first)
{
    uint8_t both[sizeof greeting + sizeof request];
    memcpy(both, greeting, sizeof greeting);
    memcpy(both + sizeof greeting, request, sizeof request);
    const uint8_t *bytes = first ? both : request;
    size_t length = first ? sizeof both : sizeof request;
    client->got = 0;
    client->expected = first ? whole_answer : later_answer;
    return send(client->fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static bool begin(struct client *client, int epoll_fd)
{
    client->start_ns = now_ns();
    client->fd = dial(SOCK_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    return client->fd >= 0 && ask(client, true) &&
           epoll_ctl(epoll_fd, EPOLL_CTL_ADD, client->fd, &event) == 0;
}

static void restart(struct client *client, int epoll_fd)
{
    if (client->fd >= 0) {
        close(client->fd);
    }
    if (!begin(client, epoll_fd)) {
        (void)fprintf(stderr, "load: cannot connect: %s\n", strerror(errno));
        exit(1);
    }
}

static void finished(struct client *client, int epoll_fd)
{
    int64_t now = now_ns();
    if (requests < SAMPLES_MAX) {
        samples_us[requests] = (uint32_t)((now - client->start_ns) / 1000);
    }
    requests++;
    if (kept) {
        client->start_ns = now;
        if (!ask(client, false)) {
            restart(client, epoll_fd);
        }
    } else {
        restart(client, epoll_fd);
    }
}

static void readable(struct client *client, int epoll_fd)
{
    uint8_t bytes[4096];
    ssize_t got = recv(client->fd, bytes, sizeof bytes, 0);
    if (got < 0 && errno == EAGAIN) {
        return;
    }
    if (got <= 0) {
        failures++;
        restart(client, epoll_fd);
        return;
    }
    client->got += (size_t)got;
    if (client->got >= client->expected) {
        finished(client, epoll_fd);
    }
}

static int by_value(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static void report(double seconds, double cpu)
{
    size_t count = requests < SAMPLES_MAX ? requests : SAMPLES_MAX;
    qsort(samples_us, count, sizeof *samples_us, by_value);
    (void)printf("{\"requests\": %" PRIu64 ", \"failures\": %" PRIu64 ", \"seconds\": %.3f, "
                 "\"p50_us\": %u, \"p99_us\": %u, \"cpu\": %.3f}\n",
                 requests, failures, seconds, count > 0 ? samples_us[count / 2] : 0,
                 count > 0 ? samples_us[count * 99 / 100] : 0, cpu);
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        (void)fprintf(stderr, "usage: load SOCKET PID CLIENTS SECONDS once|kept\n");
        return 2;
    }
    (void)snprintf(server.sun_path, sizeof server.sun_path, "%s", argv[1]);
    pid_t pid = (pid_t)strtol(argv[2], NULL, 10);
    long clients = strtol(argv[3], NULL, 10);
    double limit = strtod(argv[4], NULL);
    kept = strcmp(argv[5], "kept") == 0;
    if (clients < 1 || clients > CLIENTS_MAX || limit <= 0 || limit > SECONDS_MAX) {
        (void)fprintf(stderr, "load: 1 to %d clients, up to %d seconds\n", CLIENTS_MAX,
                      SECONDS_MAX);
        return 2;
    }
    static struct client all[CLIENTS_MAX];
    samples_us = malloc(SAMPLES_MAX * sizeof *samples_us);
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (samples_us == NULL || epoll_fd < 0) {
        perror("load");
        return 1;
    }
    learn();
    double cpu = cpu_seconds(pid);
    int64_t start = now_ns();
    int64_t end = start + (int64_t)(limit * 1e9);
    for (long i = 0; i < clients; i++) {
        all[i].fd = -1;
        restart(&all[i], epoll_fd);
    }
    while (now_ns() < end) {
        struct epoll_event events[128];
        int count = epoll_wait(epoll_fd, events, 128, 1000);
        for (int i = 0; i < count; i++) {
            readable(events[i].data.ptr, epoll_fd);
        }
    }
    report((double)(now_ns() - start) / 1e9, cpu_seconds(pid) - cpu);
    return 0;
}
