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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/attributes.h"
#include "wire/message.h"

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
