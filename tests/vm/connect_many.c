/* SPDX-License-Identifier: Apache-2.0 */
/* usage: connect_many COUNT: as many connections to vsock CID 2, port 19090, all open at once; then the
 * request for the version in TLV 0.9 on each, and how many were answered. Run it in a virtual machine of
 * a test alone. */
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 4000 };

int main(int argc, char *argv[])
{
    /* magic, 0.9, request, reserved, length 4; tag 1, length 1: command 3 */
    static const char request[] = "VSCK\x00\x09\x01\x00\x00\x04\x01\x00\x01\x03";
    static int fds[MOST];
    struct sockaddr_vm host = {
        .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST, .svm_port = 19090};
    long count = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
    int connected = 0;
    int answered = 0;
    if (count < 1 || count > MOST) {
        return 2;
    }
    for (long i = 0; i < count; i++) {
        fds[i] = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
        connected += connect(fds[i], (const struct sockaddr *)&host, sizeof host) == 0;
    }
    for (long i = 0; i < count; i++) {
        char answer[64];
        answered += write(fds[i], request, sizeof request - 1) == (ssize_t)sizeof request - 1 &&
                    read(fds[i], answer, sizeof answer) > 6 && answer[6] == 2;
        (void)close(fds[i]); /* its answer was read */
    }
    (void)printf("%d connections, %d answers\n", connected, answered);
    return connected == count && answered == count ? 0 : 1;
}
