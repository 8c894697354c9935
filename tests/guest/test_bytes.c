/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing within limits: what is ready is not too late. */
#include "guest/bytes.h"
#include "support/unit.h"
#include "wire/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { PASSED_MS = 0 }; /* a deadline long ago */

static int ends[2];
static int stop[2];

static void open_all(void)
{
    REQUIRE_EQUAL(pipe2(ends, O_CLOEXEC), 0);
    REQUIRE_EQUAL(pipe2(stop, O_CLOEXEC), 0);
}

static void close_all(void)
{
    for (int i = 0; i < 2; i++) {
        CHECK_ROW("i = %d", i);
        CHECK_EQUAL(close(ends[i]), 0);
        CHECK_EQUAL(close(stop[i]), 0);
    }
}

/* Until the pipe takes nothing more. */
static void fill(void)
{
    static const char block[4096];
    CHECK_EQUAL(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    while (write(ends[1], block, sizeof block) > 0) {
    }
    CHECK_EQUAL(errno, EAGAIN);
    CHECK_EQUAL(fcntl(ends[1], F_SETFL, 0), 0);
}

UNIT_TEST(test_write_what_is_ready, "what is ready is written after the limit too")
{
    char got[8] = "";
    open_all();
    REQUIRE_EQUAL(bytes_write(ends[1], "answer", 6, stop[0], PASSED_MS), 0);
    CHECK_EQUAL(read(ends[0], got, sizeof got), 6);
    CHECK_BYTES(got, "answer", 6);
    close_all();
}

UNIT_TEST(test_write_what_is_not, "what is not ready: the limit, and the stop")
{
    open_all();
    fill();
    CHECK_EQUAL(bytes_write(ends[1], "answer", 6, stop[0], PASSED_MS), -ETIME);
    CHECK_EQUAL(bytes_write(ends[1], "answer", 6, stop[0], clock_deadline(10)), -ETIME);
    CHECK_EQUAL(write(stop[1], "", 1), 1);
    CHECK_EQUAL(bytes_write(ends[1], "answer", 6, stop[0], CLOCK_NEVER), -ECANCELED);
    close_all();
}

UNIT_TEST(test_read, "reading once")
{
    char got[8] = "";
    size_t length = 99;
    open_all();
    CHECK_EQUAL(bytes_read(ends[0], got, sizeof got, stop[0], PASSED_MS, &length), -ETIME);
    CHECK_EQUAL(length, 99);
    CHECK_EQUAL(write(ends[1], "12345", 5), 5);
    REQUIRE_EQUAL(bytes_read(ends[0], got, 3, stop[0], PASSED_MS, &length), 0);
    CHECK_EQUAL(length, 3);
    CHECK_EQUAL(bytes_read(ends[0], got, sizeof got, stop[0], CLOCK_NEVER, &length), 0);
    CHECK_EQUAL(length, 2);
    CHECK_EQUAL(write(stop[1], "", 1), 1);
    CHECK_EQUAL(bytes_read(ends[0], got, 1, stop[0], CLOCK_NEVER, &length), -ECANCELED);
    close_all();
}

UNIT_TEST(test_read_to_the_end, "reading to the end")
{
    char got[8] = "";
    size_t length = 99;
    open_all();
    CHECK_EQUAL(write(ends[1], "12345", 5), 5);
    CHECK_EQUAL(bytes_read_all(ends[0], got, 5, stop[0], CLOCK_NEVER, &length), 0);
    CHECK_EQUAL(length, 5);
    CHECK_EQUAL(write(ends[1], "678", 3), 3);
    CHECK_EQUAL(close(ends[1]), 0);
    CHECK_EQUAL(bytes_read_all(ends[0], got, sizeof got, stop[0], CLOCK_NEVER, &length), 0);
    CHECK_EQUAL(length, 3);
    ends[1] = open("/dev/null", O_WRONLY | O_CLOEXEC);
    close_all();
}

UNIT_MAIN("guest: bytes")
