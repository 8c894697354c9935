/* SPDX-License-Identifier: Apache-2.0 */
#include "host/download/partial.h"

#include "host/digest.h"
#include "host/policy/url_policy.h"
#include "wire/number.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    /* Writeback is started for this many bytes at once. */
    WRITE_BEHIND = 8 << 20,
    FILE_MODE = 0600,
};

void partial_names(const uint8_t sha256[SHA256_SIZE], struct partial *ret)
{
    char hex[SHA256_HEX + 1];
    sha256_format(sha256, hex);
    (void)snprintf(ret->name, sizeof ret->name, "%s.part", hex);
    (void)snprintf(ret->meta, sizeof ret->meta, "%s.meta", hex);
    (void)snprintf(ret->image, sizeof ret->image, "%s.img", hex);
}

/* --- the note --- */

static int hash_url(const char *url, char out[SHA256_HEX + 1])
{
    char identity[2 * URL_MAX];
    uint8_t sha256[SHA256_SIZE];
    struct digest *digest = NULL;
    int error = url_identity(url, identity, sizeof identity);
    if (error == 0) {
        error = digest_new(false, &digest);
    }
    if (error != 0) {
        return error;
    }
    digest_write(digest, identity, strlen(identity));
    digest_finish(digest, sha256);
    digest_free(digest);
    sha256_format(sha256, out);
    return 0;
}

static int write_note(const struct partial *partial)
{
    struct keyfile note;
    keyfile_init(&note);
    keyfile_set(&note, "url", partial->shown_url);
    keyfile_set(&note, "url_sha256", partial->url_id);
    keyfile_set(&note, "validator", partial->validator);
    keyfile_set_number(&note, "total", partial->total);
    keyfile_set_number(&note, "durable", partial->durable);
    keyfile_set(&note, "boot_id", partial->boot_id);
    return keyfile_write(&note, partial->directory_fd, partial->meta, FILE_MODE);
}

/* How many bytes the note vouches for; 0 without a valid note. */
static uint64_t read_note(struct partial *partial)
{
    struct keyfile note;
    struct partial read = *partial;
    char boot_id[BOOT_ID_SIZE];
    if (keyfile_read(partial->directory_fd, partial->meta, &note) != 0 ||
        keyfile_get(&note, "url", read.shown_url, sizeof read.shown_url) != 0 ||
        keyfile_get(&note, "url_sha256", read.url_id, sizeof read.url_id) != 0 ||
        keyfile_get(&note, "validator", read.validator, sizeof read.validator) != 0 ||
        keyfile_get_number(&note, "total", &read.total) != 0 ||
        keyfile_get_number(&note, "durable", &read.durable) != 0 ||
        keyfile_get(&note, "boot_id", boot_id, sizeof boot_id) != 0) {
        return 0;
    }
    *partial = read;
    bool same_boot = boot_id[0] != '\0' && strcmp(boot_id, partial->boot_id) == 0;
    return same_boot ? UINT64_MAX : partial->durable;
}

/* --- opening --- */

static int file_length(int fd, uint64_t *ret)
{
    struct stat status;
    if (fstat(fd, &status) != 0) {
        return -errno;
    }
    if (!S_ISREG(status.st_mode)) {
        return -EEXIST;
    }
    *ret = (uint64_t)status.st_size;
    return 0;
}

static int open_stored(struct partial *partial)
{
    uint64_t length = 0;
    int error = file_length(partial->fd, &length);
    if (error != 0) {
        return error;
    }
    uint64_t vouched = read_note(partial);
    partial->length = length < vouched ? length : vouched;
    if (partial->total != 0 && partial->length > partial->total) {
        partial->length = 0; /* the note is about another file */
    }
    if (partial->length == 0) {
        return partial_restart(partial);
    }
    if (partial->durable > partial->length) {
        partial->durable = partial->length;
    }
    partial->started = partial->durable;
    return ftruncate(partial->fd, (off_t)partial->length) != 0 ? -errno : 0;
}

int partial_open(int directory_fd, const uint8_t sha256[SHA256_SIZE], struct partial *ret)
{
    struct partial partial = {.directory_fd = directory_fd};
    partial_names(sha256, &partial);
    if (boot_id_read(partial.boot_id) != 0) {
        partial.boot_id[0] = '\0'; /* every start then counts as another boot */
    }
    partial.fd = openat(directory_fd, partial.name,
                        O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, FILE_MODE);
    if (partial.fd < 0) {
        return -errno;
    }
    int error = open_stored(&partial);
    if (error != 0) {
        partial_close(&partial);
        return error;
    }
    *ret = partial;
    return 0;
}

void partial_close(struct partial *partial)
{
    file_close(partial->fd); /* synced before */
    partial->fd = -1;
}

bool partial_is_from(const struct partial *partial, const char *url)
{
    char id[SHA256_HEX + 1];
    return partial->length > 0 && hash_url(url, id) == 0 && strcmp(id, partial->url_id) == 0;
}

int partial_note(struct partial *partial, const char *url, const char *validator, uint64_t total)
{
    int error = hash_url(url, partial->url_id);
    if (error != 0) {
        return error;
    }
    url_show(url, partial->shown_url, sizeof partial->shown_url);
    (void)snprintf(partial->validator, sizeof partial->validator, "%s", validator);
    partial->total = total;
    return write_note(partial);
}

/* --- bytes --- */

/* Starts writeback, so that fdatasync is short; it also reports the errors. */
static void start_writeback(struct partial *partial)
{
    if (partial->length - partial->started >= WRITE_BEHIND) {
        (void)sync_file_range(partial->fd, (off_t)partial->started,
                              (off_t)(partial->length - partial->started), SYNC_FILE_RANGE_WRITE);
        partial->started = partial->length;
    }
}

int partial_write(struct partial *partial, const void *bytes, size_t length)
{
    const char *from = bytes;
    while (length > 0) {
        ssize_t done = pwrite(partial->fd, from, length, (off_t)partial->length);
        if (done < 0 && errno != EINTR) {
            return -errno;
        }
        if (done > 0) {
            from += done;
            length -= (size_t)done;
            partial->length += (uint64_t)done;
        }
    }
    start_writeback(partial);
    return 0;
}

int partial_sync(struct partial *partial)
{
    if (fdatasync(partial->fd) != 0) {
        return -errno;
    }
    partial->durable = partial->length;
    partial->started = partial->length;
    return write_note(partial);
}

int partial_restart(struct partial *partial)
{
    if (ftruncate(partial->fd, 0) != 0) {
        return -errno;
    }
    partial->length = 0;
    partial->durable = 0;
    partial->started = 0;
    partial->shown_url[0] = '\0';
    partial->url_id[0] = '\0';
    partial->validator[0] = '\0';
    partial->total = 0;
    return 0;
}

void partial_release_disk_space(const struct partial *partial)
{
    /* Blocks behind the end are freed too. */
    if (ftruncate(partial->fd, (off_t)partial->length) != 0) {
        return; /* they are freed with the file */
    }
}

/* --- the end --- */

void partial_forget(const struct partial *partial)
{
    char unfinished[PARTIAL_NAME_SIZE + sizeof ".new"]; /* left by keyfile_write if killed */
    (void)snprintf(unfinished, sizeof unfinished, "%s.new", partial->meta);
    /* What cannot be removed is swept later. */
    (void)unlinkat(partial->directory_fd, unfinished, 0);
    (void)unlinkat(partial->directory_fd, partial->meta, 0);
}

int partial_publish(struct partial *partial)
{
    partial_release_disk_space(partial);
    if (fsync(partial->fd) != 0 || renameat(partial->directory_fd, partial->name,
                                            partial->directory_fd, partial->image) != 0) {
        return -errno;
    }
    partial_close(partial); /* an image needs no note */
    int error = fsync(partial->directory_fd) != 0 ? -errno : 0;
    partial_forget(partial); /* last: a power loss must not leave the part without its note */
    return error;
}

void partial_remove(const struct partial *partial)
{
    partial_forget(partial);
    /* What cannot be removed is truncated or swept later. */
    (void)unlinkat(partial->directory_fd, partial->name, 0);
}

static bool is_ending(const char *ending)
{
    static const char *const endings[] = {".part", ".meta", ".meta.new", ".img"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (strcmp(ending, endings[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* True for a file of another hash. */
static bool is_left_over(const char *name, const uint8_t *keep)
{
    uint8_t sha256[SHA256_SIZE];
    if (strlen(name) <= SHA256_HEX || !is_ending(name + SHA256_HEX) ||
        sha256_parse((struct text){name, SHA256_HEX}, sha256) != 0) {
        return false;
    }
    return keep == NULL || memcmp(sha256, keep, SHA256_SIZE) != 0;
}

void partial_sweep(int directory_fd, const uint8_t *keep)
{
    /* Another descriptor, since closedir closes it. */
    int fd = file_open_directory(directory_fd, ".");
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (directory == NULL) {
        file_close(fd);
        return; /* repeated before the next download */
    }
    const struct dirent *entry = readdir(directory);
    while (entry != NULL) {
        if (is_left_over(entry->d_name, keep)) {
            (void)unlinkat(directory_fd, entry->d_name, 0); /* as above */
        }
        entry = readdir(directory);
    }
    (void)closedir(directory); /* nothing was written */
}
