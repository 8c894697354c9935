/* SPDX-License-Identifier: Apache-2.0 */
/* Brings one verified image into a directory: room, fetch, resume, mirrors, retries, digest,
 * rename.
 *
 * At the end DIR/<sha256>.img exists, is complete, and its bytes had the digest of its name when
 * they were last read; or it does not exist and the result says why. What is under way is
 * DIR/<sha256>.part with DIR/<sha256>.meta beside it.
 *
 * What a guest is told holds no URL, and whatever goes wrong before a server has answered in HTTP is
 * one message, "no connection to the server": a guest cannot find out what listens where. The
 * partial file stays after download_failed, internal errors and a stop, and is removed after
 * hash_mismatch, too_large and no_space.
 *
 * Threads  download_run blocks the job thread; its callbacks run there. download_library_init: main
 *          thread, before the first thread.
 * Units    bytes.
 * Errors   how it ended is in the result, as the guest is told it; nothing is logged: what an
 * operator should know of an attempt comes through `tell`.
 */
#ifndef HOST_DOWNLOAD_H
#define HOST_DOWNLOAD_H

#include "host/conf/conf.h"
#include "wire/attributes.h"
#include "wire/message.h"

enum {
    DOWNLOAD_MIRRORS_MAX = 5, /* the job's url and up to 4 of those who joined */
    DOWNLOAD_TEXT_MAX = 512,
};

struct download_result {
    bool stopped; /* the daemon stops; the partial file can be resumed. `code` is not set then */
    enum error_code code;         /* ERROR_NONE: DIR/<sha256>.img is there */
    char text[DOWNLOAD_TEXT_MAX]; /* one line for the guest, escaped, no credentials */
};

struct download {
    const struct conf *conf;
    int directory_fd; /* [upgrade] directory */
    uint8_t sha256[SHA256_SIZE];
    int stop_fd; /* readable: stop */
    /* Copies the urls known now, first the one asked for; joiners may add more. Returns the count.
     */
    size_t (*mirrors)(void *context, char urls[DOWNLOAD_MIRRORS_MAX][URL_MAX + 1]);
    /* Bytes stored so far and in all (0: not known), as often as they change. `done` can fall back
     * when a server makes it start again. */
    void (*progress)(void *context, uint64_t done, uint64_t total);
    /* All bytes are there; what remains is the digest of a file that was put together or found. */
    void (*verifying)(void *context);
    /* One attempt failed and another comes: `public_text` is what a guest may see, `journal_text`
     * says all (no credentials in either). */
    void (*tell)(void *context, const char *public_text, const char *journal_text);
    void *context;
};

void download_library_init(void);
void download_run(const struct download *download, struct download_result *ret);

/* Removes what other hashes left in the directory; `keep` may be NULL. */
void download_sweep(int directory_fd, const uint8_t *keep);

#endif
