/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 50000, PATIENCE_MS = 20000 };

/* --- requests --- */

static bool read_head(const struct fault_server *server, int fd, char head[FAULT_HEAD_MAX])
{
    size_t length = 0;
    head[0] = '\0';
    while (strstr(head, "\r\n\r\n") == NULL) {
        struct pollfd fds[] = {{.fd = fd, .events = POLLIN},
                               {.fd = server->stop_fd, .events = POLLIN}};
        if (poll(fds, 2, PATIENCE_MS) <= 0 || fds[1].revents != 0) {
            return false;
        }
        ssize_t got = recv(fd, head + length, FAULT_HEAD_MAX - 1 - length, 0);
        if (got <= 0) {
            return false;
        }
        length += (size_t)got;
        head[length] = '\0';
        if (head[0] < 'A' || head[0] > 'Z') {
            return false; /* no HTTP, such as a TLS handshake */
        }
    }
    return true;
}

static const char *find_header(const char *head, const char *name, char *out, size_t size)
{
    size_t length = strlen(name);
    out[0] = '\0';
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, length) == 0 && line[2 + length] == ':') {
            const char *value = line + 2 + length + 1 + strspn(line + 2 + length + 1, " ");
            (void)snprintf(out, size, "%.*s", (int)strcspn(value, "\r\n"), value);
            break;
        }
    }
    return out;
}

const char *fault_server_header(const struct fault_server *server, size_t index, const char *name)
{
    static char value[FAULT_HEAD_MAX];
    return index < server->requests ? find_header(server->heads[index], name, value, sizeof value)
                                    : "(no such request)";
}

/* --- answers --- */

static bool send_all(int fd, const void *bytes, size_t length)
{
    const char *from = bytes;
    while (length > 0) {
        ssize_t done = send(fd, from, length, MSG_NOSIGNAL);
        if (done <= 0) {
            return false;
        }
        from += done;
        length -= (size_t)done;
    }
    return true;
}

static bool send_chunk(int fd, const uint8_t *bytes, size_t length)
{
    char size[32];
    int written = snprintf(size, sizeof size, "%zx\r\n", length);
    return send_all(fd, size, (size_t)written) && send_all(fd, bytes, length) &&
           send_all(fd, "\r\n", 2);
}

/* Where a Range leads that is honoured, else 0. */
static size_t range_start(const struct fault *fault, const char *head)
{
    static const char unit[] = "bytes=";
    char range[64];
    char condition[256];
    find_header(head, "Range", range, sizeof range);
    if (fault->ignores_range || fault->status != 0 || strncmp(range, unit, strlen(unit)) != 0) {
        return 0;
    }
    size_t start = strtoul(range + strlen(unit), NULL, 10);
    find_header(head, "If-Range", condition, sizeof condition);
    bool holds =
        condition[0] == '\0' || (fault->etag != NULL && strcmp(condition, fault->etag) == 0);
    return holds && start < fault->length ? start : 0;
}

static bool send_head(int fd, const struct fault *fault, size_t start)
{
    char text[2048];
    char etag[256] = "";
    char length[64] = "Transfer-Encoding: chunked\r\n";
    char range[128] = "";
    int status = fault->status != 0 ? fault->status : start > 0 ? 206 : 200;
    if (fault->etag != NULL) {
        (void)snprintf(etag, sizeof etag, "ETag: %s\r\n", fault->etag);
    }
    if (fault->until_close) {
        length[0] = '\0';
    } else if (!fault->unmeasured) {
        (void)snprintf(length, sizeof length, "Content-Length: %zu\r\n", fault->length - start);
    }
    if (start > 0) {
        (void)snprintf(range, sizeof range, "Content-Range: bytes %zu-%zu/%zu\r\n", start,
                       fault->length - 1, fault->length);
    }
    int written = snprintf(text, sizeof text, "HTTP/1.1 %d Told\r\n%s%s%s%s\r\n", status, etag,
                           length, range, fault->headers != NULL ? fault->headers : "");
    assert(written > 0 && (size_t)written < sizeof text);
    return send_all(fd, text, (size_t)written);
}

static bool send_body(int fd, const struct fault *fault, size_t start, size_t end)
{
    for (size_t at = start; at < end;) {
        size_t piece = end - at < CHUNK ? end - at : CHUNK;
        if (fault->unmeasured ? !send_chunk(fd, fault->body + at, piece)
                              : !send_all(fd, fault->body + at, piece)) {
            return false;
        }
        at += piece;
    }
    return true;
}

static void reset(int fd)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static void wait_for_client(const struct fault_server *server, int fd)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN | POLLRDHUP},
                           {.fd = server->stop_fd, .events = POLLIN}};
    (void)poll(fds, 2, PATIENCE_MS);
}

static void answer(const struct fault_server *server, int fd, const struct fault *fault,
                   const char *head)
{
    if (fault->raw != NULL) {
        (void)send_all(fd, fault->raw, strlen(fault->raw));
        return;
    }
    size_t start = range_start(fault, head);
    size_t end = fault->length;
    if (fault->end != FAULT_NONE) {
        end = start + fault->after < end ? start + fault->after : end;
    }
    if (send_head(fd, fault, start) && send_body(fd, fault, start, end) && fault->unmeasured &&
        fault->end == FAULT_NONE) {
        (void)send_all(fd, "0\r\n\r\n", 5);
    }
    if (fault->end == FAULT_RESET) {
        reset(fd);
    } else if (fault->end == FAULT_STALL) {
        wait_for_client(server, fd);
    }
}

static void worker_serve(struct fault_server *server, int fd)
{
    char head[FAULT_HEAD_MAX];
    size_t number = server->requests;
    if (!read_head(server, fd, head) || number == FAULT_REQUESTS_MAX) {
        return;
    }
    size_t at = number < server->count ? number : server->count - 1;
    memcpy(server->heads[number], head, sizeof head);
    server->requests = number + 1;
    answer(server, fd, &server->faults[at], head);
}

static void *run(void *context)
{
    struct fault_server *server = context;
    for (;;) {
        struct pollfd fds[] = {{.fd = server->listener, .events = POLLIN},
                               {.fd = server->stop_fd, .events = POLLIN}};
        if (poll(fds, 2, -1) < 0 || fds[1].revents != 0) {
            return NULL;
        }
        int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            worker_serve(server, fd);
            close(fd);
        }
    }
}

void fault_server_start(struct fault_server *server, const struct fault *faults, size_t count)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    memset(server, 0, sizeof *server);
    server->faults = faults;
    server->count = count;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    server->stop_fd = eventfd(0, EFD_CLOEXEC);
    struct sockaddr *generic = (struct sockaddr *)&address;
    if (bind(server->listener, generic, length) != 0 || listen(server->listener, 16) != 0 ||
        getsockname(server->listener, generic, &length) != 0 ||
        pthread_create(&server->thread, NULL, run, server) != 0) {
        perror("fault_server");
        abort();
    }
    server->port = ntohs(address.sin_port);
}

void fault_server_stop(struct fault_server *server)
{
    (void)eventfd_write(server->stop_fd, 1);
    pthread_join(server->thread, NULL);
    close(server->listener);
    close(server->stop_fd);
}
