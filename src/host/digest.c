/* SPDX-License-Identifier: Apache-2.0 */
#include "host/digest.h"

#include "host/watchdog.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <gcrypt.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

enum {
    READ_SIZE = 256 << 10,
    READS_PER_QUESTION = 16, /* `stop` is asked every 4 MiB */
};

struct digest {
    gcry_md_hd_t context; /* the thread's while it runs, else the caller's */
    bool threaded;
    bool running;
    pthread_t thread;
    struct ring ring; /* only if threaded */
};

void digest_library_init(void)
{
    /* Nothing secret is hashed: locked memory is not needed, and not allowed in the sandbox. */
    (void)gcry_check_version(NULL); /* initialises; any version knows SHA-256 */
    (void)gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    (void)gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
}

static void *run(void *context)
{
    struct digest *digest = context;
    const uint8_t *bytes = NULL;
    watchdog_enter("digest", 0);
    size_t length = ring_next(&digest->ring, &bytes);
    while (length > 0) {
        watchdog_expect("hashing", WATCHDOG_QUICK);
        gcry_md_write(digest->context, bytes, length);
        ring_release(&digest->ring, length);
        watchdog_idle();
        length = ring_next(&digest->ring, &bytes);
    }
    watchdog_leave();
    return NULL;
}

static int start_thread(struct digest *digest)
{
    int error = ring_init(&digest->ring);
    if (error != 0) {
        return error;
    }
    error = pthread_create(&digest->thread, NULL, run, digest);
    if (error != 0) {
        ring_done(&digest->ring);
        return -error;
    }
    (void)pthread_setname_np(digest->thread, "digest"); /* a name is a convenience */
    digest->threaded = true;
    digest->running = true;
    return 0;
}

static void join(struct digest *digest)
{
    int error = pthread_join(digest->thread, NULL);
    assert(error == 0);
    (void)error; /* NDEBUG */
    digest->running = false;
}

int digest_new(bool threaded, struct digest **ret)
{
    struct digest *digest = calloc(1, sizeof *digest);
    if (digest == NULL) {
        return -ENOMEM;
    }
    if (gcry_md_open(&digest->context, GCRY_MD_SHA256, 0) != 0) {
        free(digest);
        return -ENOMEM; /* SHA-256 is always there: nothing else can be missing */
    }
    int error = threaded ? start_thread(digest) : 0;
    if (error != 0) {
        digest_free(digest);
        return error;
    }
    *ret = digest;
    return 0;
}

void digest_write(struct digest *digest, const void *bytes, size_t length)
{
    if (digest->threaded) {
        ring_write(&digest->ring, bytes, length);
    } else {
        gcry_md_write(digest->context, bytes, length);
    }
}

void digest_finish(struct digest *digest, uint8_t ret[SHA256_SIZE])
{
    if (digest->running) {
        ring_end(&digest->ring);
        join(digest);
    }
    memcpy(ret, gcry_md_read(digest->context, GCRY_MD_SHA256), SHA256_SIZE);
}

struct digest *digest_free(struct digest *digest)
{
    if (digest == NULL) {
        return NULL;
    }
    if (digest->running) {
        ring_cancel(&digest->ring);
        join(digest);
    }
    if (digest->threaded) {
        ring_done(&digest->ring);
    }
    gcry_md_close(digest->context);
    free(digest);
    return NULL;
}

/* 0 at the end of the file. */
static ssize_t read_piece(int fd, uint8_t *buffer, size_t length, uint64_t offset)
{
    ssize_t got = pread(fd, buffer, length, (off_t)offset);
    while (got < 0 && errno == EINTR) {
        got = pread(fd, buffer, length, (off_t)offset);
    }
    return got < 0 ? -errno : got;
}

static int hash_file(struct digest *digest, int fd, uint64_t length, uint8_t *buffer,
                     bool (*stop)(void *context), void *context)
{
    uint64_t offset = 0;
    for (unsigned reads = 0; offset < length; reads++) {
        if (reads % READS_PER_QUESTION == 0) {
            watchdog_expect("hashing a file", WATCHDOG_DISK_MS); /* of any size, on any disk */
            if (stop != NULL && stop(context)) {
                return -ECANCELED;
            }
        }
        size_t wanted = length - offset < READ_SIZE ? (size_t)(length - offset) : READ_SIZE;
        ssize_t got = read_piece(fd, buffer, wanted, offset);
        if (got <= 0) {
            bool whole = got == 0 && length == UINT64_MAX;
            return whole ? 0 : (got == 0 ? -ENODATA : (int)got);
        }
        digest_write(digest, buffer, (size_t)got);
        offset += (uint64_t)got;
    }
    return 0;
}

int digest_file(struct digest *digest, int fd, uint64_t length, bool (*stop)(void *context),
                void *context)
{
    uint8_t *buffer = malloc(READ_SIZE);
    if (buffer == NULL) {
        return -ENOMEM;
    }
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* a hint */
    int error = hash_file(digest, fd, length, buffer, stop, context);
    free(buffer);
    return error;
}
