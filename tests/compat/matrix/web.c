/* SPDX-License-Identifier: Apache-2.0 */
#include "web.h"

#include "peer_link.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IMAGE_SIZE = 65536, BACKLOG = 16 };

struct web {
    int listen_fd;
    int stop_fd;
    pthread_t thread;
};

static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 65536\r\nConnection: close\r\n\r\n";

static void send_image(int fd)
{
    static uint8_t image[IMAGE_SIZE];
    for (unsigned i = 0; i < IMAGE_SIZE; i++) {
        image[i] = (uint8_t)(i * 7 + (i >> 8));
    }
    if (send(fd, head, sizeof head - 1, MSG_NOSIGNAL | MSG_MORE) < 0 ||
        send(fd, image, sizeof image, MSG_NOSIGNAL) < 0) {
        perror("web"); /* who asked has gone; what it makes of that is its test */
    }
}

/* Reads a request to its blank line, and answers it. */
static void worker_serve(const struct web *web, int fd)
{
    struct octets request = {.length = 0};
    struct peer_link link = {fd, web->stop_fd, peer_link_now_ms() + PEER_LINK_PATIENCE_MS};
    enum peer_link_end end = PEER_LINK_DATA;
    while (end == PEER_LINK_DATA && memmem(request.bytes, request.length, "\r\n\r\n", 4) == NULL) {
        end = peer_link_read_once(&link, OCTETS_MAX - request.length, &request);
    }
    if (end == PEER_LINK_DATA) {
        send_image(fd);
    }
    peer_link_close(&link);
}

static void *run(void *argument)
{
    struct web *web = argument;
    struct pollfd watched[] = {{.fd = web->stop_fd, .events = POLLIN},
                               {.fd = web->listen_fd, .events = POLLIN}};
    while (poll(watched, 2, -1) >= 0 && watched[0].revents == 0) {
        int fd = accept4(web->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            worker_serve(web, fd);
        }
    }
    return NULL;
}

struct web *web_start(char url[WEB_URL_MAX])
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t length = sizeof address;
    struct web *web = calloc(1, sizeof *web);
    if (web == NULL) {
        abort();
    }
    web->stop_fd = eventfd(0, EFD_CLOEXEC);
    web->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (web->listen_fd < 0 || bind(web->listen_fd, (struct sockaddr *)&address, length) < 0 ||
        listen(web->listen_fd, BACKLOG) < 0 ||
        getsockname(web->listen_fd, (struct sockaddr *)&address, &length) < 0 ||
        pthread_create(&web->thread, NULL, run, web) != 0) {
        perror("web");
        abort();
    }
    snprintf(url, WEB_URL_MAX, "http://127.0.0.1:%u/image", ntohs(address.sin_port));
    return web;
}

void web_stop(struct web *web)
{
    uint64_t one = 1;
    if (write(web->stop_fd, &one, sizeof one) != (ssize_t)sizeof one) {
        abort(); /* an eventfd at 0 takes a 1 */
    }
    pthread_join(web->thread, NULL);
    close(web->listen_fd);
    close(web->stop_fd);
    free(web);
}
