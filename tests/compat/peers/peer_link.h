/* SPDX-License-Identifier: Apache-2.0 */
/* A stream socket with bounded waits: no peer waits for ever, and a host peer is woken by its stop
 * descriptor. */
#ifndef PEERS_PEER_LINK_H
#define PEERS_PEER_LINK_H

#include "octets.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PEER_LINK_PATIENCE_MS = 60000 };

struct peer_link {
    int fd;
    int stop_fd;         /* readable: give up; -1: none */
    int64_t deadline_ms; /* CLOCK_MONOTONIC */
};

enum peer_link_end {
    PEER_LINK_DATA,
    PEER_LINK_EOF,
    PEER_LINK_RESET,
    PEER_LINK_LATE, /* the deadline, or the stop descriptor */
};

int64_t peer_link_now_ms(void);

/* -1 on failure. */
int peer_link_listen(const char *path);
struct peer_link peer_link_connect(const char *path);

/* One read of at most `most` bytes. */
enum peer_link_end peer_link_read_once(const struct peer_link *link, size_t most,
                                       struct octets *out);
/* Exactly `length` bytes, or why not; what came is in `out`. */
enum peer_link_end peer_link_read(const struct peer_link *link, size_t length, struct octets *out);
/* All bytes to the end of the stream. */
enum peer_link_end peer_link_read_to_end(const struct peer_link *link, struct octets *out);

/* In one write; false: the other side takes no more. */
bool peer_link_write(const struct peer_link *link, const struct octets *octets);

/* False: the stop descriptor was readable before. */
bool peer_link_pause(const struct peer_link *link, unsigned ms);

void peer_link_half_close(const struct peer_link *link);
void peer_link_close(struct peer_link *link);

#endif
