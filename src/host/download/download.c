/* SPDX-License-Identifier: Apache-2.0 */
#include "host/download/download.h"

#include "host/download/attempt.h"
#include "host/download/fetch.h"
#include "host/keyfile.h"
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

static int64_t full_delay(const struct backoff *backoff)
{
    int64_t delay = backoff->first_ms;
    for (uint32_t i = 1; i < backoff->failed && delay < BACKOFF_MAX_MS; i++) {
        delay *= 2;
    }
    return delay < BACKOFF_MAX_MS ? delay : BACKOFF_MAX_MS;
}

bool backoff_next(struct backoff *backoff, bool progressed, uint32_t chance, int64_t *delay_ms)
{
    if (progressed) {
        backoff->failed = 0;
    }
    if (backoff->failed >= backoff->allowed) {
        return false;
    }
    backoff->failed++;
    int64_t full = full_delay(backoff);
    int64_t half = full / 2;
    *delay_ms = half + (int64_t)chance % (full - half + 1);
    return true;
}

struct run {
    const struct download *download;
    struct failure failure; /* the last one */
    struct store store;
    struct mirrors mirrors;
    struct backoff backoff;
    bool range_refused;
    bool fetched_again; /* after a file from several responses had the wrong hash */
};

void download_library_init(void)
{
    fetch_library_init();
}

static uint32_t get_chance(void)
{
    uint32_t value = 0;
    /* On failure the shortest delay is used; only the load of servers depends on it. */
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
        file_close(fd);
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

static const char other_image[] = "the stored image has another SHA-256; removed";

/* 0: the image exists and is right. -ECANCELED: the daemon stops. A shortage: it could not be checked.
 * Any other error: there is no image; a wrong one, or what was no file, has been removed. */
static int check_image(const struct download *download)
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
        file_close(fd);
    }
    if (error == 0 && memcmp(found, download->sha256, SHA256_SIZE) != 0) {
        error = -EBADMSG;
    }
    if (error == 0) {
        partial_forget(&names); /* the daemon was killed before it could do so */
    }
    if (error != 0 && error != -ECANCELED && !failure_is_shortage(error)) {
        (void)unlinkat(download->directory_fd, names.image, 0); /* else renaming tells */
        download->report_retry(download->context, other_image, other_image);
    }
    return error;
}

/* --- failures --- */

/* `next`: what is done about the failure. */
static void report_failure(struct run *run, const char *url, const char *next)
{
    char shown[URL_MAX + 1];
    char public_text[FAILURE_TEXT_MAX + 64];
    char journal_text[URL_MAX + 2 * FAILURE_TEXT_MAX + 64];
    const struct failure *failure = &run->failure;
    url_show(url, shown, sizeof shown);
    (void)snprintf(public_text, sizeof public_text, "%s; %s", failure->text, next);
    (void)snprintf(journal_text, sizeof journal_text, "%s: %s%s%s; %s", shown, failure->text,
                   failure->detail[0] != '\0' ? ": " : "", failure->detail, next);
    run->download->report_retry(run->download->context, public_text, journal_text);
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
    char next[64];
    int64_t delay_ms = 0;
    if (!backoff_next(&run->backoff, progressed, get_chance(), &delay_ms)) {
        report_failure(run, url, "no more tries");
        return -EPROTO;
    }
    (void)snprintf(next, sizeof next, "try %" PRIu32 " of %" PRIu32 " in %" PRId64 " ms",
                   run->backoff.failed, run->backoff.allowed, delay_ms);
    report_failure(run, url, next);
    return wait_ms(run, delay_ms);
}

/* 0: make another attempt. */
static int handle_failure(struct run *run, size_t mirror, bool progressed)
{
    const char *url = run->mirrors.urls[mirror];
    switch (run->failure.scope) {
    case FAILURE_PASSING:
        return try_later(run, url, progressed);
    case FAILURE_MIRROR:
        run->mirrors.dropped[mirror] = true;
        mirrors_refresh(&run->mirrors, run->download);
        if (mirrors_left(&run->mirrors) > 0) {
            report_failure(run, url, "trying another mirror");
            return 0;
        }
        report_failure(run, url, "no mirror is left");
        return -EPROTO;
    case FAILURE_FINAL:
        report_failure(run, url, "giving up");
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
        return failure_set(&run->failure, FAILURE_FINAL, ERROR_INTERNAL, "no url is left");
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
    /* Progress is a new high-water mark: a server that always breaks off at one place is given up. */
    return handle_failure(run, (size_t)mirror, run->store.high_water > high_water);
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

/* All bytes are stored. 0 with the image published, or with an empty file to start over. */
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
        /* The new fetch is counted from its own beginning. */
        store->high_water = 0;
        run->backoff.failed = 0;
        report_failure(run, run->mirrors.count > 0 ? run->mirrors.urls[0] : "",
                       "it was assembled from several responses; fetching it once more");
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

static void set_result(const struct failure *failure, struct download_result *ret)
{
    ret->stopped = failure->scope == FAILURE_STOP;
    if (!ret->stopped) {
        ret->code = failure->code;
        memcpy(ret->text, failure->text, sizeof ret->text);
    }
}

void download_run(const struct download *download, struct download_result *ret)
{
    const struct conf *conf = download->conf;
    struct run run = {
        .download = download,
        .failure.directory = conf->upgrade.directory,
        .backoff = {.allowed = conf->upgrade.retries, .first_ms = conf->upgrade.retry_ms},
    };
    *ret = (struct download_result){.code = ERROR_NONE};
    int error = check_image(download);
    if (error == 0) {
        return;
    }
    if (error == -ECANCELED) {
        ret->stopped = true;
        return;
    }
    if (failure_is_shortage(error)) {
        (void)failure_set_file(&run.failure, error, "read"); /* the same error */
        set_result(&run.failure, ret);
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
        set_result(&run.failure, ret);
    }
}
