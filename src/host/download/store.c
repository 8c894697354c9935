/* SPDX-License-Identifier: Apache-2.0 */
#include "host/download/store.h"

#include "wire/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum { STAT_BLOCK = 512 /* the unit of st_blocks, on every file system */ };

/* Bytes that a process without privilege may still write. */
static int get_free(int fd, uint64_t *ret)
{
    struct statvfs file_system;
    if (fstatvfs(fd, &file_system) != 0) {
        return -errno;
    }
    *ret = (uint64_t)file_system.f_bavail * file_system.f_frsize;
    return 0;
}

/* -ENOSPC if fewer than `more` and `keep_free` bytes are free. */
static int check_free(int fd, uint64_t more, uint64_t keep_free)
{
    uint64_t free_bytes = 0;
    int error = get_free(fd, &free_bytes);
    if (error != 0) {
        return error;
    }
    return free_bytes < keep_free || free_bytes - keep_free < more ? -ENOSPC : 0;
}

int disk_space_reserve(int fd, uint64_t total, uint64_t keep_free)
{
    struct stat status;
    if (fstat(fd, &status) != 0) {
        return -errno;
    }
    uint64_t has = (uint64_t)status.st_blocks * STAT_BLOCK;
    int error = check_free(fd, total > has ? total - has : 0, keep_free);
    if (error != 0 || total == 0 || fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)total) == 0) {
        return error;
    }
    /* Without the reservation a write fails when the disk is full. */
    return errno == EOPNOTSUPP || errno == ENOSYS || errno == EINTR ? 0 : -errno;
}

enum {
    BATCH_SIZE = 256 << 10, /* a write, a piece for the digest */
    CHECK_BYTES = 16 << 20, /* between two checks of the disk space */
    SYNC_BYTES = 64 << 20,  /* made durable after so many bytes, or */
    SYNC_MS = 5000,         /* after this time */
};

bool store_stops(void *stop_fd)
{
    const int *fd = stop_fd;
    struct pollfd stop = {.fd = *fd, .events = POLLIN};
    return poll(&stop, 1, 0) > 0;
}

static void report_progress(const struct store *store)
{
    const struct download *download = store->download;
    download->progress(download->context, store->partial.length, store->partial.total);
}

/* --- opening --- */

static int hash_stored(struct store *store)
{
    const struct download *download = store->download;
    struct partial *partial = &store->partial;
    int stop_fd = download->stop_fd;
    if (partial->length == 0) {
        return 0;
    }
    store->multi_source = true; /* with the next response at the latest */
    store->high_water = partial->length;
    store->whole = partial->length == partial->total;
    report_progress(store);
    if (store->whole) {
        download->verifying(download->context);
    }
    return digest_file(store->digest, partial->fd, partial->length, store_stops, &stop_fd);
}

/* A disk that cannot return the bytes now will not later: they are removed and fetched again. */
static int replace_unreadable(struct store *store, int error)
{
    char text[FAILURE_TEXT_MAX];
    const struct download *download = store->download;
    (void)snprintf(text, sizeof text, "the stored part cannot be read: %s; starting over",
                   strerror(-error));
    download->report_retry(download->context, text, text);
    partial_remove(&store->partial);
    partial_close(&store->partial);
    error = partial_open(download->directory_fd, download->sha256, &store->partial);
    if (error != 0) {
        return failure_set_file(store->failure, error, "open");
    }
    store->high_water = 0;
    return store_restart(store);
}

static int take_stored(struct store *store)
{
    int error = hash_stored(store);
    if (error == -ECANCELED) {
        store->failure->scope = FAILURE_STOP;
        return error;
    }
    if (failure_is_shortage(error)) {
        return failure_set_file(store->failure, error, "read");
    }
    return error != 0 ? replace_unreadable(store, error) : 0;
}

static int prepare(struct store *store)
{
    store->batch = malloc(BATCH_SIZE);
    int error = store->batch == NULL ? -ENOMEM : digest_new(true, &store->digest);
    if (error != 0) {
        return failure_set_file(store->failure, error, "prepare");
    }
    return take_stored(store);
}

static void dispose(struct store *store)
{
    partial_close(&store->partial);
    store->digest = digest_free(store->digest);
    free(store->batch);
    store->batch = NULL;
}

int store_open(const struct download *download, struct failure *failure, struct store *ret)
{
    struct store store = {.download = download, .failure = failure, .synced_ms = clock_ms()};
    int error = partial_open(download->directory_fd, download->sha256, &store.partial);
    if (error != 0) {
        return failure_set_file(failure, error, "open");
    }
    error = prepare(&store);
    if (error != 0) {
        dispose(&store);
        return error;
    }
    *ret = store;
    return 0;
}

static void save(struct store *store)
{
    if (store->partial.length > store->partial.durable && store->partial.url_id[0] != '\0') {
        int error = partial_sync(&store->partial);
        (void)error; /* the next run resumes from an earlier byte */
    }
    partial_release_disk_space(&store->partial);
}

void store_close(struct store *store)
{
    if (store->partial.fd >= 0) {
        save(store);
    }
    dispose(store);
}

void store_discard(struct store *store)
{
    partial_remove(&store->partial);
    dispose(store);
}

/* --- limits --- */

static int refuse_size(struct store *store, uint64_t more)
{
    uint64_t free_bytes = 0;
    if (get_free(store->partial.fd, &free_bytes) != 0) {
        free_bytes = 0; /* shown as such */
    }
    return failure_set(store->failure, FAILURE_FINAL, ERROR_NO_SPACE,
                       "the image needs %" PRIu64 " more bytes in %s and %" PRIu64
                       " must stay free ([upgrade] keep_free); %" PRIu64 " are free",
                       more, store->failure->directory, store->download->conf->upgrade.keep_free,
                       free_bytes);
}

static int reserve(struct store *store, uint64_t total)
{
    uint64_t more = total > store->partial.length ? total - store->partial.length : 0;
    int error =
        disk_space_reserve(store->partial.fd, total, store->download->conf->upgrade.keep_free);
    if (error == -ENOSPC) {
        return refuse_size(store, more);
    }
    return error != 0 ? failure_set_file(store->failure, error, "reserve disk space") : 0;
}

static int check_space(struct store *store)
{
    if (store->partial.length - store->checked < CHECK_BYTES) {
        return 0;
    }
    store->checked = store->partial.length;
    int error = check_free(store->partial.fd, 0, store->download->conf->upgrade.keep_free);
    if (error == -ENOSPC) {
        uint64_t total = store->partial.total;
        return refuse_size(store, total > store->checked ? total - store->checked : 0);
    }
    return error != 0 ? failure_set_file(store->failure, error, "check the disk space") : 0;
}

/* --- bytes --- */

int store_restart(struct store *store)
{
    struct digest *fresh = NULL;
    int error = digest_new(true, &fresh);
    if (error == 0) {
        digest_free(store->digest);
        store->digest = fresh;
        error = partial_restart(&store->partial);
    }
    store->batched = 0;
    store->checked = 0;
    store->multi_source = false;
    store->whole = false;
    return error != 0 ? failure_set_file(store->failure, error, "truncate") : 0;
}

int store_begin(struct store *store, const char *url, const char *validator, uint64_t total,
                bool rest)
{
    if (total > store->download->conf->upgrade.max_bytes) {
        return failure_set(store->failure, FAILURE_MIRROR, ERROR_TOO_LARGE,
                           "the server announces %" PRIu64 " bytes; at most %" PRIu64
                           " are allowed ([upgrade] max_bytes)",
                           total, store->download->conf->upgrade.max_bytes);
    }
    int error = rest ? 0 : store_restart(store);
    if (error != 0) {
        return error;
    }
    store->multi_source = rest;
    error = reserve(store, total);
    if (error != 0) {
        return error;
    }
    error = partial_note(&store->partial, url, validator, total);
    if (error != 0) {
        return failure_set_file(store->failure, error, "write the note");
    }
    report_progress(store);
    return 0;
}

static int sync_periodically(struct store *store)
{
    int64_t now = clock_ms();
    uint64_t more = store->partial.length - store->partial.durable;
    if (more == 0 || (more < SYNC_BYTES && now - store->synced_ms < SYNC_MS)) {
        return 0;
    }
    store->synced_ms = now;
    int error = partial_sync(&store->partial);
    return error != 0 ? failure_set_file(store->failure, error, "write") : 0;
}

static int write_batch(struct store *store)
{
    int error = partial_write(&store->partial, store->batch, store->batched);
    if (error != 0) {
        return error;
    }
    digest_write(store->digest, store->batch, store->batched);
    store->batched = 0;
    if (store->partial.length > store->high_water) {
        store->high_water = store->partial.length;
    }
    store->whole = store->partial.total != 0 && store->partial.length == store->partial.total;
    return 0;
}

int store_flush(struct store *store)
{
    if (store->batched == 0) {
        report_progress(store); /* the next byte may take long, and the last report is older */
        return sync_periodically(store);
    }
    int error = write_batch(store);
    if (error != 0) {
        return failure_set_file(store->failure, error, "write");
    }
    report_progress(store);
    error = check_space(store);
    return error != 0 ? error : sync_periodically(store);
}

static int take_bytes(struct store *store, const uint8_t *bytes, size_t length)
{
    int error = 0;
    while (error == 0 && length > 0) {
        size_t room = BATCH_SIZE - store->batched;
        size_t piece = length < room ? length : room;
        memcpy(store->batch + store->batched, bytes, piece);
        store->batched += piece;
        bytes += piece;
        length -= piece;
        if (store->batched == BATCH_SIZE) {
            error = store_flush(store);
        }
    }
    return error;
}

/* The announced bytes are taken and may be the file; the hash decides. */
static int take_excess(struct store *store, const void *bytes, uint64_t announced)
{
    int error = take_bytes(store, bytes, (size_t)announced);
    if (error == 0) {
        error = store_flush(store);
    }
    return error != 0 ? error
                      : failure_set(store->failure, FAILURE_PASSING, ERROR_DOWNLOAD_FAILED,
                                    "the server sends more than the %" PRIu64 " bytes it announced",
                                    store->partial.total);
}

static int take_too_much(struct store *store)
{
    int error = store_restart(store); /* another mirror may have the right file */
    return error != 0 ? error
                      : failure_set(store->failure, FAILURE_MIRROR, ERROR_TOO_LARGE,
                                    "the server sends more than the %" PRIu64
                                    " bytes that are allowed ([upgrade] max_bytes)",
                                    store->download->conf->upgrade.max_bytes);
}

int store_take(struct store *store, const void *bytes, size_t length)
{
    uint64_t has = store->partial.length + store->batched;
    uint64_t total = store->partial.total;
    if (has + length > store->download->conf->upgrade.max_bytes) {
        return take_too_much(store);
    }
    if (total != 0 && has + length > total) {
        return take_excess(store, bytes, total - has);
    }
    return take_bytes(store, bytes, length);
}

int store_end(struct store *store)
{
    int error = store_flush(store);
    if (error == 0 && store->partial.total == 0) {
        store->partial.total = store->partial.length;
        store->whole = true;
        report_progress(store);
    }
    return error;
}

/* --- the end --- */

void store_digest(struct store *store, uint8_t ret[SHA256_SIZE])
{
    digest_finish(store->digest, ret);
}

int store_publish(struct store *store)
{
    int error = partial_publish(&store->partial);
    return error != 0 ? failure_set_file(store->failure, error, "rename") : 0;
}
