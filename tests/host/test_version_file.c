/* SPDX-License-Identifier: Apache-2.0 */
#include "host/command.h"
#include "support/unit.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/vsock-version-XXXXXX";

static const char *unavailable; /* the text of the last error */

/* What get-hostos-version answers with this file; NULL: an error. */
static const char *ask(const char *file)
{
    static struct command_scratch scratch;
    static char version[ANSWER_TEXT_MAX];
    static struct conf conf;
    static char named[PATH_MAX];
    struct command_parts parts = {.stopping = false};
    struct request request = {.command = COMMAND_GET_HOSTOS_VERSION};
    struct answer answer;
    struct pending *pending;
    (void)snprintf(named, sizeof named, "%s", file);
    conf.version.file = named;
    conf.listen.commands = UINT32_C(1) << COMMAND_GET_HOSTOS_VERSION;
    atomic_init(&parts.conf, &conf);
    command_run(&parts, &request, 3, &scratch, &answer, &pending);
    CHECK_NULL(pending);
    if (answer.type == ANSWER_ERROR) {
        CHECK_EQUAL(answer.code, ERROR_UNAVAILABLE);
        unavailable = scratch.text;
        return NULL;
    }
    (void)snprintf(version, sizeof version, "%.*s", (int)answer.hostos_version.length,
                   answer.hostos_version.bytes);
    return version;
}

static const char *ask_with(const char *bytes, size_t length)
{
    FILE *file = fopen(path, "we");
    REQUIRE_NOT_NULL(file);
    CHECK_EQUAL(fwrite(bytes, 1, length, file), length);
    CHECK_EQUAL(fclose(file), 0);
    return ask(path);
}

static void check_refused(const char *version, const char *words)
{
    CHECK_NULL(version);
    CHECK_CONTAINS(unavailable, words);
}

UNIT_TEST(test_trimmed, "trimmed")
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
        const char *version = ask_with(rows[i].file, strlen(rows[i].file));
        REQUIRE_NOT_NULL(version);
        CHECK_STRING(version, rows[i].version);
    }
}

UNIT_TEST(test_refused, "refused")
{
    static const struct {
        const char *file;
        size_t length;
        const char *words;
    } rows[] = {
        {"", 0, "empty"},     {" \n\t", 3, "empty"},    {"1\0002", 3, "UTF-8"},
        {"\xff", 1, "UTF-8"}, {"\xc0\xaf", 2, "UTF-8"}, {"\xed\xa0\x80", 3, "UTF-8"},
    };
    CHECK_EACH(i, rows, "%s", rows[i].words) {
        check_refused(ask_with(rows[i].file, rows[i].length), rows[i].words);
    }
}

UNIT_TEST(test_length_on_both_sides, "length on both sides")
{
    char bytes[2000];
    memset(bytes, 'v', sizeof bytes);
    const char *version = ask_with(bytes, HOSTOS_VERSION_MAX);
    REQUIRE_NOT_NULL(version);
    CHECK_EQUAL(strlen(version), HOSTOS_VERSION_MAX);
    check_refused(ask_with(bytes, HOSTOS_VERSION_MAX + 1), "more than 256 bytes");
    check_refused(ask_with(bytes, sizeof bytes), "more than 256 bytes");
}

UNIT_TEST(test_no_file, "no file")
{
    check_refused(ask("/nonexistent/version.txt"), "/nonexistent/version.txt: No such file");
    check_refused(ask("/"), "Is a directory");
}

int main(void)
{
    int fd = mkstemp(path);
    if (fd < 0) {
        perror(path);
        return 1;
    }
    close(fd);
    int failed = unit_main("version file");
    (void)unlink(path); /* a left-over in /tmp */
    return failed;
}
