/* SPDX-License-Identifier: Apache-2.0 */
/* TLV wire 1.x, and as much of 2.0 as stays for ever: header, HELLO, WELCOME, ERROR. */
#ifndef PEERS_PEER_TLV_1_H
#define PEERS_PEER_TLV_1_H

#include "octets.h"
#include "peer.h"

enum { PEER_TLV_1_HEADER = 16, PEER_TLV_1_VERSIONS = 4 };

enum {
    PEER_TLV_1_HELLO = 0x0001,
    PEER_TLV_1_WELCOME = 0x0002,
    PEER_TLV_1_ERROR = 0x0003,
    PEER_TLV_1_REQUEST = 0x0010,
    PEER_TLV_1_RESPONSE = 0x0012,
};

struct peer_version {
    uint8_t major;
    uint8_t minor;
};

/* Majors fall; the first one that is 0.0 ends the list. */
struct peer_versions {
    struct peer_version pair[PEER_TLV_1_VERSIONS];
};

struct peer_frame {
    struct peer_version version;
    uint16_t type;
    uint32_t id;
    const uint8_t *payload;
    size_t length;
};

/* The length of the payload behind a header of 16 bytes. */
size_t peer_tlv_1_payload(const uint8_t *header);

/* False when the bytes are not one frame, or its tags do not rise. */
bool peer_tlv_1_read(const uint8_t *bytes, size_t length, struct peer_frame *ret);

/* NULL when the frame has no such field. */
const uint8_t *peer_tlv_1_field(const struct peer_frame *frame, unsigned tag, size_t *ret_length);

/* The version that a host which speaks `ours` agrees on with a HELLO; 0.0 for none. */
struct peer_version peer_tlv_1_agree(const struct peer_frame *hello,
                                     const struct peer_versions *ours);

void peer_tlv_1_hello(struct octets *out, const struct peer_versions *versions, const char *agent);
void peer_tlv_1_welcome(struct octets *out, struct peer_version version);
void peer_tlv_1_error(struct octets *out, struct peer_version version, uint32_t id, unsigned code,
                      const char *message, const struct peer_versions *versions);
void peer_tlv_1_request(struct octets *out, struct peer_version version, uint32_t id,
                        const struct peer_request *request);
/* What every host peer answers: HostOS 1.2.3, release 1.0.0, no upgrade yet, or just done. */
void peer_tlv_1_response(struct octets *out, struct peer_version version, uint32_t id,
                         enum peer_command command);

#endif
