/* SPDX-License-Identifier: Apache-2.0 */
/* Messages on consoles, which here are files, FIFOs and nothing at all. */
#include "host/console.h"
#include "host/log.h"
#include "support/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WAIT_ROUNDS = 1000, WAIT_MS = 10, CONTENT_MAX = 4096 };

static char folder[] = "/tmp/vsock-console-XXXXXX";
static char first_path[64];
static char second_path[64];
static char missing_path[] = "/nonexistent/console";
static char own_name[] = "test_console"; /* stands in this program's command line */
static char absent_word[] = "no-process-has-this-word";

/* A console on the two files, with a queue of 2 and at most 3 repeats. */
struct fixture {
    char *devices[3];
    char *words[2];
    struct conf conf;
    struct console *console;
};

static void open_console(struct fixture *fixture, char *first, char *second, int64_t interval_ms)
{
    *fixture = (struct fixture){.devices = {first, second, NULL}};
    fixture->conf.console.devices.items = fixture->devices;
    fixture->conf.console.devices.count = second == NULL ? 1 : 2;
    fixture->conf.console.skip_while_running.items = fixture->words;
    fixture->conf.console.max_repeats = 3;
    fixture->conf.console.interval_ms = interval_ms;
    fixture->conf.console.queue = 2;
    REQUIRE_EQUAL(console_new(&fixture->conf, &fixture->console), 0);
}

static void close_console(struct fixture *fixture)
{
    console_stop(fixture->console);
    console_free(fixture->console);
}

static void empty(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    REQUIRE_COMPARE(fd, >=, 0);
    close(fd);
}

static void content(const char *path, char ret[CONTENT_MAX])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, ret, CONTENT_MAX - 1);
    ret[length > 0 ? length : 0] = '\0';
    if (fd >= 0) {
        close(fd);
    }
}

/* Waits until the file holds just that. */
static void expect(const char *path, const char *wanted)
{
    char seen[CONTENT_MAX] = "";
    for (int i = 0; i < WAIT_ROUNDS; i++) {
        content(path, seen);
        if (strlen(seen) >= strlen(wanted)) {
            break;
        }
        (void)poll(NULL, 0, WAIT_MS);
    }
    CHECK_STRING(seen, wanted);
}

static enum error_code say(struct fixture *fixture, const char *message, uint32_t count)
{
    char why[256];
    return console_notify(fixture->console, text_of(message), count, why, sizeof why);
}

UNIT_TEST(test_every_console_gets_it, "every console gets it")
{
    struct fixture fixture;
    empty(first_path);
    empty(second_path);
    open_console(&fixture, first_path, second_path, 0);
    CHECK_EQUAL(say(&fixture, "hello\nworld\t!", 1), ERROR_NONE);
    expect(first_path, "\nhello\nworld\t!\n");
    expect(second_path, "\nhello\nworld\t!\n");
    close_console(&fixture);
}

UNIT_TEST(test_escapes_are_harmless, "escapes are harmless")
{
    struct fixture fixture;
    empty(first_path);
    open_console(&fixture, first_path, NULL, 0);
    CHECK_EQUAL(say(&fixture, "a\x1b[2Jb\r\x7f", 1), ERROR_NONE);
    expect(first_path, "\na\\x1b[2Jb\\x0d\\x7f\n");
    close_console(&fixture);
}

UNIT_TEST(test_repeats_are_cut_and_not_mixed, "repeats are cut and not mixed")
{
    struct fixture fixture;
    empty(first_path);
    open_console(&fixture, first_path, NULL, 20);
    CHECK_EQUAL(say(&fixture, "a", 3), ERROR_NONE);
    CHECK_EQUAL(say(&fixture, "b", 4), ERROR_NONE); /* one more than the limit */
    expect(first_path, "\na\n\na\n\na\n\nb\n\nb\n\nb\n");
    close_console(&fixture);
}

UNIT_TEST(test_count_0_is_done_at_once, "count 0 is done at once")
{
    struct fixture fixture;
    open_console(&fixture, missing_path, NULL, 0);
    CHECK_EQUAL(say(&fixture, "a", 0), ERROR_NONE);
    CHECK_EQUAL(say(&fixture, "a", 1), ERROR_UNAVAILABLE);
    close_console(&fixture);
}

UNIT_TEST(test_missing_console_is_skipped, "missing console is skipped")
{
    struct fixture fixture;
    empty(second_path);
    open_console(&fixture, missing_path, second_path, 0);
    CHECK_EQUAL(say(&fixture, "a", 1), ERROR_NONE);
    expect(second_path, "\na\n");
    close_console(&fixture);
}

/* A pipe that somebody holds open and does not read takes what fits, and then nothing. */
UNIT_TEST(test_blocking_console_is_skipped, "blocking console is skipped")
{
    struct fixture fixture;
    char path[80];
    (void)snprintf(path, sizeof path, "%s/stuck", folder);
    REQUIRE_EQUAL(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int writer = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    REQUIRE_COMPARE(reader, >=, 0);
    REQUIRE_COMPARE(writer, >=, 0);
    char filler[4096] = "";
    while (write(writer, filler, sizeof filler) > 0) {
    }
    empty(second_path);
    open_console(&fixture, path, second_path, 0);
    CHECK_EQUAL(say(&fixture, "a", 1), ERROR_NONE);
    expect(second_path, "\na\n");
    close_console(&fixture);
    close(reader);
    close(writer);
    (void)unlink(path);
}

UNIT_TEST(test_queue_on_both_sides, "queue, both sides")
{
    struct fixture fixture;
    empty(first_path);
    open_console(&fixture, first_path, NULL, 60000); /* the first one occupies the thread */
    CHECK_EQUAL(say(&fixture, "a", 2), ERROR_NONE);
    expect(first_path, "\na\n");
    CHECK_EQUAL(say(&fixture, "b", 1), ERROR_NONE);
    CHECK_EQUAL(say(&fixture, "c", 1), ERROR_NONE);
    CHECK_EQUAL(say(&fixture, "d", 1), ERROR_BUSY);
    close_console(&fixture); /* ends in the middle of the repeats */
    expect(first_path, "\na\n");
}

UNIT_TEST(test_operators_tool_owns_the_console, "operator's tool owns the console")
{
    char *present[] = {own_name, NULL};
    char *absent[] = {own_name, absent_word, NULL};
    char *none[] = {NULL};
    if (geteuid() == 0) {
        CHECK_TRUE(console_is_busy(present));
    }
    CHECK_FALSE(console_is_busy(absent));
    CHECK_FALSE(console_is_busy(none));
}

UNIT_TEST(test_nothing_is_written_while_skipped, "nothing is written while skipped")
{
    if (geteuid() != 0) {
        return; /* the rule is about processes of root; the system test tells that it is skipped */
    }
    struct fixture fixture;
    empty(first_path);
    open_console(&fixture, first_path, NULL, 0);
    fixture.words[0] = own_name;
    CHECK_EQUAL(say(&fixture, "hidden", 3), ERROR_NONE);
    CHECK_EQUAL(say(&fixture, "hidden", 3), ERROR_NONE);
    close_console(&fixture);
    expect(first_path, "");
}

int main(void)
{
    if (mkdtemp(folder) == NULL) {
        perror(folder);
        return 1;
    }
    (void)snprintf(first_path, sizeof first_path, "%s/first", folder);
    (void)snprintf(second_path, sizeof second_path, "%s/second", folder);
    log_init("test_console", LOG_STDERR, false);
    int failed = unit_main("console");
    (void)unlink(first_path); /* left-overs in /tmp */
    (void)unlink(second_path);
    (void)rmdir(folder);
    return failed;
}
