/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads one image into a directory and verifies it: disk space, resume, mirrors, retries, digest.
 *
 * On success DIR/<sha256>.img is complete and its bytes had that digest when they were last read. A
 * download in progress is DIR/<sha256>.part, with DIR/<sha256>.meta beside it. The part is kept after
 * download_failed, internal errors and a stop, and removed after hash_mismatch, too_large and no_space.
 *
 * No text for the guest holds a URL, and every failure before a server has answered in HTTP is one
 * message, "no connection to the server": a guest cannot find out what listens where.
 *
 * Threads  download_run blocks the job thread; its callbacks run there. download_library_init: main
 *          thread, before the first thread.
 * Errors   in the result; logs nothing: details of a failed attempt go through `report_retry`.
 */
#ifndef HOST_DOWNLOAD_DOWNLOAD_H
#define HOST_DOWNLOAD_DOWNLOAD_H

#include "host/download/context.h"
#include "host/download/failure.h"
#include "wire/message.h"

#include <stdbool.h>
#include <stdint.h>

struct download_result {
    bool stopped;                /* the daemon stops; the part can be resumed, `code` is not set */
    enum error_code code;        /* ERROR_NONE: DIR/<sha256>.img exists */
    char text[FAILURE_TEXT_MAX]; /* one line for the guest, escaped, no credentials */
};

void download_library_init(void);
void download_run(const struct download *download, struct download_result *ret);

/* --- parts of download.c that are tested alone --- */

enum { BACKOFF_MAX_MS = 60000 };

struct backoff {
    uint32_t allowed; /* attempts after the first, in a row without progress */
    uint32_t failed;  /* attempts in a row */
    int64_t first_ms;
};

/* Counts a failed attempt. False: it was the last. True: wait *delay_ms, from half of the doubled delay
 * to all of it, as `chance` selects, so that a thousand hosts do not come back at once. `progressed`
 * restarts the count. */
bool backoff_next(struct backoff *backoff, bool progressed, uint32_t chance, int64_t *delay_ms);

/* The urls of one image, used in turn. */
struct mirrors {
    size_t count;
    size_t next;
    bool dropped[DOWNLOAD_MIRRORS_MAX];
    char urls[DOWNLOAD_MIRRORS_MAX][URL_MAX + 1];
};

/* Adds the urls that are not known yet. */
void mirrors_refresh(struct mirrors *mirrors, const struct download *download);
/* The index of the next one; -1 when none is left. */
int mirrors_next(struct mirrors *mirrors);
size_t mirrors_left(const struct mirrors *mirrors);

#endif
