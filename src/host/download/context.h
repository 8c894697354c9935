/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be downloaded, and who is told of it: shared by all rooms of the download. */
#ifndef HOST_DOWNLOAD_CONTEXT_H
#define HOST_DOWNLOAD_CONTEXT_H

#include "host/conf/conf.h"
#include "wire/message.h"

#include <stddef.h>
#include <stdint.h>

enum { DOWNLOAD_MIRRORS_MAX = 5 }; /* the requested url and up to 4 of guests who joined */

struct download {
    const struct conf *conf;
    int directory_fd; /* [upgrade] directory */
    uint8_t sha256[SHA256_SIZE];
    int stop_fd; /* readable: stop */
    /* Copies the urls known now, the requested one first. Returns the count. */
    size_t (*mirrors)(void *context, char urls[DOWNLOAD_MIRRORS_MAX][URL_MAX + 1]);
    /* Bytes stored and in all (0: not known), at every change. `done` decreases when a server makes
     * the download start over. */
    void (*progress)(void *context, uint64_t done, uint64_t total);
    /* All bytes are stored; the digest of an assembled or existing file is being computed. */
    void (*verifying)(void *context);
    /* An attempt failed: `public_text` is what a guest may see, `journal_text` has the details. No
     * credentials are in either. */
    void (*report_retry)(void *context, const char *public_text, const char *journal_text);
    void *context;
};

#endif
