/* SPDX-License-Identifier: Apache-2.0 */
/* A file that is being downloaded: DIR/<sha256>.part, and DIR/<sha256>.meta with what must be known
 * to go on with it.
 *
 * The note holds the url without user and password, with "?..." for its query, for people; and the
 * SHA-256 of the url with its query but without user and password, by which the same url is known
 * again. So no credentials are stored, and a resume knows a signed url all the same.
 *
 * Threads  one owner.
 * Units    bytes.
 * Errors   0 or -errno; logs nothing.
 * Owner    partial_open opens, partial_close closes; the directory's descriptor is the caller's.
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
    uint64_t durable; /* of these, those that a power cut leaves */
    uint64_t started; /* of these, those whose way to the disk has begun */
    /* Where the bytes come from, as the note has it. */
    char shown_url[URL_MAX + 1];
    char url_id[SHA256_HEX + 1];
    char validator[RESPONSE_VALIDATOR_MAX];
    uint64_t total; /* 0: not known */
};

/* The names of an image's three files. */
void partial_names(const uint8_t sha256[SHA256_SIZE], struct partial *ret);

/* Opens what an earlier run left, cut to what can be trusted: in the same boot the file's length,
 * after another one `durable`; without a readable note nothing. Or begins anew. */
MUST_CHECK int partial_open(int directory_fd, const uint8_t sha256[SHA256_SIZE],
                            struct partial *ret);
void partial_close(struct partial *partial);

/* True if the last bytes came from this url. */
bool partial_is_from(const struct partial *partial, const char *url);

/* Writes down where the next bytes come from. */
MUST_CHECK int partial_note(struct partial *partial, const char *url, const char *validator,
                            uint64_t total);

MUST_CHECK int partial_write(struct partial *partial, const void *bytes, size_t length);

/* Waits until all bytes are on the disk, and notes it. */
MUST_CHECK int partial_sync(struct partial *partial);

/* Back to an empty file whose origin is not known. */
MUST_CHECK int partial_restart(struct partial *partial);

/* Gives blocks back that were reserved and not written. */
void partial_release_disk_space(const struct partial *partial);

/* Makes it durable under the image's name. Once it has that name the descriptor is closed, also where an
 * error is returned. */
MUST_CHECK int partial_publish(struct partial *partial);

/* Removes what is known about it, and nothing else. */
void partial_forget(const struct partial *partial);

/* Removes both files; the descriptor stays until partial_close. */
void partial_remove(const struct partial *partial);

#endif
