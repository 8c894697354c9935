/* SPDX-License-Identifier: Apache-2.0 */
#include "download_world.h"

#include "host/digest.h"
#include "host/policy/address_class.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

uint8_t world_image[IMAGE_SIZE];
uint8_t world_other[IMAGE_SIZE];

void world_prepare(void)
{
    uint32_t random = 1;
    for (size_t i = 0; i < IMAGE_SIZE; i++) {
        random = random * 1664525U + 1013904223U;
        world_image[i] = (uint8_t)(random >> 24);
        world_other[i] = (uint8_t)(world_image[i] ^ 0x55U);
    }
    digest_library_init();
    download_library_init();
}

static void hash(const uint8_t *bytes, size_t length, uint8_t ret[SHA256_SIZE])
{
    struct digest *digest = NULL;
    REQUIRE_EQUAL(digest_new(false, &digest), 0);
    digest_write(digest, bytes, length);
    digest_finish(digest, ret);
    digest_free(digest);
}

static void fill_conf(struct conf *conf)
{
    static char http[] = "http";
    static char no_file[] = "";
    static char *schemes[] = {http, NULL};
    static char *none[] = {NULL};
    conf->upgrade.schemes.items = schemes;
    conf->upgrade.allowed_prefixes.items = none;
    conf->upgrade.refused_addresses = ADDRESS_UNSPECIFIED | ADDRESS_LINK_LOCAL;
    conf->upgrade.ca_file = no_file;
    conf->upgrade.max_bytes = 1 << 30;
    conf->upgrade.max_redirects = 2;
    conf->upgrade.retries = 1;
    conf->upgrade.retry_ms = 1;
    conf->upgrade.connect_ms = 10000;
    conf->upgrade.stall_ms = 10000;
    conf->upgrade.stall_bytes_per_second = 1;
}

struct world *world_new(const struct fault *faults, size_t count)
{
    struct world *world = calloc(1, sizeof *world);
    if (world == NULL) {
        abort();
    }
    (void)snprintf(world->path, sizeof world->path, "/tmp/test_download.XXXXXX");
    REQUIRE_NOT_NULL(mkdtemp(world->path));
    world->conf.upgrade.directory = world->path;
    world->directory_fd = open(world->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    world->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    world->stop_at = UINT64_MAX;
    fill_conf(&world->conf);
    hash(world_image, IMAGE_SIZE, world->sha256);
    fault_server_start(&world->server, faults, count);
    (void)snprintf(world->urls[0], sizeof world->urls[0], "http://127.0.0.1:%d/image",
                   world->server.port);
    world->url_count = 1;
    return world;
}

void world_free(struct world *world)
{
    DIR *directory = opendir(world->path);
    for (const struct dirent *entry = readdir(directory); entry != NULL;
         entry = readdir(directory)) {
        if (entry->d_name[0] != '.' && unlinkat(world->directory_fd, entry->d_name, 0) != 0) {
            (void)unlinkat(world->directory_fd, entry->d_name, AT_REMOVEDIR);
        }
    }
    closedir(directory);
    CHECK_EQUAL(rmdir(world->path), 0);
    fault_server_stop(&world->server);
    close(world->directory_fd);
    close(world->stop_fd);
    free(world);
}

/* --- the download's callbacks --- */

static size_t on_mirrors(void *context, char urls[DOWNLOAD_MIRRORS_MAX][URL_MAX + 1])
{
    const struct world *world = context;
    memcpy(urls, world->urls, sizeof world->urls);
    return world->url_count;
}

static void on_progress(void *context, uint64_t done, uint64_t total)
{
    struct world *world = context;
    world->done = done;
    world->total = total;
    if (done >= world->stop_at) {
        (void)eventfd_write(world->stop_fd, 1);
    }
}

static void on_verifying(void *context)
{
    struct world *world = context;
    world->verifications++;
}

static void on_tell(void *context, const char *public_text, const char *journal_text)
{
    struct world *world = context;
    unsigned at = world->told < WORLD_TOLD_MAX ? world->told : WORLD_TOLD_MAX - 1;
    (void)snprintf(world->public_texts[at], sizeof world->public_texts[at], "%s", public_text);
    (void)snprintf(world->journal_texts[at], sizeof world->journal_texts[at], "%s", journal_text);
    world->told++;
    if (world->stop_on_tell) {
        (void)eventfd_write(world->stop_fd, 1);
    }
}

void world_run(struct world *world, enum error_code code, const char *text)
{
    eventfd_t stops = 0;
    (void)eventfd_read(world->stop_fd, &stops); /* of an earlier run */
    struct download download = {.conf = &world->conf,
                                .directory_fd = world->directory_fd,
                                .stop_fd = world->stop_fd,
                                .mirrors = on_mirrors,
                                .progress = on_progress,
                                .verifying = on_verifying,
                                .report_retry = on_tell,
                                .context = world};
    memcpy(download.sha256, world->sha256, SHA256_SIZE);
    download_run(&download, &world->result);
    CHECK_EQUAL(world->result.stopped, text == NULL);
    if (text != NULL) {
        CHECK_EQUAL(world->result.code, code);
        char expected[FAILURE_TEXT_MAX];
        const char *directory = strstr(text, "DIR");
        int before = directory != NULL ? (int)(directory - text) : (int)strlen(text);
        (void)snprintf(expected, sizeof expected, "%.*s%s%s", before, text,
                       directory != NULL ? world->path : "",
                       directory != NULL ? directory + strlen("DIR") : "");
        CHECK_STRING(world->result.text, expected);
    }
}

/* --- files --- */

static const char *name_of(const struct world *world, const char *suffix)
{
    static char name[SHA256_HEX + 16];
    char hex[SHA256_HEX + 1];
    sha256_format(world->sha256, hex);
    (void)snprintf(name, sizeof name, "%s%s", hex, suffix);
    return name;
}

bool world_has(const struct world *world, const char *suffix)
{
    struct stat status;
    return fstatat(world->directory_fd, name_of(world, suffix), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

void world_write(const struct world *world, const char *suffix, const void *bytes, size_t length)
{
    int fd = openat(world->directory_fd, name_of(world, suffix),
                    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    REQUIRE_COMPARE(fd, >=, 0);
    REQUIRE_EQUAL(write(fd, bytes, length), (ssize_t)length);
    close(fd);
}

void world_read(const struct world *world, const char *suffix, char *out, size_t size)
{
    int fd = openat(world->directory_fd, name_of(world, suffix), O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, out, size - 1);
    out[got > 0 ? got : 0] = '\0';
    if (fd >= 0) {
        close(fd);
    }
}

void world_expect_image(const struct world *world)
{
    static uint8_t bytes[IMAGE_SIZE + 1];
    struct stat status;
    int fd = openat(world->directory_fd, name_of(world, ".img"), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    REQUIRE_COMPARE(fd, >=, 0);
    CHECK_EQUAL(read(fd, bytes, sizeof bytes), IMAGE_SIZE);
    CHECK_BYTES(bytes, world_image, IMAGE_SIZE);
    CHECK_EQUAL(fstat(fd, &status), 0);
    CHECK_EQUAL(status.st_mode, S_IFREG | 0600);
    close(fd);
    CHECK_FALSE(world_has(world, ".part"));
    CHECK_FALSE(world_has(world, ".meta"));
    CHECK_FALSE(world_has(world, ".meta.new"));
}

void world_expect_header(const struct world *world, size_t index, const char *name,
                         const char *value)
{
    const char *has = fault_server_header(&world->server, index, name);
    if (strcmp(has, value) != 0) {
        printf("\n  request %zu, %s: %s, expected %s\n", index, name, has, value);
    }
    CHECK_STRING(has, value);
}
