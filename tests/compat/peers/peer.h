/* SPDX-License-Identifier: Apache-2.0 */
/* What the test peers are asked to say. They are programs of other people, as it were: written from
 * docs/protocol.md, with nothing of src/ in them, and frozen. A mistake in a dialect has to be made
 * twice to stay unseen.
 */
#ifndef PEERS_PEER_H
#define PEERS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers on the TLV wires. */
enum peer_command {
    PEER_NONE = 0,
    PEER_ATTACH_HSM = 1,
    PEER_DETACH_HSM = 2,
    PEER_GET_HOSTOS_VERSION = 3,
    PEER_UPGRADE = 4,
    PEER_NOTIFY = 5,
    PEER_GET_VSOCK_VERSION = 6,
    PEER_GET_UPGRADE_STATUS = 7,
    PEER_START_UPGRADE_GUEST_VM = 8,
    PEER_COMMANDS = 9,
};

enum { PEER_HASH_HEX = 64, PEER_HASH_BYTES = 32 };

struct peer_request {
    enum peer_command command;
    const char *url;     /* upgrade */
    const char *hash;    /* upgrade: 64 hex digits */
    const char *message; /* notify */
    uint32_t count;      /* notify */
};

#endif
