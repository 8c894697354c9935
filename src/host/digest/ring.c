/* SPDX-License-Identifier: Apache-2.0 */
#include "host/digest/ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* The reader is woken for this much, not for each small write: waking costs more than it. */
    WORTH_WAKING = RING_SIZE / 16,
    PIECE_MAX = RING_SIZE / 4, /* so that the writer gets room before the reader is through */
};

int ring_init(struct ring *ring)
{
    uint8_t *bytes = malloc(RING_SIZE);
    if (bytes == NULL) {
        return -ENOMEM;
    }
    *ring = (struct ring){.bytes = bytes};
    lock_init(&ring->lock);
    signal_init(&ring->more);
    signal_init(&ring->room);
    return 0;
}

void ring_done(struct ring *ring)
{
    (void)pthread_cond_destroy(&ring->room); /* fail only when waited on: a bug seen elsewhere */
    (void)pthread_cond_destroy(&ring->more);
    lock_done(&ring->lock);
    free(ring->bytes);
    ring->bytes = NULL;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The free bytes, waited for; 0 when cancelled. */
static size_t wait_room(struct ring *ring, uint64_t *ret_at)
{
    lock_take(&ring->lock);
    while (ring->written - ring->released == RING_SIZE && !ring->cancelled) {
        signal_wait(&ring->room, &ring->lock);
    }
    size_t room = ring->cancelled ? 0 : RING_SIZE - (size_t)(ring->written - ring->released);
    *ret_at = ring->written;
    lock_give(&ring->lock);
    return room;
}

static void publish(struct ring *ring, size_t length)
{
    lock_take(&ring->lock);
    size_t before = (size_t)(ring->written - ring->released);
    ring->written += length;
    bool wake = before < WORTH_WAKING && before + length >= WORTH_WAKING;
    lock_give(&ring->lock);
    if (wake) {
        (void)pthread_cond_signal(&ring->more); /* cannot fail on Linux */
    }
}

void ring_write(struct ring *ring, const void *bytes, size_t length)
{
    const uint8_t *from = bytes;
    while (length > 0) {
        uint64_t at = 0;
        size_t piece = smaller(length, wait_room(ring, &at));
        size_t offset = (size_t)(at % RING_SIZE);
        piece = smaller(piece, RING_SIZE - offset);
        if (piece == 0) {
            return;
        }
        memcpy(ring->bytes + offset, from, piece);
        publish(ring, piece);
        from += piece;
        length -= piece;
    }
}

void ring_end(struct ring *ring)
{
    lock_take(&ring->lock);
    ring->ended = true;
    lock_give(&ring->lock);
    (void)pthread_cond_signal(&ring->more);
}

size_t ring_next(struct ring *ring, const uint8_t **ret)
{
    lock_take(&ring->lock);
    while (ring->written - ring->released < WORTH_WAKING && !ring->ended && !ring->cancelled) {
        signal_wait(&ring->more, &ring->lock);
    }
    size_t ready = ring->cancelled ? 0 : (size_t)(ring->written - ring->released);
    size_t offset = (size_t)(ring->released % RING_SIZE);
    lock_give(&ring->lock);
    *ret = ring->bytes + offset;
    return smaller(smaller(ready, RING_SIZE - offset), PIECE_MAX);
}

void ring_release(struct ring *ring, size_t length)
{
    lock_take(&ring->lock);
    ring->released += length;
    lock_give(&ring->lock);
    (void)pthread_cond_signal(&ring->room);
}

void ring_cancel(struct ring *ring)
{
    lock_take(&ring->lock);
    ring->cancelled = true;
    lock_give(&ring->lock);
    (void)pthread_cond_signal(&ring->room);
    (void)pthread_cond_signal(&ring->more);
}
