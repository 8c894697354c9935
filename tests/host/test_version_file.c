/* SPDX-License-Identifier: Apache-2.0 */
#include "host/command.h"
#include "support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/vsock-version-XXXXXX";

static int read_as(const char *bytes, size_t length, char ret[HOSTOS_VERSION_MAX + 1])
{
    FILE *file = fopen(path, "we");
    REQUIRE_NOT_NULL(file);
    CHECK_EQUAL(fwrite(bytes, 1, length, file), length);
    CHECK_EQUAL(fclose(file), 0);
    return version_file_read(path, ret);
}

static void test_trimmed(void)
{
    static const struct {
        const char *file;
        const char *version;
    } rows[] = {
        {"1.2.3", "1.2.3"}, {"1.2.3\n", "1.2.3"}, {"\r\n\t 1.2.3 \v\f\n", "1.2.3"},
        {"a b\n", "a b"},   {"x", "x"},           {"\xc3\xa9\n", "\xc3\xa9"},
        {"1\n2\n", "1\n2"},
    };
    CHECK_EACH(i, rows, "%s", rows[i].file) {
        char version[HOSTOS_VERSION_MAX + 1];
        CHECK_EQUAL(read_as(rows[i].file, strlen(rows[i].file), version), 0);
        CHECK_STRING(version, rows[i].version);
    }
}

static void test_refused(void)
{
    static const struct {
        const char *file;
        size_t length;
        int error;
    } rows[] = {
        {"", 0, -ENODATA},    {" \n\t", 3, -ENODATA},   {"1\0002", 3, -EILSEQ},
        {"\xff", 1, -EILSEQ}, {"\xc0\xaf", 2, -EILSEQ}, {"\xed\xa0\x80", 3, -EILSEQ},
    };
    CHECK_EACH(i, rows, "error %d", rows[i].error) {
        char version[HOSTOS_VERSION_MAX + 1] = "untouched";
        CHECK_EQUAL(read_as(rows[i].file, rows[i].length, version), rows[i].error);
        CHECK_STRING(version, "untouched");
        CHECK_COMPARE(strlen(version_file_explain(rows[i].error)), >, 0);
    }
}

static void test_length_on_both_sides(void)
{
    char version[HOSTOS_VERSION_MAX + 1];
    char bytes[2000];
    memset(bytes, 'v', sizeof bytes);
    CHECK_EQUAL(read_as(bytes, HOSTOS_VERSION_MAX, version), 0);
    CHECK_EQUAL(strlen(version), HOSTOS_VERSION_MAX);
    CHECK_EQUAL(read_as(bytes, HOSTOS_VERSION_MAX + 1, version), -EFBIG);
    CHECK_EQUAL(read_as(bytes, sizeof bytes, version), -EFBIG);
}

static void test_no_file(void)
{
    char version[HOSTOS_VERSION_MAX + 1];
    CHECK_EQUAL(version_file_read("/nonexistent/version.txt", version), -ENOENT);
    CHECK_EQUAL(version_file_read("/", version), -EISDIR);
    CHECK_STRING(version_file_explain(-ENOENT), "No such file or directory");
}

static const struct unit_test tests[] = {
    {"trimmed", test_trimmed},
    {"refused", test_refused},
    {"length on both sides", test_length_on_both_sides},
    {"no file", test_no_file},
};

int main(void)
{
    int fd = mkstemp(path);
    if (fd < 0) {
        perror(path);
        return 1;
    }
    close(fd);
    int failed = unit_main("version file", tests, sizeof tests / sizeof tests[0]);
    (void)unlink(path); /* a left-over in /tmp */
    return failed;
}
