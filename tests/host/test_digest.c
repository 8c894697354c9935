/* SPDX-License-Identifier: Apache-2.0 */
#include "host/digest.h"
#include "host/watchdog.h"
#include "support/unit.h"
#include "wire/number.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* FIPS 180-4 and the secure hash standard's examples. */
static const char of_nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char of_abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char of_448_bits[] =
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
static const char of_million_a[] =
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

static struct digest *make(bool threaded)
{
    struct digest *digest = NULL;
    REQUIRE_EQUAL(digest_new(threaded, &digest), 0);
    return digest;
}

static void expect(struct digest *digest, const char *expected)
{
    uint8_t sha256[SHA256_SIZE];
    char hex[SHA256_HEX + 1];
    digest_finish(digest, sha256);
    sha256_format(sha256, hex);
    CHECK_STRING(hex, expected);
    CHECK_NULL(digest_free(digest));
}

static void check_vectors(bool threaded)
{
    static const char long_one[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    expect(make(threaded), of_nothing);
    struct digest *digest = make(threaded);
    digest_write(digest, "abc", 3);
    expect(digest, of_abc);
    digest = make(threaded);
    digest_write(digest, "a", 1);
    digest_write(digest, "", 0);
    digest_write(digest, "bc", 2);
    expect(digest, of_abc);
    digest = make(threaded);
    digest_write(digest, long_one, strlen(long_one));
    expect(digest, of_448_bits);
}

UNIT_TEST(test_vectors, "known digests, inline and in a thread")
{
    check_vectors(false);
    check_vectors(true);
}

/* Pieces of every kind of length, through a ring that goes round several times. */
UNIT_TEST(test_ring_goes_round, "pieces of all sizes, round the ring")
{
    enum { SIZE = 3 * RING_SIZE + 12345 };
    static uint8_t bytes[SIZE];
    for (size_t i = 0; i < SIZE; i++) {
        bytes[i] = (uint8_t)(i * 2654435761U >> 13);
    }
    struct digest *inline_digest = make(false);
    digest_write(inline_digest, bytes, SIZE);
    uint8_t sha256[SHA256_SIZE];
    char hex[SHA256_HEX + 1];
    digest_finish(inline_digest, sha256);
    digest_free(inline_digest);
    sha256_format(sha256, hex);
    static const size_t pieces[] = {1, 777, 65536, 262144, RING_SIZE, RING_SIZE + 1, SIZE};
    CHECK_EACH(i, pieces, "%zu", pieces[i]) {
        struct digest *digest = make(true);
        size_t limit = pieces[i] == 1 ? 1000 : SIZE; /* byte by byte the beginning is enough */
        for (size_t at = 0; at < SIZE;) {
            size_t piece = at < limit ? pieces[i] : SIZE - at;
            piece = piece < SIZE - at ? piece : SIZE - at;
            digest_write(digest, bytes + at, piece);
            at += piece;
        }
        expect(digest, hex);
    }
}

UNIT_TEST(test_given_up, "a digest that is given up")
{
    static const uint8_t bytes[RING_SIZE];
    struct digest *digest = make(true);
    digest_write(digest, bytes, sizeof bytes);
    digest_write(digest, bytes, 100);
    CHECK_NULL(digest_free(digest));
    CHECK_NULL(digest_free(make(true)));
    CHECK_NULL(digest_free(make(false)));
    CHECK_NULL(digest_free(NULL));
}

UNIT_TEST(test_ring_after_cancel, "a cancelled ring takes nothing and waits for nobody")
{
    static const uint8_t bytes[2 * RING_SIZE];
    struct ring ring;
    const uint8_t *at = NULL;
    REQUIRE_EQUAL(ring_init(&ring), 0);
    ring_write(&ring, "abc", 3);
    ring_cancel(&ring);
    ring_write(&ring, bytes, sizeof bytes); /* goes nowhere, and does not wait */
    CHECK_EQUAL(ring_next(&ring, &at), 0);
    ring_done(&ring);
}

static uint64_t written_so_far(struct ring *ring)
{
    lock_take(&ring->lock);
    uint64_t written = ring->written;
    lock_give(&ring->lock);
    return written;
}

enum { FIRST = RING_SIZE - 10, SECOND = 2 * RING_SIZE };

static uint8_t seen[FIRST + SECOND];

static void *write_second(void *context)
{
    static uint8_t bytes[SECOND];
    memset(bytes, 'b', sizeof bytes);
    ring_write(context, bytes, sizeof bytes);
    ring_end(context);
    return NULL;
}

static size_t take(struct ring *ring, size_t got)
{
    const uint8_t *at = NULL;
    size_t length = ring_next(ring, &at);
    REQUIRE_COMPARE(got + length, <=, sizeof seen);
    memcpy(seen + got, at, length);
    ring_release(ring, length);
    return length;
}

/* The writer waits with what does not fit, and overwrites nothing that was not read. */
UNIT_TEST(test_ring_that_is_full, "a full ring makes its writer wait")
{
    static uint8_t first[FIRST];
    struct ring ring;
    pthread_t writer;
    memset(first, 'a', sizeof first);
    REQUIRE_EQUAL(ring_init(&ring), 0);
    ring_write(&ring, first, sizeof first);
    size_t got = take(&ring, 0);
    REQUIRE_EQUAL(pthread_create(&writer, NULL, write_second, &ring), 0);
    for (int i = 0; i < 10000 && written_so_far(&ring) < RING_SIZE + got; i++) {
        usleep(1000);
    }
    CHECK_EQUAL(written_so_far(&ring), RING_SIZE + got);
    for (size_t length = take(&ring, got); length > 0; length = take(&ring, got)) {
        got += length;
    }
    CHECK_EQUAL(pthread_join(writer, NULL), 0);
    CHECK_EQUAL(got, sizeof seen);
    CHECK_BYTES(seen, first, sizeof first);
    for (size_t i = FIRST; i < sizeof seen; i += 4096) {
        CHECK_ROW("i = %zu", i);
        REQUIRE_EQUAL(seen[i], 'b');
    }
    ring_done(&ring);
}

static int file_of_million_a(void)
{
    static char million[1000000];
    int fd = memfd_create("million", MFD_CLOEXEC);
    memset(million, 'a', sizeof million);
    REQUIRE_COMPARE(fd, >=, 0);
    REQUIRE_EQUAL(write(fd, million, sizeof million), (ssize_t)sizeof million);
    CHECK_EQUAL(lseek(fd, 5, SEEK_SET), 5);
    return fd;
}

static bool stop_at_second_question(void *context)
{
    return ++*(int *)context > 1;
}

static bool never(void *context)
{
    (void)context;
    return false;
}

UNIT_TEST(test_file, "a file, whole or its beginning")
{
    int fd = file_of_million_a();
    struct digest *digest = make(true);
    CHECK_EQUAL(digest_file(digest, fd, UINT64_MAX, never, NULL), 0);
    expect(digest, of_million_a);
    digest = make(false);
    CHECK_EQUAL(digest_file(digest, fd, 1000000, NULL, NULL), 0);
    expect(digest, of_million_a);
    CHECK_EQUAL(lseek(fd, 0, SEEK_CUR), 5); /* the offset did not move */
    digest = make(false);
    CHECK_EQUAL(digest_file(digest, fd, 0, NULL, NULL), 0);
    expect(digest, of_nothing);
    digest = make(false);
    CHECK_EQUAL(digest_file(digest, fd, 1, NULL, NULL), 0);
    expect(digest, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb");
    close(fd);
}

UNIT_TEST(test_file_troubles, "a file that is short, a stop, a read error")
{
    int fd = file_of_million_a();
    struct digest *digest = make(false);
    CHECK_EQUAL(digest_file(digest, fd, 1000001, NULL, NULL), -ENODATA);
    int questions = 1;
    CHECK_EQUAL(digest_file(digest, fd, UINT64_MAX, stop_at_second_question, &questions),
                -ECANCELED);
    questions = 0;
    REQUIRE_EQUAL(ftruncate(fd, 16 << 20), 0);
    CHECK_EQUAL(digest_file(digest, fd, UINT64_MAX, stop_at_second_question, &questions),
                -ECANCELED);
    CHECK_EQUAL(questions, 2);
    close(fd);
    CHECK_EQUAL(digest_file(digest, fd, UINT64_MAX, NULL, NULL), -EBADF);
    digest_free(digest);
}

/* Hashing a large file takes as long as it takes: each piece has its own limit. */
static bool is_not_late(void *context)
{
    struct watchdog_late late;
    CHECK_FALSE(watchdog_find_late(clock_ms(), &late));
    return ++*(int *)context > 2;
}

UNIT_TEST(test_file_is_not_late, "hashing a file is never late")
{
    struct watchdog_late late;
    int questions = 0;
    int fd = memfd_create("image", MFD_CLOEXEC);
    REQUIRE_COMPARE(fd, >=, 0);
    REQUIRE_EQUAL(ftruncate(fd, 16 << 20), 0);
    struct digest *digest = make(false);
    watchdog_init(1);
    watchdog_enter("job", 0);
    watchdog_expect_at("what came before", 0, 0);
    CHECK_TRUE(watchdog_find_late(clock_ms(), &late));
    CHECK_EQUAL(digest_file(digest, fd, UINT64_MAX, is_not_late, &questions), -ECANCELED);
    CHECK_EQUAL(questions, 3);
    watchdog_leave();
    watchdog_init(0);
    digest_free(digest);
    close(fd);
}

int main(void)
{
    digest_library_init();
    return unit_main("digest");
}
