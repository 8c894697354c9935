/* SPDX-License-Identifier: Apache-2.0 */
/* A partly downloaded file: DIR/<sha256>.part, and the note DIR/<sha256>.meta that is needed to resume it.
 *
 * The note holds the url without user, password and query, for people, and the SHA-256 of the url
 * without user and password, to recognise it. So no credentials are stored, and a signed url can be
 * resumed.
 *
 * Errors   0 or -errno; logs nothing.
 * Owner    the directory's descriptor is the caller's.
 */
#ifndef HOST_DOWNLOAD_PARTIAL_H
#define HOST_DOWNLOAD_PARTIAL_H

#include "host/download/response.h"
#include "host/keyfile.h"
#include "wire/attributes.h"
#include "wire/number.h"

#include <stdbool.h>
#include <stdint.h>

enum { PARTIAL_NAME_SIZE = SHA256_HEX + sizeof ".part" };

struct partial {
    int directory_fd;
    int fd;
    char name[PARTIAL_NAME_SIZE];  /* <sha256>.part */
    char meta[PARTIAL_NAME_SIZE];  /* <sha256>.meta */
    char image[PARTIAL_NAME_SIZE]; /* <sha256>.img */
    char boot_id[BOOT_ID_SIZE];
    uint64_t length;  /* bytes in the file */
    uint64_t durable; /* of these, bytes that survive a power loss */
    uint64_t started; /* of these, bytes whose writeback was started */
    /* The source of the bytes, as in the note. */
    char shown_url[URL_MAX + 1];
    char url_id[SHA256_HEX + 1];
    char validator[RESPONSE_VALIDATOR_MAX];
    uint64_t total; /* 0: not known */
};

/* The names of an image's three files. */
void partial_names(const uint8_t sha256[SHA256_SIZE], struct partial *ret);

/* Opens the part that an earlier run stored, or a new one. It is truncated to what can be trusted: its
 * length in the same boot, `durable` after another one, 0 without a readable note. */
MUST_CHECK int partial_open(int directory_fd, const uint8_t sha256[SHA256_SIZE],
                            struct partial *ret);
void partial_close(struct partial *partial);

/* True if the last bytes came from this url. */
bool partial_is_from(const struct partial *partial, const char *url);

/* Writes the note: the source of the next bytes. */
MUST_CHECK int partial_note(struct partial *partial, const char *url, const char *validator,
                            uint64_t total);

MUST_CHECK int partial_write(struct partial *partial, const void *bytes, size_t length);

/* Waits until all bytes are on the disk, then writes the note. */
MUST_CHECK int partial_sync(struct partial *partial);

/* Empties the file and forgets its source. */
MUST_CHECK int partial_restart(struct partial *partial);

/* Frees blocks that were reserved and not written. */
void partial_release_disk_space(const struct partial *partial);

/* Makes the file durable under the image's name. Once it has that name the descriptor is closed, even if
 * an error is returned. */
MUST_CHECK int partial_publish(struct partial *partial);

/* Removes the note. */
void partial_forget(const struct partial *partial);

/* Removes both files; the descriptor stays open. */
void partial_remove(const struct partial *partial);

/* Removes the files of other hashes from the directory; `keep` may be NULL. */
void partial_sweep(int directory_fd, const uint8_t *keep);

#endif
