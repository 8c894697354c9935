/* SPDX-License-Identifier: Apache-2.0 */
#include "host/upgrade/state.h"
#include "support/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int directory_fd;

static struct state sample(void)
{
    struct state state = {
        .phase = PHASE_INSTALLING,
        .code = ERROR_NONE,
        .done = 268435456,
        .total = UINT64_MAX,
        .changed = 1763800000,
        .starts = 3,
        .boot_id = "0b5d6bd5-7c1f-4b8a-9a55-0c4c3d2e1f00",
        .reboot_at = 1763800060,
        .stamp = {77, 1763800000123456789U},
        .request = 7,
        .version = "1.2.3\\x0a",
        .detail = "a line, with = and \\x1b in it",
    };
    for (unsigned i = 0; i < SHA256_SIZE; i++) {
        state.sha256[i] = (uint8_t)(255 - i);
    }
    CHECK_TRUE(state_add_url(&state, "http://images.example/a.tar?x=y"));
    CHECK_TRUE(state_add_url(&state, "https://mirror.example/b"));
    return state;
}

static void assert_same(const struct state *a, const struct state *b)
{
    CHECK_EQUAL(a->phase, b->phase);
    CHECK_EQUAL(a->code, b->code);
    CHECK_BYTES(a->sha256, b->sha256, SHA256_SIZE);
    CHECK_EQUAL(a->done, b->done);
    CHECK_EQUAL(a->total, b->total);
    CHECK_EQUAL(a->changed, b->changed);
    CHECK_EQUAL(a->starts, b->starts);
    CHECK_STRING(a->boot_id, b->boot_id);
    CHECK_EQUAL(a->reboot_at, b->reboot_at);
    CHECK_EQUAL(a->outcome_unknown, b->outcome_unknown);
    CHECK_EQUAL(a->request, b->request);
    CHECK_EQUAL(a->stamp.inode, b->stamp.inode);
    CHECK_EQUAL(a->stamp.modified_ns, b->stamp.modified_ns);
    CHECK_STRING(a->version, b->version);
    CHECK_STRING(a->detail, b->detail);
    CHECK_EQUAL(a->url_count, b->url_count);
    for (size_t i = 0; i < a->url_count && i < b->url_count; i++) {
        CHECK_ROW("i = %zu", i);
        CHECK_STRING(a->urls[i], b->urls[i]);
    }
}

UNIT_TEST(test_round_trip, "what is written is read")
{
    static struct state written;
    static struct state read_back;
    for (unsigned phase = 0; phase <= PHASE_LAST; phase++) {
        CHECK_ROW("phase = %u", phase);
        written = sample();
        written.phase = (enum phase)phase;
        written.code = phase == PHASE_FAILED ? ERROR_LAST : ERROR_NONE;
        written.outcome_unknown = phase == PHASE_FAILED ? 1 : 0;
        CHECK_EQUAL(state_write(&written, directory_fd, STATE_NAME), 0);
        CHECK_EQUAL(state_read(directory_fd, STATE_NAME, &read_back), 0);
        assert_same(&written, &read_back);
    }
    struct stat status;
    CHECK_EQUAL(fstatat(directory_fd, STATE_NAME, &status, 0), 0);
    CHECK_EQUAL(status.st_mode & 07777, 0600);
}

UNIT_TEST(test_largest, "the largest state fits")
{
    static struct state written;
    static struct state read_back;
    written = sample();
    written.url_count = 0;
    memset(written.version, 'v', sizeof written.version - 1);
    memset(written.detail, 'd', sizeof written.detail - 1);
    for (unsigned i = 0; i < DOWNLOAD_MIRRORS_MAX; i++) {
        CHECK_ROW("i = %u", i);
        char url[URL_MAX + 1];
        memset(url, 'u', URL_MAX);
        (void)snprintf(url, sizeof url, "http://%u.example/", i);
        url[strlen(url)] = 'u';
        url[URL_MAX] = '\0';
        CHECK_TRUE(state_add_url(&written, url));
    }
    CHECK_EQUAL(state_write(&written, directory_fd, STATE_NAME), 0);
    CHECK_EQUAL(state_read(directory_fd, STATE_NAME, &read_back), 0);
    assert_same(&written, &read_back);
}

UNIT_TEST(test_urls, "urls: no duplicates, five at most")
{
    static struct state state;
    state.url_count = 0;
    static const char *const urls[] = {"http://a/", "http://b/", "http://c/", "http://d/",
                                       "http://e/"};
    for (size_t i = 0; i < 5; i++) {
        CHECK_ROW("i = %zu", i);
        CHECK_TRUE(state_add_url(&state, urls[i]));
        CHECK_FALSE(state_add_url(&state, urls[i]));
    }
    CHECK_FALSE(state_add_url(&state, "http://f/")); /* full */
    CHECK_EQUAL(state.url_count, 5);
}

static size_t read_raw(const char *name, char *out, size_t size)
{
    int fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC);
    ssize_t got = read(fd, out, size - 1);
    (void)close(fd);
    out[got > 0 ? got : 0] = '\0';
    return got > 0 ? (size_t)got : 0;
}

static void write_raw(const char *name, const char *bytes, size_t length)
{
    int fd = openat(directory_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK_EQUAL(write(fd, bytes, length), (ssize_t)length);
    (void)close(fd);
}

UNIT_TEST(test_no_secrets, "no secret reaches the file")
{
    static struct state state;
    static char raw[KEYFILE_MAX + 1];
    state = sample();
    CHECK_TRUE(state_add_url(&state, "http://user:hunter2@host/x"));
    CHECK_TRUE(state_add_url(&state, "http://host/\xe2\x80\xae"));
    CHECK_EQUAL(state_write(&state, directory_fd, STATE_NAME), 0);
    (void)read_raw(STATE_NAME, raw, sizeof raw);
    CHECK_LACKS(raw, "hunter2");
    CHECK_CONTAINS(raw, "url_2=http://host/x\n");
    CHECK_LACKS(raw, "url_3"); /* it could not be read back as it was */
}

/* Every line of a good file left out, and every line spoiled: none is taken. The urls may be
 * missing. */
UNIT_TEST(test_damaged, "damaged files are refused")
{
    static struct state state;
    static char good[KEYFILE_MAX + 1];
    static char bad[KEYFILE_MAX + 64];
    state = sample();
    state.url_count = 0;
    CHECK_EQUAL(state_write(&state, directory_fd, STATE_NAME), 0);
    size_t length = read_raw(STATE_NAME, good, sizeof good);
    size_t lines = 0;
    for (const char *line = good; *line != '\0'; lines++) {
        const char *end = strchr(line, '\n') + 1;
        size_t before = (size_t)(line - good);
        size_t after = length - (size_t)(end - good);
        memcpy(bad, good, before);
        memcpy(bad + before, end, after);
        write_raw("damaged", bad, before + after);
        struct state untouched = {.starts = 99};
        CHECK_EQUAL(state_read(directory_fd, "damaged", &untouched), -EBADMSG);
        CHECK_EQUAL(untouched.starts, 99);
        line = end;
    }
    CHECK_EQUAL(lines, 16);
    static const char *const spoiled[][2] = {
        {"format=1", "format=2"},
        {"phase=installing", "phase=sleeping"},
        {"result=0", "result=19"},
        {"starts=3", "starts=-3"},
        {"sha256=ff", "sha256=fg"},
        {"boot_id=0b5d", "boot_id=5d"},
        {"total=18446744073709551615", "total=18446744073709551616"},
    };
    CHECK_EACH(i, spoiled, "%s", spoiled[i][0]) {
        const char *at = strstr(good, spoiled[i][0]);
        REQUIRE_NOT_NULL(at);
        int made = snprintf(bad, sizeof bad, "%.*s%s%s", (int)(at - good), good, spoiled[i][1],
                            at + strlen(spoiled[i][0]));
        write_raw("damaged", bad, (size_t)made);
        CHECK_EQUAL(state_read(directory_fd, "damaged", &state), -EBADMSG);
    }
}

UNIT_TEST(test_not_there, "missing, linked and empty files")
{
    static struct state state;
    CHECK_EQUAL(state_read(directory_fd, "missing", &state), -ENOENT);
    CHECK_EQUAL(symlinkat(STATE_NAME, directory_fd, "link"), 0);
    CHECK_EQUAL(state_read(directory_fd, "link", &state), -EBADMSG);
    write_raw("empty", "", 0);
    CHECK_EQUAL(state_read(directory_fd, "empty", &state), -EBADMSG);
}

UNIT_TEST(test_queue, "the files of the queue")
{
    static struct state state;
    uint8_t hashes[8][SHA256_SIZE];
    char name[STATE_QUEUED_NAME_SIZE];
    char unfinished[sizeof name + 8];
    size_t count = 99;
    state = sample();
    state_queued_name(state.sha256, name);
    CHECK_EQUAL(strlen(name), 7 + 64);
    CHECK_EQUAL(state_write(&state, directory_fd, name), 0);
    write_raw("queued.0123", "", 0);
    (void)snprintf(unfinished, sizeof unfinished, "%s.new", name);
    write_raw(unfinished, "half", 4);
    write_raw("queued.0123.new", "", 0);
    CHECK_EQUAL(state_queued_list(directory_fd, false, hashes, 8, &count), 0);
    CHECK_EQUAL(count, 1);
    CHECK_EQUAL(faccessat(directory_fd, unfinished, F_OK, 0), 0); /* it is another's */
    CHECK_EQUAL(state_queued_list(directory_fd, true, hashes, 8, &count), 0);
    CHECK_EQUAL(count, 1);
    CHECK_EQUAL(faccessat(directory_fd, unfinished, F_OK, 0), -1);
    CHECK_EQUAL(faccessat(directory_fd, "queued.0123.new", F_OK, 0), 0); /* not ours */
    CHECK_BYTES(hashes[0], state.sha256, SHA256_SIZE);
    state.sha256[0] ^= 1;
    state_queued_name(state.sha256, name);
    CHECK_EQUAL(state_write(&state, directory_fd, name), 0);
    CHECK_EQUAL(state_queued_list(directory_fd, true, hashes, 8, &count), 0);
    CHECK_EQUAL(count, 2);
    CHECK_EQUAL(state_queued_list(directory_fd, true, hashes, 1, &count), 0);
    CHECK_EQUAL(count, 1);
}

/* Only the numbers count: not what the state is of, nor what the clock was set to. */
UNIT_TEST(test_stale, "files of the queue that were taken up")
{
    static struct state present;
    static struct state queued;
    present = queued = sample();
    for (uint64_t request = 0; request < 9; request++) {
        CHECK_ROW("request = %llu", (unsigned long long)request);
        queued.request = request;
        queued.changed = present.changed + 4 - request;
        CHECK_EQUAL(state_is_stale(&queued, &present), request <= present.request);
    }
}

UNIT_TEST(test_age, "the order of the queue")
{
    static struct state a;
    static struct state b;
    a = b = sample();
    CHECK_EQUAL(state_compare_age(&a, &b), 0);
    a.sha256[0]--;
    CHECK_COMPARE(state_compare_age(&a, &b), <, 0);
    a.changed++;
    CHECK_COMPARE(state_compare_age(&a, &b), >, 0);
    a.request--; /* whatever the clock was set to */
    CHECK_COMPARE(state_compare_age(&a, &b), <, 0);
    CHECK_COMPARE(state_compare_age(&b, &a), >, 0);
}

UNIT_TEST(test_count_stored, "bytes stored are counted in the partial file")
{
    static struct state state;
    char name[SHA256_HEX + sizeof ".part"];
    state = sample();
    state.phase = PHASE_DOWNLOADING;
    state.done = 2;
    state.total = 0;
    state_count_stored(&state, directory_fd);
    CHECK_EQUAL(state.done, 2); /* no such file */
    sha256_format(state.sha256, name);
    memcpy(name + SHA256_HEX, ".part", sizeof ".part");
    write_raw(name, "12345", 5);
    state_count_stored(&state, directory_fd);
    CHECK_EQUAL(state.done, 5);
    state.done = 0;
    state.total = 4;
    state_count_stored(&state, directory_fd);
    CHECK_EQUAL(state.done, 4);
    state.phase = PHASE_FAILED;
    state.done = 1;
    state_count_stored(&state, directory_fd);
    CHECK_EQUAL(state.done, 1);
}

int main(void)
{
    char path[] = "/tmp/test_state.XXXXXX";
    return folder_unit_main("state", path, &directory_fd);
}
