/* SPDX-License-Identifier: Apache-2.0 */
/* Writes and hashes the bytes of a download, keeps the limits on size and disk space, makes the bytes
 * durable periodically, and reports the progress.
 *
 * Errors   0 or -errno, with the reason in `failure`.
 */
#ifndef HOST_DOWNLOAD_STORE_H
#define HOST_DOWNLOAD_STORE_H

#include "host/digest.h"
#include "host/download/context.h"
#include "host/download/failure.h"
#include "host/download/partial.h"
#include "wire/attributes.h"

#include <stdint.h>

/* Reserves blocks for a file of `total` bytes without changing its length; where the file system cannot,
 * the space is only checked. -ENOSPC: less than that and `keep_free` is free. */
MUST_CHECK int disk_space_reserve(int fd, uint64_t total, uint64_t keep_free);

struct store {
    const struct download *download;
    struct failure *failure; /* the reason of the last error */
    struct partial partial;
    struct digest *digest; /* of the bytes in the file */
    uint8_t *batch;        /* received, not written yet */
    size_t batched;
    uint64_t high_water; /* the longest that the file has been in this fetch */
    uint64_t checked;    /* the file's length at the last check of the disk space */
    int64_t synced_ms;
    bool multi_source; /* its bytes are from more than one response */
    bool whole;        /* all bytes are stored */
};

/* Opens the part and hashes what an earlier run stored. On failure nothing is left open. */
MUST_CHECK int store_open(const struct download *download, struct failure *failure,
                          struct store *ret);
/* Keeps the part for a later run. */
void store_close(struct store *store);
/* Removes the part. */
void store_discard(struct store *store);

/* A response begins, with the whole file or with the rest of it. */
MUST_CHECK int store_begin(struct store *store, const char *url, const char *validator,
                           uint64_t total, bool rest);
MUST_CHECK int store_take(struct store *store, const void *bytes, size_t length);
/* Writes the batch. */
MUST_CHECK int store_flush(struct store *store);

/* The response ended properly: as store_flush, and the file is whole if its size was not known. */
MUST_CHECK int store_end(struct store *store);

/* Empties the file. */
MUST_CHECK int store_restart(struct store *store);

/* The SHA-256 of the file; only store_restart, store_publish or the end may follow. */
void store_digest(struct store *store, uint8_t ret[SHA256_SIZE]);
MUST_CHECK int store_publish(struct store *store);

/* True if the daemon stops; `stop_fd` points to the descriptor (the callback of digest_file). */
bool store_stops(void *stop_fd);

#endif
