/* SPDX-License-Identifier: Apache-2.0 */
#include "host/install_record.h"
#include "host/keyfile.h"
#include "support/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/test_install_record.XXXXXX";
static int directory_fd = -1;

static const struct install_record sample = {
    .stage = RECORD_FAILED,
    .sha256 = {0xab, 0xcd, [31] = 0x01},
    .boot_id = "01234567-89ab-cdef-0123-456789abcdef",
    .started = 1763800000,
    .ended = 1763800007,
    .reboot_at = 0,
    .exit_status = 137,
    .code = ERROR_NOT_READY,
    .text = "one line | another",
};

/* The file's lines, in its order; a test breaks one at a time. */
static const char *const lines[] = {
    "stage=failed",
    "sha256=abcd000000000000000000000000000000000000000000000000000000000001",
    "boot_id=01234567-89ab-cdef-0123-456789abcdef",
    "started=1763800000",
    "ended=1763800007",
    "reboot_at=0",
    "exit_status=137",
    "code=not_ready",
    "text=one line | another",
};
enum { LINES = COUNT(lines) };

/* The lines with line `changed` (-1: none) replaced, or left out when `with` is NULL. */
static size_t build(int changed, const char *with, char *out, size_t size)
{
    size_t length = 0;
    for (int i = 0; i < LINES; i++) {
        const char *line = i == changed ? with : lines[i];
        if (line != NULL) {
            length += (size_t)snprintf(out + length, size - length, "%s\n", line);
        }
    }
    return length;
}

static int read_changed(int changed, const char *with, struct install_record *record)
{
    char bytes[2048];
    size_t length = build(changed, with, bytes, sizeof bytes);
    REQUIRE_EQUAL(file_replace(directory_fd, "record", bytes, length, 0644), 0);
    return install_record_read(directory_fd, record);
}

static void assert_same(const struct install_record *a, const struct install_record *b)
{
    CHECK_EQUAL(a->stage, b->stage);
    CHECK_BYTES(a->sha256, b->sha256, SHA256_SIZE);
    CHECK_STRING(a->boot_id, b->boot_id);
    CHECK_EQUAL(a->started, b->started);
    CHECK_EQUAL(a->ended, b->ended);
    CHECK_EQUAL(a->reboot_at, b->reboot_at);
    CHECK_EQUAL(a->exit_status, b->exit_status);
    CHECK_EQUAL(a->code, b->code);
    CHECK_STRING(a->text, b->text);
}

UNIT_TEST(test_round_trip, "a record round-trips")
{
    for (int stage = RECORD_STARTED; stage <= RECORD_REBOOTING; stage++) {
        CHECK_ROW("stage = %d", stage);
        struct install_record in;
        struct install_record out = sample;
        out.stage = (enum install_record_stage)stage;
        out.exit_status = stage - 1;
        out.code = stage == RECORD_FAILED ? ERROR_INSTALL_FAILED : ERROR_NONE;
        REQUIRE_EQUAL(install_record_write(directory_fd, &out), 0);
        REQUIRE_EQUAL(install_record_read(directory_fd, &in), 0);
        assert_same(&in, &out);
    }
    struct stat status;
    REQUIRE_EQUAL(fstatat(directory_fd, "record", &status, AT_SYMLINK_NOFOLLOW), 0);
    CHECK_EQUAL(status.st_mode & 07777, 0644);
}

UNIT_TEST(test_form, "the file's form")
{
    struct keyfile file;
    char expected[2048];
    size_t length = build(-1, NULL, expected, sizeof expected);
    REQUIRE_EQUAL(install_record_write(directory_fd, &sample), 0);
    REQUIRE_EQUAL(keyfile_read(directory_fd, "record", &file), 0);
    REQUIRE_EQUAL(file.length, length);
    CHECK_BYTES(file.bytes, expected, file.length);
    struct install_record record;
    REQUIRE_EQUAL(read_changed(-1, NULL, &record), 0);
    assert_same(&record, &sample);
}

UNIT_TEST(test_text_is_escaped, "text cannot become a line")
{
    struct install_record record = sample;
    (void)snprintf(record.text, sizeof record.text, "a\nstage=installed");
    REQUIRE_EQUAL(install_record_write(directory_fd, &record), 0);
    REQUIRE_EQUAL(install_record_read(directory_fd, &record), 0);
    CHECK_STRING(record.text, "a\\x0astage=installed");
    CHECK_EQUAL(record.stage, RECORD_FAILED);
}

UNIT_TEST(test_missing_lines, "missing lines")
{
    struct install_record record = {.exit_status = 99};
    for (int i = 0; i < LINES; i++) {
        CHECK_ROW("i = %d", i);
        bool optional = i == 6 || i == 7; /* exit_status, code */
        CHECK_EQUAL(read_changed(i, NULL, &record), optional ? 0 : -EBADMSG);
    }
    REQUIRE_EQUAL(read_changed(6, NULL, &record), 0);
    CHECK_EQUAL(record.exit_status, -1);
    REQUIRE_EQUAL(read_changed(7, NULL, &record), 0);
    CHECK_EQUAL(record.code, ERROR_NONE);
}

UNIT_TEST(test_bad_lines, "bad lines")
{
    static const struct {
        int line;
        const char *with;
    } bad[] = {
        {0, "stage="},
        {0, "stage=Failed"},
        {0, "stage=a-name-that-is-longer-than-any"},
        {1, "sha256=abcd"},
        {1, "sha256=xbcd000000000000000000000000000000000000000000000000000000000001"},
        {1, "sha256=abcd0000000000000000000000000000000000000000000000000000000000010"},
        {2, "boot_id=01234567-89ab-cdef-0123-456789abcde"},
        {2, "boot_id=01234567-89ab-cdef-0123-456789abcdeF"},
        {2, "boot_id=01234567-89ab-cdef-0123-456789abcdef0"},
        {3, "started=-1"},
        {3, "started=18446744073709551616"},
        {4, "ended="},
        {5, "reboot_at=soon"},
        {6, "exit_status=256"},
        {6, "exit_status=-1"},
        {7, "code=ok"},
        {7, "code=14"},
        {8, "no line of this form"},
    };
    CHECK_EACH(i, bad, "%s", bad[i].with) {
        struct install_record record = {.started = 4};
        CHECK_EQUAL(read_changed(bad[i].line, bad[i].with, &record), -EBADMSG);
        CHECK_EQUAL(record.started, 4);
    }
}

UNIT_TEST(test_long_text, "text as long as it may be")
{
    char with[1300];
    struct install_record record;
    memset(with, 'x', sizeof with);
    memcpy(with, "text=", 5);
    with[5 + 1279] = '\0';
    CHECK_EQUAL(read_changed(8, with, &record), 0);
    CHECK_EQUAL(strlen(record.text), 1279);
    with[5 + 1279] = 'x';
    with[5 + 1280] = '\0';
    CHECK_EQUAL(read_changed(8, with, &record), -EBADMSG);
}

UNIT_TEST(test_install_state, "install state: lock and record")
{
    struct install_state state = {.recorded = true};
    (void)unlinkat(directory_fd, "record", 0); /* the state of a new machine */
    CHECK_EQUAL(install_state_read(directory_fd, &state), 0);
    CHECK_FALSE(state.alive);
    CHECK_FALSE(state.recorded);

    int lock_fd = openat(directory_fd, INSTALL_LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    REQUIRE_EQUAL(install_record_write(directory_fd, &sample), 0);
    REQUIRE_EQUAL(install_state_read(directory_fd, &state), 0);
    CHECK_FALSE(state.alive);
    CHECK_TRUE(state.recorded);
    assert_same(&state.record, &sample);

    REQUIRE_EQUAL(fcntl(lock_fd, F_OFD_SETLK, &lock), 0);
    CHECK_EQUAL(install_state_read(directory_fd, &state), 0);
    CHECK_TRUE(state.alive);
    (void)close(lock_fd);
    CHECK_EQUAL(install_state_read(directory_fd, &state), 0);
    CHECK_FALSE(state.alive);

    CHECK_EQUAL(read_changed(0, "stage=?", &state.record), -EBADMSG);
    state.recorded = true;
    CHECK_EQUAL(install_state_read(directory_fd, &state), -EBADMSG);
}

int main(void)
{
    return folder_unit_main("record", directory, &directory_fd);
}
