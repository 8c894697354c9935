/* SPDX-License-Identifier: Apache-2.0 */
#include "host/keyfile.h"
#include "support/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/test_keyfile.XXXXXX";
static int directory_fd = -1;

static void put(const char *name, const void *bytes, size_t length)
{
    REQUIRE_EQUAL(file_replace(directory_fd, name, bytes, length, 0600), 0);
}

static int read_back(const void *bytes, size_t length)
{
    struct keyfile file = {.length = 7};
    put("file", bytes, length);
    int error = keyfile_read(directory_fd, "file", &file);
    CHECK_TRUE(error == 0 ? file.length == length : file.length == 7);
    return error;
}

static int read_string(const char *bytes)
{
    return read_back(bytes, strlen(bytes));
}

UNIT_TEST(test_round_trip, "values round-trip")
{
    struct keyfile out;
    struct keyfile in;
    char value[64];
    uint64_t number = 0;
    keyfile_init(&out);
    keyfile_set(&out, "url", "http://a/?x=1");
    keyfile_set(&out, "empty", "");
    keyfile_set_number(&out, "done", UINT64_MAX);
    REQUIRE_EQUAL(keyfile_write(&out, directory_fd, "file", 0640), 0);
    REQUIRE_EQUAL(keyfile_read(directory_fd, "file", &in), 0);
    CHECK_EQUAL(keyfile_get(&in, "url", value, sizeof value), 0);
    CHECK_STRING(value, "http://a/?x=1");
    CHECK_EQUAL(keyfile_get(&in, "empty", value, sizeof value), 0);
    CHECK_STRING(value, "");
    CHECK_EQUAL(keyfile_get_number(&in, "done", &number), 0);
    CHECK_EQUAL(number, UINT64_MAX);
}

UNIT_TEST(test_get_refuses, "get refuses and writes nothing")
{
    struct keyfile file;
    char value[4] = "old";
    uint64_t number = 5;
    keyfile_init(&file);
    keyfile_set(&file, "word", "four");
    CHECK_EQUAL(keyfile_get(&file, "wor", value, sizeof value), -ENOENT);
    CHECK_EQUAL(keyfile_get(&file, "word", value, sizeof value), -ENOBUFS);
    CHECK_EQUAL(keyfile_get_number(&file, "word", &number), -EINVAL);
    CHECK_STRING(value, "old");
    CHECK_EQUAL(number, 5);
}

UNIT_TEST(test_values_are_escaped, "values are escaped")
{
    struct keyfile file;
    char value[64];
    keyfile_init(&file);
    keyfile_set(&file, "text", "a\nstage=installed\x1b[2J");
    REQUIRE_EQUAL(keyfile_write(&file, directory_fd, "file", 0600), 0);
    REQUIRE_EQUAL(keyfile_read(directory_fd, "file", &file), 0);
    CHECK_EQUAL(keyfile_get(&file, "stage", value, sizeof value), -ENOENT);
    CHECK_EQUAL(keyfile_get(&file, "text", value, sizeof value), 0);
    CHECK_STRING(value, "a\\x0astage=installed\\x1b[2J");
}

UNIT_TEST(test_bad_content, "bad content is refused")
{
    CHECK_EQUAL(read_string(""), 0);
    CHECK_EQUAL(read_string("a=1\n"), 0);
    CHECK_EQUAL(read_string("a=1"), -EBADMSG); /* cut */
    CHECK_EQUAL(read_string("a=1\n\n"), -EBADMSG);
    CHECK_EQUAL(read_string("a\n"), -EBADMSG);
    CHECK_EQUAL(read_string("=1\n"), -EBADMSG);
    CHECK_EQUAL(read_string("A=1\n"), -EBADMSG);
    CHECK_EQUAL(read_string(" a=1\n"), -EBADMSG);
    CHECK_EQUAL(read_string("a=1\na=1\n"), -EBADMSG);
    CHECK_EQUAL(read_string("a=1\r\n"), -EBADMSG);
    CHECK_EQUAL(read_string("a=\xff\n"), -EBADMSG);
    CHECK_EQUAL(read_back("a=\0\n", 4), -EBADMSG);
}

UNIT_TEST(test_sizes, "sizes")
{
    static char bytes[KEYFILE_MAX + 1];
    memset(bytes, 'x', sizeof bytes);
    CHECK_EQUAL(read_back(bytes, KEYFILE_MAX), -EFBIG);
    CHECK_EQUAL(read_back(bytes, KEYFILE_MAX - 1), -EBADMSG);
    bytes[0] = 'k';
    bytes[1] = '=';
    bytes[2 + 4096] = '\n';
    CHECK_EQUAL(read_back(bytes, 2 + 4096 + 1), 0);
    bytes[2 + 4096] = 'x';
    bytes[2 + 4097] = '\n';
    CHECK_EQUAL(read_back(bytes, 2 + 4097 + 1), -EBADMSG);
}

UNIT_TEST(test_overflow_is_remembered, "overflow is remembered")
{
    static char value[4096 + 2];
    struct keyfile file;
    char out[8];
    memset(value, 'v', sizeof value - 1);
    keyfile_init(&file);
    keyfile_set(&file, "k", value);
    keyfile_set(&file, "j", "short");
    CHECK_EQUAL(keyfile_write(&file, directory_fd, "never", 0600), -EFBIG);
    CHECK_EQUAL(faccessat(directory_fd, "never", F_OK, 0), -1);
    CHECK_EQUAL(keyfile_get(&file, "j", out, sizeof out), -ENOENT);
    value[4096] = '\0';
    keyfile_init(&file);
    keyfile_set(&file, "a", value);
    keyfile_set(&file, "b", value);
    keyfile_set(&file, "c", value);
    CHECK_EQUAL(keyfile_write(&file, directory_fd, "file", 0600), 0);
    keyfile_set(&file, "d", value);
    CHECK_EQUAL(keyfile_write(&file, directory_fd, "file", 0600), -EFBIG);
}

UNIT_TEST(test_what_is_opened, "links, FIFOs and folders are refused")
{
    struct keyfile file;
    CHECK_EQUAL(keyfile_read(directory_fd, "nothing", &file), -ENOENT);
    put("target", "a=1\n", 4);
    REQUIRE_EQUAL(symlinkat("target", directory_fd, "link"), 0);
    CHECK_EQUAL(keyfile_read(directory_fd, "link", &file), -ELOOP);
    REQUIRE_EQUAL(mkfifoat(directory_fd, "fifo", 0600), 0);
    CHECK_EQUAL(keyfile_read(directory_fd, "fifo", &file), -EBADMSG);
    REQUIRE_EQUAL(mkdirat(directory_fd, "folder", 0700), 0);
    CHECK_EQUAL(keyfile_read(directory_fd, "folder", &file), -EBADMSG);
}

UNIT_TEST(test_replace, "replacing follows no link and keeps the mode")
{
    struct stat status;
    struct keyfile file;
    put("target", "a=1\n", 4);
    (void)unlinkat(directory_fd, "victim", 0); /* left by an earlier test, or not */
    REQUIRE_EQUAL(symlinkat("target", directory_fd, "victim"), 0);
    REQUIRE_EQUAL(symlinkat("target", directory_fd, "victim.new"), 0);
    mode_t mask = umask(077);
    CHECK_EQUAL(file_replace(directory_fd, "victim", "b=2\n", 4, 0644), 0);
    umask(mask);
    REQUIRE_EQUAL(fstatat(directory_fd, "victim", &status, AT_SYMLINK_NOFOLLOW), 0);
    CHECK_TRUE(S_ISREG(status.st_mode));
    CHECK_EQUAL(status.st_mode & 07777, 0644);
    CHECK_EQUAL(faccessat(directory_fd, "victim.new", F_OK, AT_SYMLINK_NOFOLLOW), -1);
    CHECK_EQUAL(keyfile_read(directory_fd, "target", &file), 0);
    CHECK_BYTES(file.bytes, "a=1\n", 4);
}

UNIT_TEST(test_replace_fails_whole, "a failed replacement leaves nothing")
{
    /* The name is taken by a folder with something in it: rename refuses, nothing is left over. */
    REQUIRE_EQUAL(mkdirat(directory_fd, "full", 0700), 0);
    REQUIRE_EQUAL(mkdirat(directory_fd, "full/x", 0700), 0);
    CHECK_EQUAL(file_replace(directory_fd, "full", "b=2\n", 4, 0644), -EISDIR);
    CHECK_EQUAL(faccessat(directory_fd, "full.new", F_OK, 0), -1);
    char name[300];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    CHECK_EQUAL(file_replace(directory_fd, name, "", 0, 0644), -ENAMETOOLONG);
}

/* --- each call that file_replace makes, failing once --- */

static const char *failing; /* the call */
static int fails_at;        /* which one of its name, from 1 */
static int failure;         /* errno */

static bool fails(const char *name)
{
    if (failing == NULL || strcmp(failing, name) != 0 || --fails_at != 0) {
        return false;
    }
    errno = failure;
    return true;
}

ssize_t __real_write(int fd, const void *bytes, size_t length);
int __real_fchmod(int fd, mode_t mode);
int __real_fsync(int fd);
int __real_close(int fd);
int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_fsync(int fd);
int __wrap_close(int fd);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to);

ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
    return fails("write") ? -1 : __real_write(fd, bytes, length);
}

int __wrap_fchmod(int fd, mode_t mode)
{
    return fails("fchmod") ? -1 : __real_fchmod(fd, mode);
}

int __wrap_fsync(int fd)
{
    return fails("fsync") ? -1 : __real_fsync(fd);
}

int __wrap_close(int fd)
{
    int result = __real_close(fd); /* as the kernel does it: it is closed in any case */
    return fails("close") ? -1 : result;
}

int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    return fails("renameat") ? -1 : __real_renameat(from_fd, from, to_fd, to);
}

static void replace_fails(int error)
{
    static const struct {
        const char *call;
        int at;
        const char *left; /* what the file holds then */
    } rows[] = {
        {"write", 1, "a=1\n"}, {"fchmod", 1, "a=1\n"},   {"fsync", 1, "a=1\n"},
        {"close", 1, "a=1\n"}, {"renameat", 1, "a=1\n"}, {"fsync", 2, "b=2\n"},
    };
    CHECK_EACH(i, rows, "%s", rows[i].call) {
        struct keyfile file;
        put("kept", "a=1\n", 4);
        failing = rows[i].call;
        fails_at = rows[i].at;
        failure = error;
        CHECK_EQUAL(file_replace(directory_fd, "kept", "b=2\n", 4, 0644), -error);
        failing = NULL;
        REQUIRE_EQUAL(keyfile_read(directory_fd, "kept", &file), 0);
        CHECK_EQUAL(file.length, 4);
        CHECK_BYTES(file.bytes, rows[i].left, 4);
        CHECK_EQUAL(faccessat(directory_fd, "kept.new", F_OK, 0), -1);
    }
}

UNIT_TEST(test_replace_tells_each_failure, "each failure of a replacement is told")
{
    replace_fails(ENOSPC);
    replace_fails(EIO);
}

UNIT_TEST(test_boot_id, "boot id")
{
    char id[BOOT_ID_SIZE];
    REQUIRE_EQUAL(boot_id_read(id), 0);
    CHECK_EQUAL(strlen(id), BOOT_ID_SIZE - 1);
    CHECK_EQUAL(id[8], '-');
}

int main(void)
{
    return folder_unit_main("keyfile", directory, &directory_fd);
}
