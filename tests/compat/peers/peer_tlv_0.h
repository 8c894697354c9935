/* SPDX-License-Identifier: Apache-2.0 */
/* TLV wire 0.9, as it was before negotiation. */
#ifndef PEERS_PEER_TLV_0_H
#define PEERS_PEER_TLV_0_H

#include "octets.h"
#include "peer.h"

enum { PEER_TLV_0_HEADER = 10 };

/* The length of the payload behind a header of 10 bytes. */
size_t peer_tlv_0_payload(const uint8_t *header);

/* True for a header of this wire and no other. */
bool peer_tlv_0_is_ours(const uint8_t *header);

/* False: this wire has no such command. */
bool peer_tlv_0_request(struct octets *out, const struct peer_request *request);
/* What every host peer answers: HostOS 1.2.3, or just done. */
void peer_tlv_0_ok(struct octets *out, enum peer_command command);
void peer_tlv_0_error(struct octets *out, const char *text);

#endif
