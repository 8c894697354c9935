/* SPDX-License-Identifier: Apache-2.0 */
/* Takes the bytes of a download: writes and hashes them, keeps within the limits on size and room,
 * makes them durable now and then, and tells how far it is.
 *
 * Threads  one owner; the digest has a thread of its own inside.
 * Units    bytes.
 * Errors   0 or -errno, with the reason in `failure`.
 */
#ifndef HOST_DOWNLOAD_STORE_H
#define HOST_DOWNLOAD_STORE_H

#include "host/digest.h"
#include "host/download/failure.h"
#include "host/download/partial.h"
#include "wire/attributes.h"

#include <stdint.h>

/* Room on the file system of a download.
 *
 * Threads  any.
 * Units    bytes.
 * Errors   0 or -errno; -ENOSPC: not enough, with `keep_free` left over.
 */
/* What can be written by us, without what is kept for root. */
MUST_CHECK int disk_space_free(int fd, uint64_t *ret);

/* -ENOSPC if less than `keep_free` is free now. */
MUST_CHECK int disk_space_check(int fd, uint64_t keep_free);

/* Reserves blocks for a file of `total` bytes without changing its length. Where the file system
 * cannot, the room is only checked. */
MUST_CHECK int disk_space_reserve(int fd, uint64_t total, uint64_t keep_free);

struct store {
    const struct download *download;
    struct failure *failure; /* where reasons go */
    struct partial partial;
    struct digest *digest; /* of the bytes in the file */
    uint8_t *batch;        /* what came and is not in the file yet */
    size_t batched;
    uint64_t high_water; /* the longest that the file has been in this fetch */
    uint64_t checked;    /* the file's length when the room was last looked at */
    int64_t synced_ms;
    bool multi_source; /* its bytes are from more than one answer */
    bool whole;        /* all bytes are there */
};

/* Opens the file and hashes what an earlier run left in it. On failure nothing is left open. */
MUST_CHECK int store_open(const struct download *download, struct failure *failure,
                          struct store *ret);
/* Leaves it so that a later run can go on, as far as the disk allows. */
void store_close(struct store *store);
/* Leaves nothing. */
void store_discard(struct store *store);

/* An answer begins, with the whole file or with the rest of it. */
MUST_CHECK int store_begin(struct store *store, const char *url, const char *validator,
                           uint64_t total, bool rest);
MUST_CHECK int store_take(struct store *store, const void *bytes, size_t length);
/* Nothing more has come for now: what came goes into the file. */
MUST_CHECK int store_flush(struct store *store);

/* The answer has ended in order: as store_flush, and the file is whole if its size was not known.
 */
MUST_CHECK int store_end(struct store *store);

/* Throws away what is there. */
MUST_CHECK int store_restart(struct store *store);

/* The SHA-256 of what is there; after it comes store_restart, store_publish or the end. */
void store_digest(struct store *store, uint8_t ret[SHA256_SIZE]);
MUST_CHECK int store_publish(struct store *store);

/* True if the daemon stops; takes a pointer to the descriptor, as digest_file hands it on. */
bool store_stops(void *stop_fd);

#endif
