/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/stream.h"
#include "support/unit.h"
#include "wire/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* A stream, its peer, and a stop descriptor. */
struct pair {
    struct stream stream;
    int peer;
    int stop[2];
};

static void pair_open(struct pair *pair)
{
    int ends[2];
    REQUIRE_EQUAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    REQUIRE_EQUAL(pipe2(pair->stop, O_CLOEXEC), 0);
    stream_init(&pair->stream, pair->stop[0]);
    stream_open(&pair->stream, &ends[0]);
    CHECK_EQUAL(ends[0], -1);
    pair->peer = ends[1];
}

static void pair_close(struct pair *pair)
{
    stream_close(&pair->stream);
    CHECK_EQUAL(pair->stream.fd, -1);
    close(pair->peer);
    close(pair->stop[0]);
    close(pair->stop[1]);
}

UNIT_TEST(test_fill_take_drop, "fill, take, drop")
{
    struct pair pair;
    pair_open(&pair);
    CHECK_EQUAL(write(pair.peer, "abcdef", 6), 6);
    CHECK_EQUAL(stream_fill(&pair.stream, CLOCK_NEVER), 0);
    CHECK_EQUAL(pair.stream.length, 6);
    stream_take(&pair.stream, 4);
    CHECK_BYTES(pair.stream.bytes, "abcdef", 6);
    stream_drop(&pair.stream);
    CHECK_EQUAL(pair.stream.length, 2);
    CHECK_BYTES(pair.stream.bytes, "ef", 2);
    stream_drop(&pair.stream);
    CHECK_EQUAL(pair.stream.length, 2);
    CHECK_FALSE(pair.stream.eof);
    shutdown(pair.peer, SHUT_WR);
    CHECK_EQUAL(stream_fill(&pair.stream, CLOCK_NEVER), 0);
    CHECK_TRUE(pair.stream.eof);
    pair_close(&pair);
}

/* A host that never stops sending does not hold a guest beyond its time limit. */
UNIT_TEST(test_a_deadline_that_has_passed_counts_before_what_is_there,
          "a deadline that has passed counts before what is there")
{
    struct pair pair;
    size_t sent = 1;
    pair_open(&pair);
    CHECK_EQUAL(write(pair.peer, "x", 1), 1);
    CHECK_EQUAL(stream_fill(&pair.stream, clock_ms()), -ETIME);
    CHECK_EQUAL(stream_send(&pair.stream, (const uint8_t *)"x", 1, clock_ms(), &sent), -ETIME);
    CHECK_EQUAL(sent, 0);
    CHECK_EQUAL(pair.stream.length, 0);
    pair_close(&pair);
}

UNIT_TEST(test_a_stop_counts_before_what_is_there, "a stop counts before what is there")
{
    struct pair pair;
    size_t sent = 1;
    pair_open(&pair);
    CHECK_EQUAL(write(pair.peer, "x", 1), 1);
    CHECK_EQUAL(write(pair.stop[1], "", 1), 1);
    CHECK_EQUAL(stream_fill(&pair.stream, CLOCK_NEVER), -ECANCELED);
    CHECK_EQUAL(stream_send(&pair.stream, (const uint8_t *)"x", 1, CLOCK_NEVER, &sent), -ECANCELED);
    CHECK_EQUAL(sent, 0);
    CHECK_EQUAL(stream_pause(&pair.stream, CLOCK_NEVER), -ECANCELED);
    pair_close(&pair);
}

UNIT_TEST(test_pause_ends_at_its_deadline, "a pause ends at its deadline")
{
    struct pair pair;
    pair_open(&pair);
    CHECK_EQUAL(stream_pause(&pair.stream, clock_deadline(1)), 0);
    pair_close(&pair);
}

UNIT_TEST(test_nobody_reads, "nobody reads")
{
    static uint8_t bytes[1 << 20];
    struct pair pair;
    size_t sent = 0;
    pair_open(&pair);
    CHECK_EQUAL(stream_send(&pair.stream, bytes, sizeof bytes, clock_deadline(100), &sent), -ETIME);
    CHECK_COMPARE(sent, >, 0);
    CHECK_COMPARE(sent, <, sizeof bytes);
    pair_close(&pair);
}

UNIT_TEST(test_a_peer_that_is_gone, "a peer that is gone")
{
    struct pair pair;
    size_t sent = 1;
    pair_open(&pair);
    shutdown(pair.peer, SHUT_RD);
    CHECK_EQUAL(stream_send(&pair.stream, (const uint8_t *)"x", 1, CLOCK_NEVER, &sent), -EPIPE);
    CHECK_EQUAL(sent, 0);
    pair_close(&pair);
}

UNIT_TEST(test_a_full_buffer, "a full buffer")
{
    struct pair pair;
    pair_open(&pair);
    pair.stream.length = sizeof pair.stream.bytes;
    CHECK_EQUAL(stream_fill(&pair.stream, CLOCK_NEVER), -ENOBUFS);
    stream_take(&pair.stream, sizeof pair.stream.bytes);
    stream_drop(&pair.stream);
    CHECK_EQUAL(pair.stream.length, 0);
    pair_close(&pair);
}

UNIT_MAIN("guest: stream")
