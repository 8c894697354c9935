/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 by libgcrypt, inline or in a thread of its own behind a bounded ring, so that hashing
 * runs beside a download instead of in its way.
 *
 * Threads  digest_library_init before the first thread; a digest belongs to one caller. A threaded
 *          digest has one thread of its own, which digest_finish and digest_free join.
 * Units    bytes.
 * Errors   0 or -errno; logs nothing.
 * Owner    digest_write copies; the caller's bytes are free when it returns.
 */
#ifndef HOST_DIGEST_H
#define HOST_DIGEST_H

#include "host/lock.h"
#include "wire/attributes.h"
#include "wire/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A bounded ring of bytes between one writer and one reader thread.
 *
 * Threads  ring_write, ring_end: the writer. ring_next, ring_release: the reader. ring_cancel: any.
 * Lock     one, rank 5 (ranks: main.c). Bytes are copied and read with no lock held.
 * Units    bytes.
 * Owner    what ring_next shows stays the ring's, until ring_release.
 */
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

struct digest;

void digest_library_init(void);

MUST_CHECK int digest_new(bool threaded, struct digest **ret);
/* Waits only while the ring is full. */
void digest_write(struct digest *digest, const void *bytes, size_t length);
/* Waits for the last byte; the digest can then only be freed. */
void digest_finish(struct digest *digest, uint8_t ret[SHA256_SIZE]);
struct digest *digest_free(struct digest *digest);

/* Hashes `length` bytes of a file from offset 0 (whole file: UINT64_MAX) into a digest, without
 * moving the file's offset. `stop` is asked every few MiB; true ends it with -ECANCELED. -ENODATA
 * when the file is shorter than `length`. */
MUST_CHECK int digest_file(struct digest *digest, int fd, uint64_t length,
                           bool (*stop)(void *context), void *context);

#endif
