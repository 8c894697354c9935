/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded ring of bytes between one writer and one reader thread.
 *
 * Threads  ring_write, ring_end: the writer. ring_next, ring_release: the reader. ring_cancel: any.
 * Lock     one, rank 5 (ranks: main.c). Bytes are copied and read with no lock held.
 * Units    bytes.
 * Owner    what ring_next shows stays the ring's, until ring_release.
 */
#ifndef HOST_RING_H
#define HOST_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/lock.h"
#include "wire/attributes.h"

/* Enough to bridge a few milliseconds of either side at memory speed, and little beside the 12 MiB
 * that a download may add to the daemon. A power of two. */
enum { RING_SIZE = 4 << 20 };

struct ring {
    struct lock lock;
    pthread_cond_t more; /* the reader waits: bytes came, or the end */
    pthread_cond_t room; /* the writer waits: bytes were released */
    uint64_t written;    /* bytes in all, ever; guarded by lock */
    uint64_t released;   /* bytes in all, ever; guarded by lock */
    bool ended;          /* guarded by lock */
    bool cancelled;      /* guarded by lock */
    uint8_t *bytes;
};

MUST_CHECK int ring_init(struct ring *ring);
void ring_done(struct ring *ring);

/* Copies; waits only while the ring is full. After ring_cancel the bytes go nowhere. */
void ring_write(struct ring *ring, const void *bytes, size_t length);
void ring_end(struct ring *ring);

/* Waits for bytes and shows those that lie in one piece; 0 at the end, or when cancelled. */
size_t ring_next(struct ring *ring, const uint8_t **ret);
void ring_release(struct ring *ring, size_t length);

void ring_cancel(struct ring *ring);

#endif
