/* SPDX-License-Identifier: Apache-2.0 */
/* The simplest possible server, as the measure of what the machine can do: one thread; accept, read
 * once, write a fixed answer, close.
 *
 *     simplest_server SOCKET      the answer: WELCOME and the response HostOSVersion(1.2.3)
 */
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* clang-format off */
static const unsigned char answer[] = {
    'V', 'S', 'C', 'K', 1,   0,   0,   0x02, 0,   0,    0,   0,   0,   0,   0,   34, /* WELCOME */
    0,   2,   0,   2,   1,   0, /* version 1.0 */
    0,   3,   0,   16,  'v', 's', 'o', 'c',  'k', '_',  'h', 'o', 's', 't', '/', '1', '.',
    '0', '.', '0', 0,   5,   0,   4,   0,    0,   0x40, 0, /* limit 16384 */
    'V', 'S', 'C', 'K', 1,   0,   0,   0x12, 0,   0,    0,   1,   0,   0,   0,   15, /* RESPONSE */
    0,   2,   0,   2,   0,   2,                                                      /* kind 2 */
    0,   6,   0,   5,   '1', '.', '2', '.',  '3',
};
/* clang-format on */

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: simplest_server SOCKET\n");
        return 2;
    }
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", argv[1]);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) < 0 ||
        listen(listener, 1024) < 0) {
        perror(argv[1]);
        return 1;
    }
    for (;;) {
        char request[4096];
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) {
            perror("accept");
            return 1;
        }
        if (read(fd, request, sizeof request) > 0 && write(fd, answer, sizeof answer) < 0) {
            perror("write");
        }
        close(fd);
    }
}
