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
#ifndef HOST_DOWNLOAD_DOWNLOAD_H
#define HOST_DOWNLOAD_DOWNLOAD_H

#include "host/conf/conf.h"
#include "wire/attributes.h"
#include "wire/message.h"

#include <stdbool.h>
#include <stdint.h>

/* When a failed attempt is made again: so many times in a row, each time after twice the wait.
 *
 * Threads  pure functions; chance is passed in.
 * Units    milliseconds.
 */
enum { RETRY_DELAY_MAX_MS = 60000 };

struct retry {
    uint32_t allowed; /* attempts after the first, in a row without progress */
    uint32_t failed;  /* attempts in a row */
    int64_t first_ms;
};

static inline struct retry backoff_of(uint32_t allowed, int64_t first_ms)
{
    return (struct retry){.allowed = allowed, .first_ms = first_ms};
}

/* Counts a failed attempt. False: it was the last. True: wait *delay_ms, at least half of the full
 * time and at most all of it as `chance` has it, so that a thousand hosts do not come back at once.
 * `progressed` says that the attempt brought something, and counting starts anew. */
bool backoff_next(struct retry *retry, bool progressed, uint32_t chance, int64_t *delay_ms);

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

/* The urls of one image, taken in turn; those that will not do are dropped. Joiners add more while
 * the download runs.
 *
 * Threads  one owner.
 * Owner    holds copies.
 */
struct mirrors {
    size_t count;
    size_t next;
    bool dropped[DOWNLOAD_MIRRORS_MAX];
    char urls[DOWNLOAD_MIRRORS_MAX][URL_MAX + 1];
};

/* Takes over the urls that are not known yet, and leaves the others as they are. */
void mirrors_refresh(struct mirrors *mirrors, const struct download *download);

/* The next one's index in turn; -1 when none is left. */
int mirrors_next(struct mirrors *mirrors);

/* How many are left. */
size_t mirrors_left(const struct mirrors *mirrors);

#endif
