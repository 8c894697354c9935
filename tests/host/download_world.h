/* SPDX-License-Identifier: Apache-2.0 */
/* What a test of the download needs around it: a directory, a configuration, a server with faults,
 * and what the download told.
 */
#ifndef TESTS_DOWNLOAD_WORLD_H
#define TESTS_DOWNLOAD_WORLD_H

#include "fault_server.h"
#include "host/download/download.h"
#include "support/unit.h"
#include "wire/number.h"

enum { IMAGE_SIZE = 700000, WORLD_TOLD_MAX = 16 };

/* The image that is asked for, and another one of the same size. */
extern uint8_t world_image[IMAGE_SIZE];
extern uint8_t world_other[IMAGE_SIZE];

struct world {
    char path[64];
    int directory_fd;
    struct conf conf;
    struct fault_server server;
    int stop_fd;
    uint8_t sha256[SHA256_SIZE];
    size_t url_count;
    char urls[DOWNLOAD_MIRRORS_MAX][URL_MAX + 1];
    uint64_t stop_at;  /* bytes done at which the daemon stops; UINT64_MAX: never */
    bool stop_on_tell; /* it stops when an attempt has failed */
    struct download_result result;
    uint64_t done;
    uint64_t total;
    unsigned verifications;
    unsigned told;
    char public_texts[WORLD_TOLD_MAX][FAILURE_TEXT_MAX];
    char journal_texts[WORLD_TOLD_MAX][4096];
};

/* Makes the images; once, before the first world. */
void world_prepare(void);

/* A fresh world whose server has these faults; world.urls[0] is its /image. */
struct world *world_new(const struct fault *faults, size_t count);
void world_free(struct world *world);

/* Downloads, and checks how it ended: code and text, in which DIR stands for the directory; or stopped
 * for NULL. */
void world_run(struct world *world, enum error_code code, const char *text);

/* The image is there, and nothing else. */
void world_expect_image(const struct world *world);

/* There is a file DIR/<sha256><suffix>. */
bool world_has(const struct world *world, const char *suffix);
void world_write(const struct world *world, const char *suffix, const void *bytes, size_t length);
/* Reads a file's beginning as text. */
void world_read(const struct world *world, const char *suffix, char *out, size_t size);

/* Header `name` of the server's request `index` is `value`; "": absent. */
void world_expect_header(const struct world *world, size_t index, const char *name,
                         const char *value);

#endif
