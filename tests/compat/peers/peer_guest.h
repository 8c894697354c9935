/* SPDX-License-Identifier: Apache-2.0 */
/* Guests as they are, or may come to be, in the field: a dialect and its habits each. */
#ifndef PEERS_PEER_GUEST_H
#define PEERS_PEER_GUEST_H

#include "peer_tlv_1.h"

enum { PEER_GUEST_CID = 3 };

enum peer_guest_speaks { PEER_GUEST_JSON_0, PEER_GUEST_JSON_1, PEER_GUEST_TLV_0, PEER_GUEST_TLV_1 };

struct peer_guest {
    const char *name;
    enum peer_guest_speaks speaks;
    bool half_closes;              /* JSON: after its one write */
    bool reads_to_end;             /* JSON; else it reads once, and at most 4,096 bytes */
    struct peer_versions versions; /* TLV 1: what its HELLO offers */
};

extern const struct peer_guest peer_guests[];
extern const size_t peer_guests_count;

struct peer_heard {
    struct octets greeting; /* TLV 1: the answer to HELLO */
    struct octets answer;   /* to the request; empty when none was sent */
    bool ended;             /* nothing but the end of the stream came behind it */
};

/* True if its program can ask for the command at all. */
bool peer_guest_can_ask(const struct peer_guest *guest, enum peer_command command);

/* One connection to the Unix socket at `path`. False: it failed before anything was heard. */
bool peer_guest_ask(const struct peer_guest *guest, const char *path,
                    const struct peer_request *request, struct peer_heard *ret);

#endif
