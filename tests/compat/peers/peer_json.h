/* SPDX-License-Identifier: Apache-2.0 */
/* The two JSON generations, as their programs write them. */
#ifndef PEERS_PEER_JSON_H
#define PEERS_PEER_JSON_H

#include "octets.h"
#include "peer.h"

#define PEER_JSON_0_ACCEPTED "{\"message\": \"accepted request\", \"status\": \"ok\"}"
#define PEER_JSON_0_INVALID  "{\"message\": \"invalid request\", \"status\": \"error\"}"

/* False: this generation has no such command. */
bool peer_json_1_request(struct octets *out, uint32_t cid, const struct peer_request *request);
bool peer_json_0_request(struct octets *out, uint32_t cid, const struct peer_request *request);

/* What every host peer answers: HostOS 1.2.3, release 1.0.0, or just done. */
void peer_json_1_ok(struct octets *out, enum peer_command command);
void peer_json_1_error(struct octets *out, const char *text);

/* True for UTF-8 with no overlong form and no surrogate. */
bool peer_json_is_utf_8(const uint8_t *bytes, size_t length);

#endif
