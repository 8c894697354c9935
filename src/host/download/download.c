/* SPDX-License-Identifier: Apache-2.0 */
#include "host/download/download.h"

#include "host/download/attempt.h"
#include "host/download/fetch.h"
#include "host/policy/url_policy.h"
#include "host/watchdog.h"
#include "wire/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static bool knows(const struct mirrors *mirrors, const char *url)
{
    for (size_t i = 0; i < mirrors->count; i++) {
        if (strcmp(mirrors->urls[i], url) == 0) {
            return true;
        }
    }
    return false;
}

void mirrors_refresh(struct mirrors *mirrors, const struct download *download)
{
    char urls[DOWNLOAD_MIRRORS_MAX][URL_MAX + 1];
    size_t count = download->mirrors(download->context, urls);
    for (size_t i = 0; i < count && mirrors->count < DOWNLOAD_MIRRORS_MAX; i++) {
        if (!knows(mirrors, urls[i])) {
            memcpy(mirrors->urls[mirrors->count], urls[i], sizeof urls[i]);
            mirrors->dropped[mirrors->count] = false;
            mirrors->count++;
        }
    }
}

int mirrors_next(struct mirrors *mirrors)
{
    for (size_t i = 0; i < mirrors->count; i++) {
        size_t at = (mirrors->next + i) % mirrors->count;
        if (!mirrors->dropped[at]) {
            mirrors->next = at + 1;
            return (int)at;
        }
    }
    return -1;
}

size_t mirrors_left(const struct mirrors *mirrors)
{
    size_t left = 0;
    for (size_t i = 0; i < mirrors->count; i++) {
        left += mirrors->dropped[i] ? 0 : 1;
    }
    return left;
}

static int64_t full_delay(const struct retry *retry)
{
    int64_t delay = retry->first_ms;
    for (uint32_t i = 1; i < retry->failed && delay < RETRY_DELAY_MAX_MS; i++) {
        delay *= 2;
    }
    return delay < RETRY_DELAY_MAX_MS ? delay : RETRY_DELAY_MAX_MS;
}

bool backoff_next(struct retry *retry, bool progressed, uint32_t chance, int64_t *delay_ms)
{
    if (progressed) {
        retry->failed = 0;
    }
    if (retry->failed >= retry->allowed) {
        return false;
    }
    retry->failed++;
    int64_t full = full_delay(retry);
    int64_t half = full / 2;
    *delay_ms = half + (int64_t)chance % (full - half + 1);
    return true;
}

/* One run. */
struct run {
    const struct download *download;
    struct failure failure; /* the last one */
    struct store store;
    struct mirrors mirrors;
    struct retry retry;
    bool range_refused;
    bool fetched_again; /* once, after a file from several answers had the wrong hash */
};

void download_library_init(void)
{
    fetch_library_init();
}

static uint32_t chance(void)
{
    uint32_t value = 0;
    /* Without it all wait the shortest time: nothing depends on it but the load of servers. */
    ssize_t got = getrandom(&value, sizeof value, GRND_NONBLOCK);
    return got == (ssize_t)sizeof value ? value : 0;
}

/* --- an image that is there already --- */

static int open_image(const struct download *download, const char *name, int *ret_fd)
{
    struct stat status;
    int fd = openat(download->directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        (void)close(fd); /* nothing was written */
        return -EEXIST;
    }
    *ret_fd = fd;
    return 0;
}

static int hash_image(const struct download *download, int fd, uint8_t ret[SHA256_SIZE])
{
    struct digest *digest = NULL;
    int stop_fd = download->stop_fd;
    int error = digest_new(true, &digest);
    if (error != 0) {
        return error;
    }
    error = digest_file(digest, fd, UINT64_MAX, store_stops, &stop_fd);
    if (error == 0) {
        digest_finish(digest, ret);
    }
    digest_free(digest);
    return error;
}

/* 0: it is there and right. -ECANCELED: the daemon stops. A shortage: it could not be looked at.
 * Else there is none: a wrong one, or something that is no file, was removed. */
static int take_image(const struct download *download)
{
    struct partial names = {.directory_fd = download->directory_fd};
    uint8_t found[SHA256_SIZE];
    int fd = -1;
    partial_names(download->sha256, &names);
    int error = open_image(download, names.image, &fd);
    if (error == -ENOENT) {
        return error;
    }
    if (error == 0) {
        download->verifying(download->context);
        error = hash_image(download, fd, found);
        (void)close(fd); /* nothing was written */
    }
    if (error == 0 && memcmp(found, download->sha256, SHA256_SIZE) != 0) {
        error = -EBADMSG;
    }
    if (error == 0) {
        partial_forget(&names); /* we were killed before that was done */
    }
    if (error != 0 && error != -ECANCELED && !failure_is_shortage(error)) {
        (void)unlinkat(download->directory_fd, names.image, 0); /* else renaming tells */
        download->tell(download->context, "the image that was there is not the one; it is removed",
                       "the image that was there is not the one; it is removed");
    }
    return error;
}

/* --- failures --- */

static void tell(struct run *run, const char *url, const char *then)
{
    char shown[URL_MAX + 1];
    char public_text[DOWNLOAD_TEXT_MAX + 64];
    char journal_text[URL_MAX + 2 * DOWNLOAD_TEXT_MAX + 64];
    const struct failure *failure = &run->failure;
    url_show(url, shown, sizeof shown);
    (void)snprintf(public_text, sizeof public_text, "%s; %s", failure->text, then);
    (void)snprintf(journal_text, sizeof journal_text, "%s: %s%s%s; %s", shown, failure->text,
                   failure->detail[0] != '\0' ? ": " : "", failure->detail, then);
    run->download->tell(run->download->context, public_text, journal_text);
}

/* Waits between two attempts; -ECANCELED when the daemon stops. */
static int wait_ms(struct run *run, int64_t delay_ms)
{
    struct pollfd stop = {.fd = run->download->stop_fd, .events = POLLIN};
    int64_t deadline = clock_deadline(delay_ms);
    watchdog_expect("waiting for the next try", WATCHDOG_DISK_MS + delay_ms);
    int ready = poll(&stop, 1, clock_poll_timeout(deadline));
    while (ready < 0 && errno == EINTR) {
        ready = poll(&stop, 1, clock_poll_timeout(deadline));
    }
    if (ready > 0) {
        run->failure.scope = FAILURE_STOP;
        return -ECANCELED;
    }
    return 0;
}

static int try_later(struct run *run, const char *url, bool progressed)
{
    char then[64];
    int64_t delay_ms = 0;
    if (!backoff_next(&run->retry, progressed, chance(), &delay_ms)) {
        tell(run, url, "no more tries");
        return -EPROTO;
    }
    (void)snprintf(then, sizeof then, "try %" PRIu32 " of %" PRIu32 " in %" PRId64 " ms",
                   run->retry.failed, run->retry.allowed, delay_ms);
    tell(run, url, then);
    return wait_ms(run, delay_ms);
}

/* 0: there is another attempt to make. */
static int after_failure(struct run *run, size_t mirror, bool progressed)
{
    const char *url = run->mirrors.urls[mirror];
    switch (run->failure.scope) {
    case FAILURE_PASSING:
        return try_later(run, url, progressed);
    case FAILURE_MIRROR:
        run->mirrors.dropped[mirror] = true;
        mirrors_refresh(&run->mirrors, run->download);
        if (mirrors_left(&run->mirrors) > 0) {
            tell(run, url, "going on with another mirror");
            return 0;
        }
        tell(run, url, "no mirror is left");
        return -EPROTO;
    case FAILURE_FINAL:
        tell(run, url, "giving up");
        return -EPROTO;
    case FAILURE_STOP:
    default:
        return -ECANCELED;
    }
}

/* --- the run --- */

static int attempt_next(struct run *run)
{
    mirrors_refresh(&run->mirrors, run->download);
    int mirror = mirrors_next(&run->mirrors);
    if (mirror < 0) {
        return failure_set(&run->failure, FAILURE_FINAL, ERROR_INTERNAL, "there is no url");
    }
    uint64_t high_water = run->store.high_water;
    const struct attempt attempt = {
        .store = &run->store,
        .url = run->mirrors.urls[mirror],
        .others = mirrors_left(&run->mirrors) > 1,
        .range_refused = &run->range_refused,
    };
    if (attempt_run(&attempt) == 0) {
        return 0;
    }
    /* Further than ever, so that a server that always breaks off at one place is given up. */
    return after_failure(run, (size_t)mirror, run->store.high_water > high_water);
}

static int fail_hash(struct run *run, const uint8_t found[SHA256_SIZE])
{
    char is[SHA256_HEX + 1];
    char expected[SHA256_HEX + 1];
    sha256_format(found, is);
    sha256_format(run->download->sha256, expected);
    return failure_set(&run->failure, FAILURE_FINAL, ERROR_HASH_MISMATCH,
                       "the file has the sha256 %s; expected %s", is, expected);
}

/* All bytes are there. 0 with the image in its place, or with an empty file to begin anew. */
static int verify(struct run *run)
{
    uint8_t found[SHA256_SIZE];
    struct store *store = &run->store;
    const struct download *download = run->download;
    download->verifying(download->context);
    store_digest(store, found);
    if (memcmp(found, download->sha256, SHA256_SIZE) == 0) {
        return store_publish(store);
    }
    int error = fail_hash(run, found);
    if (store->multi_source && !run->fetched_again) {
        run->fetched_again = true;
        /* A fetch of its own: how far the one before came counts for nothing. */
        store->high_water = 0;
        run->retry.failed = 0;
        tell(run, run->mirrors.count > 0 ? run->mirrors.urls[0] : "",
             "it came in several pieces, and is fetched once more");
        error = store_restart(store);
    }
    return error;
}

static int fetch_all(struct run *run)
{
    int error = 0;
    while (error == 0 && run->store.partial.fd >= 0) {
        error = run->store.whole ? verify(run) : attempt_next(run);
    }
    return error;
}

static bool is_worth_keeping(enum failure_scope scope, enum error_code code)
{
    return scope == FAILURE_STOP || code == ERROR_DOWNLOAD_FAILED || code == ERROR_INTERNAL;
}

/* What the failure says; only valid after an error. */
static void report(const struct failure *failure, struct download_result *ret)
{
    ret->stopped = failure->scope == FAILURE_STOP;
    if (!ret->stopped) {
        ret->code = failure->code;
        memcpy(ret->text, failure->text, sizeof ret->text);
    }
}

void download_run(const struct download *download, struct download_result *ret)
{
    struct run run = {.download = download};
    run.retry = backoff_of(download->conf->upgrade.retries, download->conf->upgrade.retry_ms);
    *ret = (struct download_result){.code = ERROR_NONE};
    int error = take_image(download);
    if (error == 0) {
        return;
    }
    if (error == -ECANCELED) {
        ret->stopped = true;
        return;
    }
    if (failure_is_shortage(error)) {
        (void)failure_set_file(&run.failure, error, "reading it"); /* the same error */
        report(&run.failure, ret);
        return;
    }
    error = store_open(download, &run.failure, &run.store);
    if (error == 0) {
        error = fetch_all(&run);
        if (error == 0 || is_worth_keeping(run.failure.scope, run.failure.code)) {
            store_close(&run.store);
        } else {
            store_discard(&run.store);
        }
    }
    if (error != 0) {
        report(&run.failure, ret);
    }
}
