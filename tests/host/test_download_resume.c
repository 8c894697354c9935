/* SPDX-License-Identifier: Apache-2.0 */
/* The download that goes on: after a break, from another mirror, after a stop, after a reboot. */
#include "download_world.h"
#include "host/digest.h"
#include "host/download/partial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GOOD       .body = world_image, .length = IMAGE_SIZE
#define OTHER      .body = world_other, .length = IMAGE_SIZE
#define CUT(bytes) .end = FAULT_CUT, .after = (bytes)

/* A whole download with these faults; returns the world, for more questions. */
static struct world *succeeds(const struct fault *faults, size_t count, size_t requests)
{
    struct world *world = world_new(faults, count);
    world_run(world, ERROR_NONE, "");
    world_expect_image(world);
    CHECK_EQUAL(world->server.requests, requests);
    return world;
}

UNIT_TEST(test_cut, "a cut is resumed")
{
    static const struct fault faults[] = {{GOOD, .etag = "\"1\"", CUT(300000)},
                                          {GOOD, .etag = "\"1\"", .end = FAULT_CUT, .after = 1},
                                          {GOOD, .etag = "\"1\""}};
    struct world *world = succeeds(faults, COUNT(faults), 3);
    world_expect_header(world, 1, "Range", "bytes=300000-");
    world_expect_header(world, 1, "If-Range", "\"1\"");
    world_expect_header(world, 2, "Range", "bytes=300001-");
    CHECK_PREFIX(world->public_texts[0],
                 "the connection broke after 300000 of 700000 bytes; try 1 of 1 in");
    world_free(world);
}

UNIT_TEST(test_reset_and_chunked, "so are a reset and a chunked answer")
{
    static const struct fault reset[] = {{GOOD, .end = FAULT_RESET, .after = 300000}, {GOOD}};
    static const struct fault chunked[] = {{GOOD, .unmeasured = true, CUT(300000)},
                                           {GOOD, .unmeasured = true}};
    world_free(succeeds(reset, COUNT(reset), 2));
    struct world *world = succeeds(chunked, COUNT(chunked), 2);
    world_expect_header(world, 1, "Range", "bytes=300000-");
    world_expect_header(world, 1, "If-Range", "");
    world_free(world);
}

/* A date is a validator only if it is older than the answer, and if there is no ETag. */
UNIT_TEST(test_dates_as_validators, "dates as validators")
{
    static const char old[] = "Date: Sun, 22 Nov 2026 12:00:01 GMT\r\n"
                              "Last-Modified: Sun, 22 Nov 2026 12:00:00 GMT\r\n";
    static const char fresh[] = "Date: Sun, 22 Nov 2026 12:00:00 GMT\r\n"
                                "Last-Modified: Sun, 22 Nov 2026 12:00:00 GMT\r\n";
    static const char undated[] = "Last-Modified: Sun, 22 Nov 2026 12:00:00 GMT\r\n";
    static const struct fault strong[] = {{GOOD, .headers = old, CUT(300000)}, {GOOD}};
    static const struct fault weak[] = {{GOOD, .headers = fresh, CUT(300000)}, {GOOD}};
    static const struct fault none[] = {{GOOD, .headers = undated, CUT(300000)}, {GOOD}};
    static const struct fault with_weak[] = {{GOOD, .headers = old, .etag = "W/\"1\"", CUT(300000)},
                                             {GOOD}};
    struct world *world = succeeds(strong, COUNT(strong), 2);
    world_expect_header(world, 1, "If-Range", "Sun, 22 Nov 2026 12:00:00 GMT");
    world_free(world);
    const struct fault *const others[] = {weak, none, with_weak};
    CHECK_EACH(i, others, "fault") {
        world = succeeds(others[i], 2, 2);
        world_expect_header(world, 1, "Range", "bytes=300000-");
        world_expect_header(world, 1, "If-Range", "");
        world_free(world);
    }
}

/* --- servers that change their mind --- */

UNIT_TEST(test_range_ignored, "a server that ignores Range")
{
    static const struct fault faults[] = {{GOOD, CUT(300000)}, {GOOD, .ignores_range = true}};
    world_free(succeeds(faults, COUNT(faults), 2));
}

UNIT_TEST(test_always_cut_at_one_place, "a server that always cuts at one place is given up")
{
    static const struct fault faults[] = {{GOOD, .ignores_range = true, CUT(300000)}};
    struct world *world = world_new(faults, 1);
    world->conf.upgrade.retries = 3;
    world_run(world, ERROR_DOWNLOAD_FAILED, "the connection broke after 300000 of 700000 bytes");
    CHECK_EQUAL(world->server.requests, 4); /* the second one brought nothing new */
    world_free(world);
}

UNIT_TEST(test_counted_anew_after_any_byte, "tries are counted anew after any byte")
{
    static const struct fault faults[] = {{GOOD, CUT(1)}, {GOOD, CUT(1)},  {GOOD, CUT(1)},
                                          {GOOD, CUT(1)}, {.status = 503}, {GOOD}};
    struct world *world = world_new(faults, COUNT(faults));
    world->conf.upgrade.retries = 2;
    world_run(world, ERROR_NONE, "");
    CHECK_EQUAL(world->server.requests, 6);
    world_free(world);
}

UNIT_TEST(test_wrong_ranges, "wrong ranges")
{
    static const struct fault wrong_start[] = {
        {GOOD, CUT(300000)},
        {.status = 206, GOOD, .headers = "Content-Range: bytes 0-699999/700000\r\n"},
        {GOOD}};
    static const struct fault no_range[] = {{GOOD, CUT(300000)}, {.status = 206, GOOD}, {GOOD}};
    struct world *world = succeeds(wrong_start, COUNT(wrong_start), 3);
    world_expect_header(world, 1, "Range", "bytes=300000-");
    world_expect_header(world, 2, "Range", "");
    CHECK_STRING(world->public_texts[1],
                 "the server answered with the range \"bytes 0-699999/700000\"; expected "
                 "from byte 300000; starting over");
    world_free(world);
    world_free(succeeds(no_range, COUNT(no_range), 3));
}

UNIT_TEST(test_changed_file, "a file that changed")
{
    /* As it should be: If-Range fails, and the whole new file comes. */
    static const struct fault polite[] = {{OTHER, .etag = "\"1\"", CUT(300000)},
                                          {GOOD, .etag = "\"2\""}};
    /* If-Range is ignored, but the ETag tells. */
    static const struct fault rude[] = {
        {OTHER, .etag = "\"1\"", CUT(300000)},
        {.status = 206,
         .etag = "\"2\"",
         .unmeasured = true,
         GOOD,
         .headers = "Content-Range: bytes 300000-699999/700000\r\n"},
        {GOOD, .etag = "\"2\""}};
    static const struct fault grown[] = {
        {OTHER, CUT(300000)},
        {.status = 206,
         .unmeasured = true,
         GOOD,
         .headers = "Content-Range: bytes 300000-700000/700001\r\n"},
        {GOOD}};
    world_free(succeeds(polite, COUNT(polite), 2));
    struct world *world = succeeds(rude, COUNT(rude), 3);
    CHECK_STRING(world->public_texts[1], "the server's file has changed; starting over");
    world_expect_header(world, 2, "Range", "");
    world_free(world);
    world_free(succeeds(grown, COUNT(grown), 3));
}

UNIT_TEST(test_416, "416 once")
{
    static const struct fault once[] = {{GOOD, CUT(300000)}, {.status = 416}, {GOOD}};
    static const struct fault twice[] = {
        {GOOD, CUT(300000)}, {.status = 416}, {GOOD, CUT(400000)}, {.status = 416}, {GOOD}};
    struct world *world = succeeds(once, COUNT(once), 3);
    world_expect_header(world, 2, "Range", "");
    world_free(world);
    world = world_new(twice, COUNT(twice));
    world_run(world, ERROR_DOWNLOAD_FAILED, "the server answered 416; expected 200 or 206");
    CHECK_EQUAL(world->server.requests, 4);
    world_free(world);
}

/* --- files put together --- */

UNIT_TEST(test_put_together_wrongly, "a file put together wrongly is fetched once more")
{
    static const struct fault mended[] = {{OTHER, CUT(300000)}, {GOOD}};
    static const struct fault never[] = {{OTHER, CUT(300000)}, {GOOD}, {OTHER}};
    struct world *world = succeeds(mended, COUNT(mended), 3);
    world_expect_header(world, 1, "Range", "bytes=300000-");
    world_expect_header(world, 2, "Range", "");
    CHECK_EQUAL(world->verifications, 2);
    world_free(world);
    world = world_new(never, COUNT(never));
    world_run(
        world, ERROR_HASH_MISMATCH,
        "the file has the sha256 f5df284f67a9cbe460400c789ad206176da5fd0df468a80aa72f1bdeec656ffc;"
        " expected 0dabfe4783bbe2d9cc2a815b6f7efbe263a62a1ecdfaf798aaa14901395bde28");
    CHECK_EQUAL(world->server.requests, 3);
    CHECK_FALSE(world_has(world, ".part"));
    world_free(world);
}

/* More comes than the range has: what fits is judged by its hash. */
UNIT_TEST(test_more_than_announced, "more than was announced")
{
    static const struct fault faults[] = {
        {GOOD, CUT(300000)},
        {.status = 206,
         .unmeasured = true,
         OTHER,
         .headers = "Content-Range: bytes 300000-699999/700000\r\n"},
        {GOOD}};
    struct world *world = succeeds(faults, COUNT(faults), 3);
    CHECK_EQUAL(world->told, 2);
    CHECK_CONTAINS(world->public_texts[1],
                   "; it was assembled from several responses; fetching it once more");
    world_free(world);
}

/* It is a fetch of its own, with its own tries: bytes that the first had too count as progress. */
UNIT_TEST(test_fetched_once_more_with_breaks, "and that fetch may break too")
{
    static const struct fault faults[] = {{OTHER, CUT(300000)}, {GOOD},
                                          {.status = 503},      {GOOD, CUT(1000)},
                                          {GOOD, CUT(1000)},    {GOOD}};
    world_free(succeeds(faults, COUNT(faults), 6));
}

/* --- mirrors --- */

/* The same server under two names, so that one list of faults serves both in turn. */
static struct world *with_mirror(const struct fault *faults, size_t count)
{
    struct world *world = world_new(faults, count);
    (void)snprintf(world->urls[1], sizeof world->urls[1], "http://127.0.0.1:%d/mirror",
                   world->server.port);
    world->url_count = 2;
    return world;
}

static void expect_path(const struct world *world, size_t index, const char *path)
{
    char line[64];
    (void)snprintf(line, sizeof line, "GET /%s HTTP/1.1\r\n", path);
    CHECK_PREFIX(world->server.heads[index], line);
}

UNIT_TEST(test_mirror_goes_on, "a mirror goes on")
{
    static const struct fault faults[] = {{GOOD, .etag = "\"a\"", CUT(300000)},
                                          {GOOD, .etag = "\"b\"", CUT(100000)},
                                          {GOOD, .etag = "\"a\""}};
    struct world *world = with_mirror(faults, COUNT(faults));
    world_run(world, ERROR_NONE, "");
    world_expect_image(world);
    expect_path(world, 0, "image");
    expect_path(world, 1, "mirror");
    expect_path(world, 2, "image");
    world_expect_header(world, 1, "Range", "bytes=300000-");
    world_expect_header(world, 1, "If-Range", ""); /* another server's validator says nothing */
    world_expect_header(world, 2, "Range", "bytes=400000-");
    world_expect_header(world, 2, "If-Range", "");
    world_free(world);
}

UNIT_TEST(test_mirror_that_is_dropped, "a mirror that is dropped")
{
    static const struct fault faults[] = {{.status = 404}, {.status = 503}, {GOOD}};
    static const struct fault none[] = {{.status = 404}, {.status = 403}};
    struct world *world = with_mirror(faults, COUNT(faults));
    world_run(world, ERROR_NONE, "");
    expect_path(world, 0, "image");
    expect_path(world, 1, "mirror");
    expect_path(world, 2, "mirror");
    CHECK_STRING(world->public_texts[0],
                 "the server answered 404; expected 200; trying another mirror");
    world_free(world);
    world = with_mirror(none, COUNT(none));
    world_run(world, ERROR_DOWNLOAD_FAILED, "the server answered 403; expected 200");
    CHECK_EQUAL(world->server.requests, 2);
    world_free(world);
}

UNIT_TEST(test_mirror_with_another_file, "a mirror with another file")
{
    static const struct fault faults[] = {
        {GOOD, CUT(300000)},
        {.status = 206,
         .unmeasured = true,
         OTHER,
         .headers = "Content-Range: bytes 300000-700000/700001\r\n"},
        {GOOD}};
    struct world *world = with_mirror(faults, COUNT(faults));
    world_run(world, ERROR_NONE, "");
    world_expect_image(world);
    expect_path(world, 2, "image");
    world_expect_header(world, 2, "Range", "bytes=300000-");
    CHECK_STRING(world->public_texts[1],
                 "the server's file has 700001 bytes; expected 700000; trying "
                 "another mirror");
    world_free(world);
}

/* --- stops and restarts --- */

static struct world *stopped_at(uint64_t bytes, const struct fault *faults, size_t count)
{
    struct world *world = world_new(faults, count);
    world->stop_at = bytes;
    world_run(world, ERROR_NONE, NULL);
    world->stop_at = UINT64_MAX;
    CHECK_TRUE(world_has(world, ".part"));
    CHECK_FALSE(world_has(world, ".img"));
    return world;
}

static const struct fault stalls_then_good[] = {
    {GOOD, .etag = "\"1\"", .end = FAULT_STALL, .after = 300000}, {GOOD, .etag = "\"1\""}};

UNIT_TEST(test_stop_and_resume, "stopped, and resumed by the next run")
{
    struct world *world = stopped_at(300000, stalls_then_good, 2);
    world_run(world, ERROR_NONE, "");
    world_expect_image(world);
    world_expect_header(world, 1, "Range", "bytes=300000-");
    world_expect_header(world, 1, "If-Range", "\"1\"");
    world_free(world);
}

UNIT_TEST(test_note_holds_no_secrets, "the note holds no secrets")
{
    char note[4096];
    struct world *world = world_new(stalls_then_good, 2);
    (void)snprintf(world->urls[0], sizeof world->urls[0],
                   "http://user:geheim@127.0.0.1:%d/image?token=geheim", world->server.port);
    world->stop_at = 300000;
    world_run(world, ERROR_NONE, NULL);
    world->stop_at = UINT64_MAX;
    world_read(world, ".meta", note, sizeof note);
    CHECK_LACKS(note, "geheim");
    CHECK_CONTAINS(note, "/image?...\n");
    CHECK_CONTAINS(note, "\nvalidator=\"1\"\ntotal=700000\ndurable=300000\n");
    world_run(world, ERROR_NONE, "");
    world_expect_header(world, 1, "If-Range", "\"1\""); /* it is known as the same url */
    world_free(world);
}

UNIT_TEST(test_stop_while_waiting, "a stop ends the wait for a retry")
{
    static const struct fault faults[] = {{.status = 503}, {GOOD}};
    struct world *world = world_new(faults, COUNT(faults));
    world->conf.upgrade.retry_ms = 60000;
    world->stop_on_tell = true;
    world_run(world, ERROR_NONE, NULL);
    CHECK_EQUAL(world->server.requests, 1);
    world_free(world);
}

/* Rewrites the note with one value replaced. */
static void change_note(const struct world *world, const char *key, const char *value)
{
    char note[4096];
    char changed[4096];
    world_read(world, ".meta", note, sizeof note);
    char *at = strstr(note, key);
    char *end = at == NULL ? NULL : strchr(at, '\n');
    if (end == NULL) {
        REQUIRE_FAIL("the note has no such key");
        return;
    }
    *at = '\0';
    int length = snprintf(changed, sizeof changed, "%s%s%s%s", note, key, value, end);
    world_write(world, ".meta", changed, (size_t)length);
}

UNIT_TEST(test_after_a_reboot, "after a reboot only what is durable counts")
{
    struct world *world = stopped_at(300000, stalls_then_good, 2);
    change_note(world, "boot_id=", "00000000-0000-0000-0000-000000000000");
    change_note(world, "durable=", "100000");
    world_run(world, ERROR_NONE, "");
    world_expect_image(world);
    world_expect_header(world, 1, "Range", "bytes=100000-");
    world_free(world);
}

UNIT_TEST(test_notes_that_do_not_fit, "notes that do not fit")
{
    static const char *const keys[] = {"total=", "durable=", "url_sha256=", "boot_id="};
    static const char *const values[] = {"200000", "x", "", "x"};
    static const char *const ranges[] = {"", "", "bytes=300000-", "bytes=300000-"};
    CHECK_EACH(i, keys, "%s", keys[i]) {
        struct world *world = stopped_at(300000, stalls_then_good, 2);
        change_note(world, keys[i], values[i]);
        world_run(world, ERROR_NONE, "");
        world_expect_image(world);
        world_expect_header(world, 1, "Range", ranges[i]);
        world_free(world);
    }
    struct world *world = stopped_at(300000, stalls_then_good, 2);
    world_write(world, ".meta", "", 0);
    world_run(world, ERROR_NONE, "");
    world_expect_header(world, 1, "Range", "");
    world_free(world);
}

/* The part was whole already: no request is needed, right or wrong. */
UNIT_TEST(test_whole_part, "a part that is whole")
{
    struct world *world = stopped_at(300000, stalls_then_good, 2);
    world_write(world, ".part", world_image, IMAGE_SIZE);
    world_run(world, ERROR_NONE, "");
    world_expect_image(world);
    CHECK_EQUAL(world->server.requests, 1);
    world_free(world);
    world = stopped_at(300000, stalls_then_good, 2);
    world_write(world, ".part", world_other, IMAGE_SIZE);
    world_run(world, ERROR_NONE, "");
    world_expect_image(world);
    world_expect_header(world, 1, "Range", "");
    world_free(world);
}

/* --- power loss --- */

static const struct world *publishing; /* the world whose directory is looked at; NULL: none */
static bool had_note;                  /* when the image's name was made durable */

int __wrap_fsync(int fd);
int __real_fsync(int fd);

int __wrap_fsync(int fd)
{
    if (publishing != NULL && fd == publishing->directory_fd && world_has(publishing, ".img")) {
        had_note = world_has(publishing, ".meta");
    }
    return __real_fsync(fd);
}

/* Names may become durable in any order: a part without its note would be fetched once more. */
UNIT_TEST(test_note_stays_until_the_image_is_durable, "the note stays until the image is durable")
{
    static const struct fault good[] = {{GOOD}};
    struct world *world = world_new(good, 1);
    publishing = world;
    world_run(world, ERROR_NONE, "");
    CHECK_TRUE(had_note);
    world_expect_image(world);
    publishing = NULL;
    world_free(world);
}

/* --- what cannot be read --- */

static int read_error; /* of the next `unread` files */
static unsigned unread;

int __wrap_digest_file(struct digest *digest, int fd, uint64_t length, bool (*stop)(void *context),
                       void *context);
int __real_digest_file(struct digest *digest, int fd, uint64_t length, bool (*stop)(void *context),
                       void *context);

int __wrap_digest_file(struct digest *digest, int fd, uint64_t length, bool (*stop)(void *context),
                       void *context)
{
    if (unread == 0) {
        return __real_digest_file(digest, fd, length, stop, context);
    }
    unread--;
    return read_error;
}

/* The disk does not give back what was stored: it is fetched anew, in the same run. */
UNIT_TEST(test_part_that_cannot_be_read, "a part that cannot be read")
{
    static const uint64_t lengths[] = {300000, IMAGE_SIZE};
    CHECK_EACH(i, lengths, "%llu", (unsigned long long)lengths[i]) {
        struct world *world = stopped_at(300000, stalls_then_good, 2);
        world_write(world, ".part", world_image, lengths[i]);
        read_error = -EIO;
        unread = 1;
        world_run(world, ERROR_NONE, "");
        world_expect_image(world);
        world_expect_header(world, 1, "Range", "");
        CHECK_STRING(world->public_texts[0],
                     "the stored part cannot be read: Input/output error; starting over");
        world_free(world);
    }
}

/* What the machine lacks for the moment is no reason to throw bytes away. */
UNIT_TEST(test_shortage_while_reading, "a shortage while it is read")
{
    struct world *world = stopped_at(300000, stalls_then_good, 2);
    read_error = -ENOMEM;
    unread = 1;
    world_run(world, ERROR_INTERNAL, "cannot store the image in DIR: read: Cannot allocate memory");
    world_run(world, ERROR_NONE, "");
    world_expect_header(world, 1, "Range", "bytes=300000-");
    unread = 1;
    world_run(world, ERROR_INTERNAL, "cannot store the image in DIR: read: Cannot allocate memory");
    world_run(world, ERROR_NONE, ""); /* the image is there still */
    CHECK_EQUAL(world->server.requests, 2);
    world_free(world);
}

/* --- what lies there --- */

UNIT_TEST(test_image_that_is_there, "an image that is there")
{
    static const struct fault good[] = {{GOOD}};
    struct world *world = world_new(good, 1);
    world_write(world, ".img", world_image, IMAGE_SIZE);
    world_write(world, ".meta", "x", 1); /* of a daemon that was killed right after its renaming */
    world_write(world, ".meta.new", "x", 1);
    world_run(world, ERROR_NONE, "");
    CHECK_EQUAL(world->server.requests, 0);
    world_expect_image(world);
    world_write(world, ".img", world_other, IMAGE_SIZE);
    world_run(world, ERROR_NONE, "");
    world_expect_image(world);
    CHECK_EQUAL(world->server.requests, 1);
    CHECK_STRING(world->public_texts[0], "the stored image has another SHA-256; removed");
    world_free(world);
}

UNIT_TEST(test_links, "links and pipes in the way")
{
    static const struct fault good[] = {{GOOD}};
    char name[SHA256_HEX + 8];
    char hex[SHA256_HEX + 1];
    struct world *world = world_new(good, 1);
    sha256_format(world->sha256, hex);
    (void)snprintf(name, sizeof name, "%s.img", hex);
    CHECK_EQUAL(symlinkat("/etc/passwd", world->directory_fd, name), 0);
    world_run(world, ERROR_NONE, "");
    world_expect_image(world);
    world_free(world);
    world = world_new(good, 1);
    (void)snprintf(name, sizeof name, "%s.part", hex);
    CHECK_EQUAL(symlinkat("/tmp/test_download_never_made", world->directory_fd, name), 0);
    world_run(world, ERROR_INTERNAL,
              "cannot store the image in DIR: open: Too many levels of symbolic links");
    CHECK_EQUAL(unlinkat(world->directory_fd, name, 0), 0);
    CHECK_EQUAL(mkfifoat(world->directory_fd, name, 0600), 0);
    world_run(world, ERROR_INTERNAL, "cannot store the image in DIR: open: File exists");
    world_free(world);
}

UNIT_TEST(test_sweep, "the sweep")
{
    static const struct fault good[] = {{GOOD}};
    static const char *const suffixes[] = {".part", ".meta", ".meta.new", ".img", ".txt", ""};
    struct world *world = world_new(good, 1);
    CHECK_EACH(i, suffixes, "%s", suffixes[i]) {
        world_write(world, suffixes[i], "x", 1);
    }
    partial_sweep(world->directory_fd, world->sha256);
    CHECK_EACH(i, suffixes, "%s", suffixes[i]) {
        CHECK_TRUE(world_has(world, suffixes[i]));
    }
    uint8_t other[SHA256_SIZE] = {0};
    partial_sweep(world->directory_fd, other);
    CHECK_EACH(i, suffixes, "%s", suffixes[i]) {
        CHECK_EQUAL(world_has(world, suffixes[i]), i >= 4);
    }
    world_write(world, ".img", "x", 1);
    partial_sweep(world->directory_fd, NULL);
    CHECK_FALSE(world_has(world, ".img"));
    partial_sweep(-1, NULL);
    world_free(world);
}

int main(void)
{
    world_prepare();
    return unit_main("download_resume");
}
