/* SPDX-License-Identifier: Apache-2.0 */
/* One connection of a host peer, in its dialect; peer_host.c accepts and counts. */
#ifndef PEERS_PEER_HOST_TALK_H
#define PEERS_PEER_HOST_TALK_H

#include "peer_host.h"
#include "peer_link.h"

struct peer_talk {
    struct peer_host *host;
    struct peer_link link;
    const struct peer_host_setup *setup;
    unsigned number; /* of the connection, from 1 on */
    bool spoke;
};

void peer_host_talk(struct peer_talk *talk);

/* Counts under the host's lock. */
void peer_host_count_request(struct peer_host *host, enum peer_command command);
void peer_host_count_cut(struct peer_host *host);
void peer_host_count_strange(struct peer_host *host);

#endif
