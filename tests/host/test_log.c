/* SPDX-License-Identifier: Apache-2.0 */
/* Lines on stderr, and when the journal is used instead. */
#include "host/log.h"
#include "host/systemd/notify.h"
#include "support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- stderr is a pipe that the test reads --- */

static int real_stderr;
static int read_end;

static void capture_begin(void)
{
    int ends[2];
    REQUIRE_EQUAL(pipe2(ends, O_CLOEXEC), 0);
    REQUIRE_EQUAL(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    real_stderr = dup(STDERR_FILENO);
    REQUIRE_COMPARE(real_stderr, >=, 0);
    REQUIRE_EQUAL(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    CHECK_EQUAL(close(ends[1]), 0);
    read_end = ends[0];
}

static const char *captured(void)
{
    static char text[16384];
    ssize_t length = read(read_end, text, sizeof text - 1);
    text[length > 0 ? length : 0] = '\0';
    return text;
}

static void capture_end(void)
{
    CHECK_EQUAL(dup2(real_stderr, STDERR_FILENO), STDERR_FILENO);
    CHECK_EQUAL(close(real_stderr), 0);
    CHECK_EQUAL(close(read_end), 0);
}

UNIT_TEST(test_lines, "a line for each priority")
{
    capture_begin();
    log_init("vsock_test", LOG_STDERR, true);
    log_error("no %s", "door");
    log_warning("w");
    log_notice("n");
    log_info("i");
    log_line(PRIORITY_DEBUG, "d");
    CHECK_STRING(captured(), "vsock_test: error: no door\n"
                             "vsock_test: warning: w\n"
                             "vsock_test: notice: n\n"
                             "vsock_test: info: i\n"
                             "vsock_test: debug: d\n");
    capture_end();
}

UNIT_TEST(test_debug_is_for_verbose, "debug lines are for -v")
{
    capture_begin();
    log_init("vsock_test", LOG_STDERR, false);
    log_line(PRIORITY_DEBUG, "d");
    log_info("i");
    CHECK_STRING(captured(), "vsock_test: info: i\n");
    capture_end();
}

/* Nobody reads: what does not fit is lost and counted, and nobody waits for it. */
UNIT_TEST(test_full_pipe, "a full pipe loses lines, and says how many")
{
    capture_begin();
    log_init("vsock_test", LOG_STDERR, false);
    CHECK_COMPARE(fcntl(STDERR_FILENO, F_SETPIPE_SZ, 4096), >=, 0);
    char filler[4096];
    memset(filler, 'x', sizeof filler);
    CHECK_EQUAL(write(STDERR_FILENO, filler, sizeof filler), (ssize_t)sizeof filler);
    log_info("a");
    log_info("b");
    log_info("c");
    CHECK_EQUAL(strlen(captured()), sizeof filler);
    log_info("d");
    CHECK_STRING(captured(), "vsock_test: info: (lines lost: 3) d\n");
    log_info("e");
    CHECK_STRING(captured(), "vsock_test: info: e\n");
    capture_end();
}

UNIT_TEST(test_escaped, "messages are escaped")
{
    capture_begin();
    log_init("vsock_test", LOG_STDERR, false);
    log_info("%s", "two\nlines\x1b[2J \xff \xc3\xa9");
    CHECK_STRING(captured(), "vsock_test: info: two\\x0alines\\x1b[2J \\xff \xc3\xa9\n");
    capture_end();
}

/* Characters of two bytes, behind `offset` bytes of one. */
static void check_long_line(size_t offset)
{
    static const char prefix[] = "vsock_test: info: ";
    char message[3 * LOG_TEXT_MAX] = ".";
    for (size_t i = offset; i + 2 < sizeof message; i += 2) {
        memcpy(message + i, "\xc3\xa9", 2);
    }
    message[sizeof message - 1] = '\0';
    log_info("%s", message);
    const char *line = captured();
    size_t length = strlen(prefix) + LOG_TEXT_MAX - offset;
    REQUIRE_EQUAL(strlen(line), length + 1);
    CHECK_BYTES(line + length - 2, "\xc3\xa9\n", 3);
    CHECK_BYTES(line + strlen(prefix), message, LOG_TEXT_MAX - offset);
}

/* 2,048 bytes end at a character, or inside one. */
UNIT_TEST(test_long_line, "a long line is cut at a character")
{
    capture_begin();
    log_init("vsock_test", LOG_STDERR, false);
    check_long_line(0);
    check_long_line(1);
    capture_end();
}

UNIT_TEST(test_fields_are_for_the_journal, "fields are not shown on stderr")
{
    const struct log_field field = {"VSOCK_CID", "3"};
    capture_begin();
    log_init("vsock_test", LOG_STDERR, false);
    log_event(PRIORITY_INFO, "51206f771c6448da8f7d5f685d8e5d7e", &field, 1, "hello");
    CHECK_STRING(captured(), "vsock_test: info: hello\n");
    capture_end();
}

UNIT_TEST(test_errno_is_kept, "errno is kept, and a closed stderr does no harm")
{
    capture_begin();
    log_init("vsock_test", LOG_STDERR, false);
    REQUIRE_EQUAL(close(STDERR_FILENO), 0);
    errno = ENOSPC;
    log_info("lost: stderr is closed");
    CHECK_EQUAL(errno, ENOSPC);
    capture_end();
    capture_begin();
    log_info("back");
    CHECK_STRING(captured(), "vsock_test: info: (lines lost: 1) back\n");
    capture_end();
}

UNIT_TEST(test_no_journal_is_stderr, "without a journal it is stderr")
{
    if (journal_available()) {
        printf("(not run: this machine has a journal) ");
        return;
    }
    capture_begin();
    log_init("vsock_test", LOG_JOURNAL, false);
    log_info("i");
    CHECK_STRING(captured(), "vsock_test: info: i\n");
    capture_end();
}

/* --- where it goes --- */

UNIT_TEST(test_target, "auto follows JOURNAL_STREAM")
{
    const struct stat stat = {.st_dev = 9, .st_ino = 1234};
    CHECK_TRUE(log_target_is_journal(LOG_JOURNAL, NULL, NULL));
    CHECK_FALSE(log_target_is_journal(LOG_STDERR, "9:1234", &stat));
    CHECK_TRUE(log_target_is_journal(LOG_AUTO, "9:1234", &stat));
    CHECK_FALSE(log_target_is_journal(LOG_AUTO, "9:12345", &stat));
    CHECK_FALSE(log_target_is_journal(LOG_AUTO, "9:123", &stat));
    CHECK_FALSE(log_target_is_journal(LOG_AUTO, "8:1234", &stat));
    CHECK_FALSE(log_target_is_journal(LOG_AUTO, "", &stat));
    CHECK_FALSE(log_target_is_journal(LOG_AUTO, NULL, &stat));
    CHECK_FALSE(log_target_is_journal(LOG_AUTO, "9:1234", NULL));
}

UNIT_MAIN("log")
