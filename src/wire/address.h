/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses: vsock:CID:PORT, vsock:any:PORT (listeners only) and unix:PATH. */
#ifndef WIRE_ADDRESS_H
#define WIRE_ADDRESS_H

#include "wire/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    VSOCK_DEFAULT_PORT = 19090,
    ADDRESS_PATH_MAX = 107, /* bytes of a Unix socket's path, sun_path less its NUL (unix(7)) */
    ADDRESS_TEXT_MAX = 160, /* bytes of address_format, with the NUL */
};

struct address {
    sa_family_t family; /* AF_VSOCK or AF_UNIX */
    uint32_t cid;       /* vsock; VMADDR_CID_ANY: any, for a listener */
    uint32_t port;      /* vsock, 1 to UINT32_MAX - 1 */
    char path[ADDRESS_PATH_MAX + 1];
};

enum address_use { ADDRESS_CONNECT, ADDRESS_LISTEN };

/* 0, or -EINVAL with `why` set to one line that says what is allowed. */
MUST_CHECK int address_parse(const char *text, enum address_use use, struct address *ret,
                             const char **why);

void address_format(const struct address *address, char out[ADDRESS_TEXT_MAX]);

/* Returns the length. */
socklen_t address_to_sockaddr(const struct address *address, struct sockaddr_storage *ret);

#endif
