/* SPDX-License-Identifier: Apache-2.0 */
/* The download against servers that answer in all kinds of ways; what is resumed is in
 * test_download_resume.c. */
#include "download_world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define GOOD          .body = world_image, .length = IMAGE_SIZE
#define NO_CONNECTION "no connection to the server"

/* One download from a server with these faults, and how it ends. */
static void ends(const struct fault *faults, size_t count, enum error_code code, const char *text,
                 size_t requests)
{
    struct world *world = world_new(faults, count);
    world_run(world, code, text);
    CHECK_EQUAL(world->server.requests, requests);
    if (code == ERROR_NONE) {
        world_expect_image(world);
    } else {
        CHECK_FALSE(world_has(world, ".img"));
    }
    world_free(world);
}

#define ENDS(faults, code, text, requests) ends((faults), COUNT(faults), (code), (text), (requests))

UNIT_TEST(test_plain, "a plain download, and what is asked")
{
    static const struct fault good = {GOOD, .etag = "\"1\""};
    struct world *world = world_new(&good, 1);
    world_run(world, ERROR_NONE, "");
    world_expect_image(world);
    CHECK_EQUAL(world->done, IMAGE_SIZE);
    CHECK_EQUAL(world->total, IMAGE_SIZE);
    CHECK_EQUAL(world->verifications, 1);
    CHECK_EQUAL(world->told, 0);
    CHECK_PREFIX(world->server.heads[0], "GET /image HTTP/1.1\r\n");
    world_expect_header(world, 0, "Accept-Encoding", "identity");
    world_expect_header(world, 0, "User-Agent", "vsock_host/" VSOCK_VERSION);
    world_expect_header(world, 0, "Range", "");
    world_expect_header(world, 0, "If-Range", "");
    world_expect_header(world, 0, "Authorization", "");
    world_expect_header(world, 0, "Cookie", "");
    world_run(world, ERROR_NONE, ""); /* it is there: no second request */
    CHECK_EQUAL(world->server.requests, 1);
    CHECK_EQUAL(world->verifications, 2);
    world_free(world);
}

UNIT_TEST(test_without_a_length, "answers without a length")
{
    static const struct fault good = {GOOD, .unmeasured = true};
    static const struct fault until_close = {GOOD, .until_close = true};
    static const struct fault short_of_it = {.raw =
                                                 "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc"};
    const struct fault *const whole[] = {&good, &until_close};
    CHECK_EACH(i, whole, "fault") {
        struct world *world = world_new(whole[i], 1);
        world_run(world, ERROR_NONE, "");
        world_expect_image(world);
        CHECK_EQUAL(world->done, IMAGE_SIZE);
        CHECK_EQUAL(world->total, IMAGE_SIZE);
        world_free(world);
    }
    ends(&short_of_it, 1, ERROR_HASH_MISMATCH,
         "the file has the sha256 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad;"
         " expected 0dabfe4783bbe2d9cc2a815b6f7efbe263a62a1ecdfaf798aaa14901395bde28",
         1);
}

UNIT_TEST(test_empty_file, "an empty file")
{
    static const struct fault empty = {.body = world_image, .length = 0};
    struct world *world = world_new(&empty, 1);
    CHECK_EQUAL(sha256_parse(text_of("e3b0c44298fc1c149afbf4c8996fb924"
                                     "27ae41e4649b934ca495991b7852b855"),
                             world->sha256),
                0);
    world_run(world, ERROR_NONE, "");
    CHECK_TRUE(world_has(world, ".img"));
    world_free(world);
}

/* --- final answers --- */

UNIT_TEST(test_final_answers, "answers that are final")
{
    static const struct fault of_404[] = {{.status = 404}};
    static const struct fault of_408[] = {{.status = 408}};
    static const struct fault of_416[] = {{.status = 416}};
    static const struct fault of_429[] = {{.status = 429}};
    static const struct fault of_204[] = {{.raw = "HTTP/1.1 204 No Content\r\n\r\n"}};
    static const struct fault packed[] = {{GOOD, .headers = "Content-Encoding: gzip\r\n"}};
    static const struct fault twice[] = {
        {GOOD, .headers = "Content-Encoding: identity\r\nContent-Encoding: br\r\n"}};
    ENDS(of_404, ERROR_DOWNLOAD_FAILED, "the server answered 404; expected 200", 1);
    ENDS(of_408, ERROR_DOWNLOAD_FAILED, "the server answered 408; expected 200", 1);
    ENDS(of_416, ERROR_DOWNLOAD_FAILED, "the server answered 416; expected 200", 1);
    ENDS(of_429, ERROR_DOWNLOAD_FAILED, "the server answered 429; expected 200", 1);
    ENDS(of_204, ERROR_DOWNLOAD_FAILED, "the server answered 204; expected 200", 1);
    ENDS(packed, ERROR_DOWNLOAD_FAILED, "the server sends the content encoding gzip; expected none",
         1);
    ENDS(twice, ERROR_DOWNLOAD_FAILED,
         "the server sends the content encoding (several); expected none", 1);
}

UNIT_TEST(test_wrong_hash, "a wrong hash")
{
    static const struct fault other = {.body = world_other, .length = IMAGE_SIZE};
    struct world *world = world_new(&other, 1);
    world_run(
        world, ERROR_HASH_MISMATCH,
        "the file has the sha256 f5df284f67a9cbe460400c789ad206176da5fd0df468a80aa72f1bdeec656ffc;"
        " expected 0dabfe4783bbe2d9cc2a815b6f7efbe263a62a1ecdfaf798aaa14901395bde28");
    CHECK_EQUAL(world->server.requests, 1); /* one answer: it is not fetched again */
    CHECK_FALSE(world_has(world, ".img"));
    CHECK_FALSE(world_has(world, ".part"));
    CHECK_FALSE(world_has(world, ".meta"));
    world_free(world);
}

/* --- passing trouble --- */

UNIT_TEST(test_tried_again, "answers that may get better")
{
    static const struct fault of_500[] = {{.status = 500}};
    static const struct fault once_503[] = {{.status = 503}, {GOOD}};
    static const struct fault unasked_206[] = {
        {.status = 206, GOOD, .headers = "Content-Range: bytes 0-699999/700000\r\n"}, {GOOD}};
    ENDS(of_500, ERROR_DOWNLOAD_FAILED, "the server answered 500; expected 200", 2);
    ENDS(once_503, ERROR_NONE, "", 2);
    ENDS(unasked_206, ERROR_NONE, "", 2);
}

UNIT_TEST(test_retries_are_told, "retries are told, without secrets")
{
    static const struct fault of_503[] = {{.status = 503}};
    struct world *world = world_new(of_503, 1);
    char journal[2 * FAILURE_TEXT_MAX];
    world->conf.upgrade.retry_ms = 0;
    (void)snprintf(world->urls[0], sizeof world->urls[0],
                   "http://user:secret@127.0.0.1:%d/image?token=secret", world->server.port);
    world_run(world, ERROR_DOWNLOAD_FAILED, "the server answered 503; expected 200");
    CHECK_EQUAL(world->told, 2);
    CHECK_STRING(world->public_texts[0],
                 "the server answered 503; expected 200; try 1 of 1 in 0 ms");
    CHECK_STRING(world->public_texts[1], "the server answered 503; expected 200; no more tries");
    (void)snprintf(journal, sizeof journal, "http://127.0.0.1:%d/image?...: %s", world->server.port,
                   world->public_texts[0]);
    CHECK_STRING(world->journal_texts[0], journal);
    world_free(world);
}

/* Nothing that a guest is told lets it find out what listens where. */
UNIT_TEST(test_no_connection, "what is not HTTP is no connection")
{
    static const struct fault not_http[] = {{.raw = "SSH-2.0-OpenSSH_9.2\r\n"}};
    static const struct fault nothing[] = {{.raw = ""}};
    static const struct fault cut_head[] = {{.raw = "HTTP/1.1 200 OK\r\nContent-"}};
    ENDS(not_http, ERROR_DOWNLOAD_FAILED, NO_CONNECTION, 2);
    ENDS(nothing, ERROR_DOWNLOAD_FAILED, NO_CONNECTION, 2);
    ENDS(cut_head, ERROR_DOWNLOAD_FAILED, NO_CONNECTION, 2);
}

static void no_connection_to(const char *origin, int port, const char *detail)
{
    static const struct fault good[] = {{GOOD}};
    static char https[] = "https";
    static char http[] = "http";
    static char *schemes[] = {http, https, NULL};
    struct world *world = world_new(good, 1);
    world->conf.upgrade.schemes.items = schemes;
    world->conf.upgrade.stall_ms = 50;
    world->conf.upgrade.retries = 0;
    (void)snprintf(world->urls[0], sizeof world->urls[0], "%s:%d/", origin,
                   port != 0 ? port : world->server.port);
    world_run(world, ERROR_DOWNLOAD_FAILED, NO_CONNECTION);
    if (strstr(world->journal_texts[0], detail) == NULL) {
        printf("\n  told: %s\n", world->journal_texts[0]);
    }
    CHECK_CONTAINS(world->journal_texts[0], detail);
    CHECK_LACKS(world->public_texts[0], detail);
    world_free(world);
}

static int silent_listener(int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE_EQUAL(bind(fd, (struct sockaddr *)&address, length), 0);
    REQUIRE_EQUAL(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

UNIT_TEST(test_no_connection_of_other_kinds, "no connection, for many reasons")
{
    int port = 0;
    int fd = silent_listener(&port); /* bound, so that nobody else takes the port */
    no_connection_to("http://127.0.0.1", port, "Connection refused");
    CHECK_EQUAL(listen(fd, 4), 0); /* the kernel connects, nobody answers */
    no_connection_to("http://127.0.0.1", port, "silent");
    close(fd);
    /* A label of 64 letters: the resolver refuses it without asking anybody. */
    no_connection_to("http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test",
                     0, "resolve host");
    no_connection_to("https://127.0.0.1", 0, "SSL");
    no_connection_to("http://0.0.0.0", 0,
                     "0.0.0.0 is a refused address (unspecified; [upgrade] refused_addresses)");
    no_connection_to("http://[::ffff:0.0.0.0]", 0,
                     "is a refused address (unspecified; [upgrade] refused_addresses)");
    no_connection_to("http://0", 0,
                     "0.0.0.0 is a refused address (unspecified; [upgrade] refused_addresses)");
    no_connection_to("http://169.254.1.1", 0,
                     "is a refused address (link-local; [upgrade] refused_addresses)");
}

UNIT_TEST(test_head_that_is_too_long, "a head that is too long")
{
    /* Over the limit of 256 KiB, under that of libcurl. */
    enum { SIZE = 270 << 10, LINE = 16, END = 32 };
    static char head[SIZE];
    size_t length = (size_t)snprintf(head, SIZE, "HTTP/1.1 200 OK\r\n");
    while (length + LINE + END < SIZE) {
        length += (size_t)snprintf(head + length, SIZE - length, "X-A: 56789012\r\n");
    }
    (void)snprintf(head + length, SIZE - length, "Content-Length: 0\r\n\r\n");
    const struct fault endless[] = {{.raw = head}};
    ENDS(endless, ERROR_DOWNLOAD_FAILED, NO_CONNECTION, 2);
}

static struct world *slow_world(const struct fault *fault)
{
    struct world *world = world_new(fault, 1);
    world->conf.upgrade.stall_ms = 500; /* a busy machine answers within it */
    world->conf.upgrade.stall_bytes_per_second = 1024;
    world->conf.upgrade.retries = 0;
    return world;
}

UNIT_TEST(test_stall, "a stall")
{
    static const struct fault stall[] = {{GOOD, .end = FAULT_STALL, .after = 1000}};
    static const struct fault without_length[] = {
        {GOOD, .unmeasured = true, .end = FAULT_STALL, .after = 1000}};
    struct world *world = slow_world(stall);
    world_run(world, ERROR_DOWNLOAD_FAILED,
              "the server stalled after 1000 of 700000 bytes: less than 1024 bytes per second for "
              "500 ms");
    CHECK_EQUAL(world->done, 1000);
    CHECK_EQUAL(world->total, IMAGE_SIZE); /* what came is in the file */
    world_free(world);
    world = slow_world(without_length);
    world_run(world, ERROR_DOWNLOAD_FAILED,
              "the server stalled after 1000 bytes: less than 1024 bytes per second for 500 ms");
    world_free(world);
}

UNIT_TEST(test_short_bodies, "short bodies")
{
    static const struct fault cut[] = {{GOOD, .end = FAULT_CUT, .after = 0}};
    static const struct fault cut_chunked[] = {
        {GOOD, .unmeasured = true, .end = FAULT_CUT, .after = 5}};
    ENDS(cut, ERROR_DOWNLOAD_FAILED, "the connection broke after 0 of 700000 bytes", 2);
    /* It goes on from byte 5 with a Range, and so learns the size. */
    struct world *world = world_new(cut_chunked, 1);
    world->conf.upgrade.retries = 0;
    world_run(world, ERROR_DOWNLOAD_FAILED, "the connection broke after 5 bytes");
    world_free(world);
}

/* --- redirects --- */

static void redirects_to(const char *location, enum error_code code, const char *text,
                         size_t requests)
{
    char header[256];
    (void)snprintf(header, sizeof header, "Location: %s\r\n", location);
    const struct fault faults[] = {{.status = 302, .headers = header}, {GOOD}};
    ENDS(faults, code, text, requests);
}

UNIT_TEST(test_redirects, "redirects")
{
    static const struct fault loop[] = {{.status = 307, .headers = "Location: /image\r\n"}};
    static const struct fault nowhere[] = {{.status = 301}};
    redirects_to("/other", ERROR_NONE, "", 2);
    redirects_to("other?a=b", ERROR_NONE, "", 2);
    ENDS(loop, ERROR_DOWNLOAD_FAILED, "too many redirects; at most 2 are followed", 3);
    ENDS(nowhere, ERROR_DOWNLOAD_FAILED, "the server answered 301, a redirect without a Location",
         1);
    redirects_to(
        "file:///etc/passwd", ERROR_DOWNLOAD_FAILED,
        "the server's redirect is refused: the url's scheme is file; [upgrade] schemes allows http",
        1);
    redirects_to("https://127.0.0.1/", ERROR_DOWNLOAD_FAILED,
                 "the server's redirect is refused: the url's scheme is https; [upgrade] schemes "
                 "allows http",
                 1);
    redirects_to("http://", ERROR_DOWNLOAD_FAILED,
                 "the server redirects to a url that cannot be read", 1);
    redirects_to("http://0.0.0.0:1/", ERROR_DOWNLOAD_FAILED, NO_CONNECTION, 1);
}

/* What is allowed can have changed since it was asked for. */
UNIT_TEST(test_url_that_is_refused_now, "a url that is refused by now")
{
    static const struct fault good[] = {{GOOD}};
    struct world *world = world_new(good, 1);
    (void)snprintf(world->urls[0], sizeof world->urls[0], "https://127.0.0.1:%d/image",
                   world->server.port);
    world_run(world, ERROR_DOWNLOAD_FAILED,
              "the url's scheme is https; [upgrade] schemes allows http");
    CHECK_EQUAL(world->server.requests, 0);
    world_free(world);
}

UNIT_TEST(test_prefixes_hold_for_redirects, "allowed prefixes hold for redirects")
{
    static const struct fault faults[] = {{.status = 302, .headers = "Location: /elsewhere\r\n"},
                                          {GOOD}};
    struct world *world = world_new(faults, 2);
    char *prefixes[] = {world->urls[0], NULL};
    char text[256];
    world->conf.upgrade.allowed_prefixes.items = prefixes;
    (void)snprintf(text, sizeof text,
                   "the server's redirect is refused: the url does not begin with one of "
                   "[upgrade] allowed_prefixes: http://127.0.0.1:%d/image",
                   world->server.port);
    world_run(world, ERROR_DOWNLOAD_FAILED, text);
    CHECK_EQUAL(world->server.requests, 1);
    world_free(world);
}

/* Two servers are two origins, since their ports differ. */
UNIT_TEST(test_credentials_stay_with_their_host, "credentials stay with their host")
{
    static char header[128];
    static struct fault faults[] = {{.status = 302, .headers = "Location: /again\r\n"},
                                    {.status = 302, .headers = header}};
    static const struct fault good = {GOOD};
    static const char basic[] = "Basic dXNlcjpzZWNyZXQ=";
    struct fault_server other;
    struct world *world = world_new(faults, 2);
    fault_server_start(&other, &good, 1);
    (void)snprintf(header, sizeof header, "Location: http://127.0.0.1:%d/\r\n", other.port);
    (void)snprintf(world->urls[0], sizeof world->urls[0], "http://user:secret@127.0.0.1:%d/image",
                   world->server.port);
    world_run(world, ERROR_NONE, "");
    world_expect_header(world, 0, "Authorization", basic);
    world_expect_header(world, 1, "Authorization", basic);
    CHECK_EQUAL(other.requests, 1);
    CHECK_STRING(fault_server_header(&other, 0, "Authorization"), "");
    fault_server_stop(&other);
    world_free(world);
}

/* --- an address that cannot be judged for now --- */

static unsigned short_of; /* so many addresses meet a lack of descriptors */

int __wrap_address_guard_check(const struct sockaddr *address, socklen_t length, uint32_t refused,
                               char *why, size_t size);
int __real_address_guard_check(const struct sockaddr *address, socklen_t length, uint32_t refused,
                               char *why, size_t size);

int __wrap_address_guard_check(const struct sockaddr *address, socklen_t length, uint32_t refused,
                               char *why, size_t size)
{
    if (short_of == 0) {
        return __real_address_guard_check(address, length, refused, why, size);
    }
    short_of--;
    (void)snprintf(why, size, "an address cannot be judged: Too many open files");
    return -EMFILE;
}

UNIT_TEST(test_address_that_cannot_be_judged, "an address that cannot be judged for now")
{
    static const struct fault good[] = {{GOOD}};
    static const char told[] =
        NO_CONNECTION ": an address cannot be judged: Too many open files; try 1 of 1 in ";
    struct world *world = world_new(good, 1);
    short_of = 1;
    world_run(world, ERROR_NONE, "");
    world_expect_image(world);
    CHECK_CONTAINS(world->journal_texts[0], told);
    world_free(world);
}

UNIT_TEST(test_no_proxy_and_no_netrc, "no proxy from the environment")
{
    static const struct fault good[] = {{GOOD}};
    CHECK_EQUAL(setenv("http_proxy", "http://127.0.0.1:1/", 1), 0);
    CHECK_EQUAL(setenv("ALL_PROXY", "http://127.0.0.1:1/", 1), 0);
    ENDS(good, ERROR_NONE, "", 1);
    CHECK_EQUAL(unsetenv("http_proxy"), 0);
    CHECK_EQUAL(unsetenv("ALL_PROXY"), 0);
}

/* --- size and room --- */

static void limited(const struct fault *fault, uint64_t max_bytes, const char *text)
{
    struct world *world = world_new(fault, 1);
    world->conf.upgrade.max_bytes = max_bytes;
    world_run(world, text[0] == '\0' ? ERROR_NONE : ERROR_TOO_LARGE, text);
    CHECK_EQUAL(world->server.requests, 1);
    CHECK_FALSE(world_has(world, ".part"));
    world_free(world);
}

UNIT_TEST(test_max_bytes, "max_bytes, announced and read")
{
    static const struct fault announced = {GOOD, .end = FAULT_STALL, .after = 0};
    static const struct fault good = {GOOD};
    static const struct fault chunked = {GOOD, .unmeasured = true};
    static const struct fault endless = {.body = world_image,
                                         .length = 70000,
                                         .unmeasured = true,
                                         .end = FAULT_STALL,
                                         .after = 60000};
    limited(&announced, IMAGE_SIZE - 1,
            "the server announces 700000 bytes; at most 699999 are allowed ([upgrade] max_bytes)");
    limited(&good, IMAGE_SIZE, "");
    limited(&chunked, IMAGE_SIZE, "");
    limited(&endless, 59999,
            "the server sends more than the 59999 bytes that are allowed ([upgrade] max_bytes)");
    limited(&chunked, IMAGE_SIZE - 1,
            "the server sends more than the 699999 bytes that are allowed ([upgrade] max_bytes)");
}

UNIT_TEST(test_room_that_stays_free, "keep_free")
{
    static const struct fault good = {GOOD};
    char begins[256];
    struct world *world = world_new(&good, 1);
    (void)snprintf(begins, sizeof begins,
                   "the image needs 700000 more bytes in %s and 9223372036854775807 must stay free "
                   "([upgrade] keep_free); ",
                   world->path);
    world->conf.upgrade.keep_free = INT64_MAX;
    world_run(world, ERROR_NO_SPACE, world->result.text);
    CHECK_PREFIX(world->result.text, begins);
    CHECK_EQUAL(world->server.requests, 1);
    CHECK_FALSE(world_has(world, ".part"));
    world_free(world);
}

static void limit_files(rlim_t size)
{
    struct rlimit limit;
    REQUIRE_EQUAL(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size;
    REQUIRE_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

UNIT_TEST(test_files_that_cannot_be_written, "files that cannot be written")
{
    static const struct fault good[] = {{GOOD}};
    static const struct fault chunked[] = {{GOOD, .unmeasured = true}};
    (void)signal(SIGXFSZ, SIG_IGN);
    limit_files(100000);
    ENDS(good, ERROR_INTERNAL, "cannot store the image in DIR: write: File too large", 1);
    ENDS(chunked, ERROR_INTERNAL, "cannot store the image in DIR: write: File too large", 1);
    limit_files(RLIM_INFINITY);
    struct world *world = world_new(good, 1);
    int directory_fd = world->directory_fd;
    world->directory_fd = -1;
    world_run(world, ERROR_INTERNAL, "cannot store the image in DIR: open: Bad file descriptor");
    world->directory_fd = directory_fd;
    world_free(world);
}

int main(void)
{
    world_prepare();
    return unit_main("download");
}
