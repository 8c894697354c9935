/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a download that need no server: content_range, response, backoff, stall_detector, disk space,
 * address_guard, mirrors, failure. */
#include "host/download/address_guard.h"
#include "host/download/download.h"
#include "host/download/failure.h"
#include "host/download/fetch.h"
#include "host/download/response.h"
#include "host/download/store.h"
#include "host/policy/address_class.h"
#include "host/policy/url_policy.h"
#include "support/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- content_range --- */

UNIT_TEST(test_content_ranges, "Content-Range")
{
    struct content_range range = {7, 7, 7};
    CHECK_EQUAL(content_range_parse("bytes 500-999/1000", &range), 0);
    CHECK_EQUAL(range.first, 500);
    CHECK_EQUAL(range.last, 999);
    CHECK_EQUAL(range.total, 1000);
    CHECK_EQUAL(content_range_parse("BYTES 0-0/1", &range), 0);
    CHECK_EQUAL(range.first, 0);
    CHECK_EQUAL(range.last, 0);
    CHECK_EQUAL(range.total, 1);
    CHECK_EQUAL(content_range_parse("bytes 5-9/*", &range), 0);
    CHECK_EQUAL(range.first, 5);
    CHECK_EQUAL(range.last, 9);
    CHECK_EQUAL(range.total, CONTENT_RANGE_UNKNOWN);
    CHECK_EQUAL(content_range_parse("bytes 5-18446744073709551613/18446744073709551614", &range),
                0);
    CHECK_EQUAL(range.last, UINT64_MAX - 2);
    CHECK_EQUAL(range.total, UINT64_MAX - 1);
}

UNIT_TEST(test_content_ranges_that_are_none, "what is no Content-Range")
{
    static const char *const bad[] = {
        "",
        "bytes",
        "bytes ",
        "bytes 5-9",
        "bytes 5-9/",
        "bytes 5/10",
        "bytes -9/10",
        "bytes 5-/10",
        "bytes 9-5/10",
        "bytes 5-9/9",
        "bytes 5-9/10 ",
        "bytes 5-9/10x",
        "bytes  5-9/10",
        "bytes=5-9/10",
        "items 5-9/10",
        "bytes +5-9/10",
        "bytes 0x5-9/10",
        "bytes */10",
        "bytes 5-9/**",
        "bytes 18446744073709551616-9/10",
        "bytes 5-9/18446744073709551615",
        "bytes 5-9/99999999999999999999999",
        " bytes 5-9/10",
    };
    CHECK_EACH(i, bad, "%s", bad[i]) {
        struct content_range range = {7, 7, 7};
        CHECK_EQUAL(content_range_parse(bad[i], &range), -EINVAL);
        CHECK_EQUAL(range.first, 7);
        CHECK_EQUAL(range.last, 7);
        CHECK_EQUAL(range.total, 7);
    }
}

/* --- response --- */

struct judged {
    struct response_asked asked;
    int64_t length; /* -1: none */
    const char *range;
    const char *validator;
    uint64_t total;
    const char *text;
    int status;
    enum response_verdict verdict;
};

#define WHOLE_FILE                                                \
    {                                                             \
        .from = 0, .total = 0, .same_url = false, .validator = "" \
    }
#define FROM_5                                                         \
    {                                                                  \
        .from = 5, .total = 10, .same_url = true, .validator = "\"a\"" \
    }
#define ELSEWHERE                                                       \
    {                                                                   \
        .from = 5, .total = 10, .same_url = false, .validator = "\"a\"" \
    }
#define NO_TOTAL                                                 \
    {                                                            \
        .from = 5, .total = 0, .same_url = true, .validator = "" \
    }

static const struct judged judgements[] = {
    {WHOLE_FILE, 10, "", "", 10, "", 200, RESPONSE_WHOLE},
    {WHOLE_FILE, -1, "", "", 0, "", 200, RESPONSE_WHOLE},
    {WHOLE_FILE, 10, "bytes 5-9/10", "", 10, "", 200, RESPONSE_WHOLE},
    {FROM_5, 20, "", "\"b\"", 20, "", 200, RESPONSE_WHOLE},
    {FROM_5, 5, "bytes 5-9/10", "\"a\"", 10, "", 206, RESPONSE_REST},
    {FROM_5, -1, "bytes 5-9/10", "", 10, "", 206, RESPONSE_REST},
    {FROM_5, 2, "bytes 5-6/10", "\"a\"", 10, "", 206, RESPONSE_REST},
    {FROM_5, 5, "bytes 5-9/*", "\"a\"", 10, "", 206, RESPONSE_REST},
    {NO_TOTAL, 5, "bytes 5-9/10", "\"a\"", 10, "", 206, RESPONSE_REST},
    {NO_TOTAL, 5, "bytes 5-9/*", "", 0, "", 206, RESPONSE_REST},
    {ELSEWHERE, 5, "bytes 5-9/10", "\"b\"", 10, "", 206, RESPONSE_REST},
    {FROM_5, 6, "bytes 5-10/*", "\"a\"", 0, "the server's file has 11 bytes; expected 10", 206,
     RESPONSE_START_AGAIN},
    {FROM_5, 5, "bytes 5-9/11", "\"a\"", 0, "the server's file has 11 bytes; expected 10", 206,
     RESPONSE_START_AGAIN},
    {ELSEWHERE, 5, "bytes 5-9/11", "", 0, "the server's file has 11 bytes; expected 10", 206,
     RESPONSE_OTHER_FILE},
    {FROM_5, 5, "bytes 5-9/10", "\"b\"", 0, "the server's file has changed", 206,
     RESPONSE_START_AGAIN},
    {FROM_5, 6, "bytes 4-9/10", "\"a\"", 0,
     "the server answered with the range \"bytes 4-9/10\"; expected from byte 5", 206,
     RESPONSE_START_AGAIN},
    {FROM_5, 4, "bytes 5-9/10", "\"a\"", 0,
     "the server answered with the range \"bytes 5-9/10\"; expected from byte 5", 206,
     RESPONSE_START_AGAIN},
    {FROM_5, 5, "", "\"a\"", 0, "the server answered with the range \"\"; expected from byte 5",
     206, RESPONSE_START_AGAIN},
    {FROM_5, 5, "\x1b[2J", "\"a\"", 0,
     "the server answered with the range \"\\x1b[2J\"; expected from byte 5", 206,
     RESPONSE_START_AGAIN},
    {WHOLE_FILE, 10, "bytes 0-9/10", "", 0,
     "the server answered 206 to a request for the whole file", 206, RESPONSE_TRY_AGAIN},
    {FROM_5, 0, "bytes */5", "", 0, "the server answered 416; expected 200 or 206", 416,
     RESPONSE_RANGE_REFUSED},
    {WHOLE_FILE, 0, "", "", 0, "the server answered 416; expected 200", 416, RESPONSE_REFUSED},
    {WHOLE_FILE, 0, "", "", 0, "the server answered 404; expected 200", 404, RESPONSE_REFUSED},
    {FROM_5, 0, "", "", 0, "the server answered 404; expected 200 or 206", 404, RESPONSE_REFUSED},
    {WHOLE_FILE, 0, "", "", 0, "the server answered 429; expected 200", 429, RESPONSE_REFUSED},
    {WHOLE_FILE, 0, "", "", 0, "the server answered 500; expected 200", 500, RESPONSE_TRY_AGAIN},
    {WHOLE_FILE, 0, "", "", 0, "the server answered 599; expected 200", 599, RESPONSE_TRY_AGAIN},
    {WHOLE_FILE, 0, "", "", 0, "the server answered 600; expected 200", 600, RESPONSE_REFUSED},
    {WHOLE_FILE, 0, "", "", 0, "the server answered 204; expected 200", 204, RESPONSE_REFUSED},
    {WHOLE_FILE, 0, "", "", 0, "the server answered 304; expected 200", 304, RESPONSE_REFUSED},
    {WHOLE_FILE, 0, "", "", 0, "the server answered 302, a redirect without a Location", 302,
     RESPONSE_REFUSED},
};

static struct response make_response(const struct judged *row)
{
    struct response response = {.status = row->status, .has_length = row->length >= 0};
    response.length = response.has_length ? (uint64_t)row->length : 0;
    (void)snprintf(response.content_range, sizeof response.content_range, "%s", row->range);
    (void)snprintf(response.validator, sizeof response.validator, "%s", row->validator);
    return response;
}

UNIT_TEST(test_judgements, "what answers mean")
{
    CHECK_EACH(i, judgements, "%s", judgements[i].range) {
        const struct judged *row = &judgements[i];
        struct response response = make_response(row);
        struct response_judgement judgement;
        response_judge(&row->asked, &response, &judgement);
        if (judgement.verdict != row->verdict || strcmp(judgement.text, row->text) != 0) {
            printf("\nrow %zu: %d %s\n", i, (int)judgement.verdict, judgement.text);
        }
        CHECK_EQUAL(judgement.verdict, row->verdict);
        CHECK_EQUAL(judgement.total, row->total);
        CHECK_STRING(judgement.text, row->text);
    }
}

UNIT_TEST(test_redirect_codes, "redirects")
{
    static const int codes[] = {301, 302, 303, 307, 308};
    const struct response_asked asked = WHOLE_FILE;
    CHECK_EACH(i, codes, "%d", codes[i]) {
        struct response response = {.status = codes[i], .location = "/x"};
        struct response_judgement judgement;
        response_judge(&asked, &response, &judgement);
        CHECK_EQUAL(judgement.verdict, RESPONSE_REDIRECT);
        CHECK_STRING(judgement.text, "");
    }
}

UNIT_TEST(test_encodings, "content encodings are refused")
{
    const struct response_asked asked = FROM_5;
    struct response_judgement judgement;
    struct response response = {.status = 200, .content_encoding = "Identity"};
    response_judge(&asked, &response, &judgement);
    CHECK_EQUAL(judgement.verdict, RESPONSE_WHOLE);
    struct response packed = {.status = 206, .content_encoding = "gzip"};
    response_judge(&asked, &packed, &judgement);
    CHECK_EQUAL(judgement.verdict, RESPONSE_REFUSED);
    CHECK_STRING(judgement.text, "the server sends the content encoding gzip; expected none");
}

UNIT_TEST(test_etags, "strong ETags")
{
    static const char *const strong[] = {"\"\"", "\"a\"", "\"a-b/c:d,e\""};
    static const char *const weak[] = {
        "",    "\"",       "a",       "W/\"a\"",  "w/\"a\"",      "\"a",
        "a\"", "\"a\"b\"", "\"a b\"", "\"a\nb\"", "\"\xc3\xa4\"", "\"\x7f\""};
    CHECK_EACH(i, strong, "%s", strong[i]) {
        CHECK_TRUE(response_is_strong_etag(strong[i]));
    }
    CHECK_EACH(i, weak, "%s", weak[i]) {
        CHECK_FALSE(response_is_strong_etag(weak[i]));
    }
}

/* --- retry --- */

UNIT_TEST(test_retries_are_counted, "retries are counted, anew after progress")
{
    struct backoff retry = {.allowed = 2, .first_ms = 100};
    int64_t delay = 7;
    CHECK_TRUE(backoff_next(&retry, false, 0, &delay));
    CHECK_TRUE(backoff_next(&retry, false, 0, &delay));
    delay = 7;
    CHECK_FALSE(backoff_next(&retry, false, 0, &delay));
    CHECK_EQUAL(delay, 7);
    CHECK_TRUE(backoff_next(&retry, true, 0, &delay)); /* it got further: counted anew */
    CHECK_EQUAL(delay, 50);
    struct backoff none = {.allowed = 0, .first_ms = 100};
    CHECK_FALSE(backoff_next(&none, false, 0, &delay));
    CHECK_FALSE(backoff_next(&none, true, 0, &delay));
}

UNIT_TEST(test_delays_double, "delays double up to a minute")
{
    static const int64_t full[] = {2000, 4000, 8000, 16000, 32000, 60000, 60000};
    struct backoff longest = {.allowed = UINT32_MAX, .first_ms = 2000};
    struct backoff shortest = longest;
    CHECK_EACH(i, full, "%lld", (long long)full[i]) {
        int64_t delay = 0;
        CHECK_TRUE(backoff_next(&longest, false, (uint32_t)(full[i] - full[i] / 2), &delay));
        CHECK_EQUAL(delay, full[i]);
        CHECK_TRUE(backoff_next(&shortest, false, 0, &delay));
        CHECK_EQUAL(delay, full[i] / 2);
    }
}

UNIT_TEST(test_delays_at_the_edges, "delays at the edges")
{
    struct backoff retry = {.allowed = UINT32_MAX, .first_ms = 0};
    int64_t delay = 7;
    CHECK_TRUE(backoff_next(&retry, false, UINT32_MAX, &delay));
    CHECK_EQUAL(delay, 0);
    retry = (struct backoff){.allowed = UINT32_MAX, .first_ms = INT64_MAX};
    CHECK_TRUE(backoff_next(&retry, false, 30000, &delay));
    CHECK_EQUAL(delay, BACKOFF_MAX_MS);
    retry.failed = UINT32_MAX - 1;
    CHECK_TRUE(backoff_next(&retry, false, 0, &delay));
    CHECK_EQUAL(delay, BACKOFF_MAX_MS / 2);
    CHECK_FALSE(backoff_next(&retry, false, 0, &delay));
}

/* --- stall_detector --- */

UNIT_TEST(test_stall_detector, "the stall rule")
{
    struct stall_detector detector = {1000, 100, 5000, 0};
    CHECK_FALSE(stall_detector_stalled(&detector, 5999));
    CHECK_EQUAL(stall_detector_left(&detector, 5999), 1);
    CHECK_EQUAL(stall_detector_left(&detector, 5400), 600);
    CHECK_EQUAL(stall_detector_left(&detector, 9000), 1);
    detector.bytes += 60;
    detector.bytes += 40;
    CHECK_FALSE(
        stall_detector_stalled(&detector, 6000)); /* exactly enough; the next window begins */
    detector.bytes += 99;
    CHECK_TRUE(stall_detector_stalled(&detector, 7000));
    detector = (struct stall_detector){1000, 100, 0, 0};
    detector.bytes += 100;
    CHECK_TRUE(
        stall_detector_stalled(&detector, 1500)); /* enough for a second, not for one and a half */
    detector = (struct stall_detector){1000, 100, 0, 0};
    detector.began_ms += 5000;
    CHECK_FALSE(stall_detector_stalled(&detector, 5999));
    CHECK_TRUE(stall_detector_stalled(&detector, 6000));
    detector = (struct stall_detector){1000, 0, 0, 0};
    CHECK_FALSE(stall_detector_stalled(&detector, 1000)); /* no rule */
}

/* --- disk space --- */

UNIT_TEST(test_disk_space, "room is reserved, and some stays free")
{
    struct stat status;
    int place = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    REQUIRE_COMPARE(place, >=, 0);
    CHECK_EQUAL(disk_space_reserve(place, 0, 0), 0);
    CHECK_EQUAL(disk_space_reserve(place, 0, UINT64_MAX), -ENOSPC);
    CHECK_EQUAL(disk_space_reserve(place, 1 << 20, 0), 0);
    REQUIRE_EQUAL(fstat(place, &status), 0);
    CHECK_EQUAL(status.st_size, 0); /* reserved, and as long as before */
    CHECK_EQUAL(disk_space_reserve(place, 0, 0), 0);
    CHECK_EQUAL(disk_space_reserve(place, 1, UINT64_MAX), -ENOSPC);
    CHECK_EQUAL(disk_space_reserve(place, UINT64_MAX, 0), -ENOSPC);
    CHECK_EQUAL(disk_space_reserve(place, INT64_MAX, 1 << 20), -ENOSPC);
    close(place);
    CHECK_EQUAL(disk_space_reserve(place, 0, 0), -EBADF);
    CHECK_EQUAL(disk_space_reserve(place, 1, 0), -EBADF);
}

/* --- address_guard --- */

static uint32_t guard(const char *text, uint32_t refused)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    struct sockaddr_storage storage = {0};
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
        memcpy(&storage, &in, sizeof in);
    } else {
        REQUIRE_EQUAL(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
        memcpy(&storage, &in6, sizeof in6);
    }
    uint32_t classes = 0;
    CHECK_EQUAL(address_guard_judge((struct sockaddr *)&storage, refused, &classes), 0);
    return classes;
}

UNIT_TEST(test_guard, "addresses are refused by class")
{
    CHECK_EQUAL(guard("127.0.0.1", ADDRESS_LOOPBACK), ADDRESS_LOOPBACK);
    CHECK_EQUAL(guard("127.0.0.1", ADDRESS_PRIVATE), 0);
    /* Whoever allows loopback is not stopped by its being this machine's own. */
    CHECK_EQUAL(guard("127.0.0.1", ADDRESS_OWN), 0);
    CHECK_EQUAL(guard("::1", ADDRESS_OWN), 0);
    CHECK_EQUAL(guard("192.0.2.1", ADDRESS_OWN), 0);
    CHECK_EQUAL(guard("2001:db8::dead", ADDRESS_OWN), 0);
    CHECK_EQUAL(guard("10.1.2.3", ADDRESS_PRIVATE | ADDRESS_LOOPBACK), ADDRESS_PRIVATE);
}

/* A lack of descriptors is no property of an address. */
UNIT_TEST(test_guard_without_a_descriptor, "an address that cannot be judged now")
{
    char why[128] = "";
    uint32_t classes = 7;
    struct rlimit limit;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201)};
    const struct sockaddr *address = (const struct sockaddr *)&in;
    REQUIRE_EQUAL(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = limit.rlim_max};
    REQUIRE_EQUAL(setrlimit(RLIMIT_NOFILE, &none), 0);
    CHECK_EQUAL(address_guard_judge(address, ADDRESS_OWN, &classes), -EMFILE);
    CHECK_EQUAL(classes, 7);
    CHECK_EQUAL(address_guard_check(address, sizeof in, ADDRESS_OWN, why, sizeof why), -EMFILE);
    CHECK_STRING(why, "an address cannot be judged: Too many open files");
    in.sin_addr.s_addr = htonl(0x0a000001);
    CHECK_EQUAL(address_guard_judge(address, ADDRESS_OWN | ADDRESS_PRIVATE, &classes), 0);
    CHECK_EQUAL(classes, ADDRESS_PRIVATE); /* for that it need not be asked */
    CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static bool is_ipv4(const struct ifaddrs *at)
{
    return at->ifa_addr != NULL && at->ifa_addr->sa_family == AF_INET;
}

/* Each of the machine's own addresses, plain and mapped; how many depends on the machine. */
UNIT_TEST(test_guard_of_own_addresses, "the machine's own addresses")
{
    struct ifaddrs *list = NULL;
    REQUIRE_EQUAL(getifaddrs(&list), 0);
    for (const struct ifaddrs *at = list; at != NULL; at = at->ifa_next) {
        char text[INET_ADDRSTRLEN];
        char mapped[INET_ADDRSTRLEN + 16];
        struct sockaddr_in in;
        if (!is_ipv4(at)) {
            continue;
        }
        memcpy(&in, at->ifa_addr, sizeof in);
        REQUIRE_NOT_NULL(inet_ntop(AF_INET, &in.sin_addr, text, sizeof text));
        uint32_t expected = strncmp(text, "127.", 4) == 0 ? 0 : (uint32_t)ADDRESS_OWN;
        CHECK_EQUAL(guard(text, ADDRESS_OWN), expected);
        (void)snprintf(mapped, sizeof mapped, "::ffff:%s", text);
        CHECK_EQUAL(guard(mapped, ADDRESS_OWN), expected);
    }
    freeifaddrs(list);
}

UNIT_TEST(test_guard_explains, "a refused address is explained")
{
    char text[128];
    const struct sockaddr_in in = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address_guard_explain((const struct sockaddr *)&in, sizeof in, ADDRESS_LOOPBACK, text,
                          sizeof text);
    CHECK_STRING(text, "127.0.0.1 is a refused address (loopback; [upgrade] refused_addresses)");
    address_guard_explain((const struct sockaddr *)&in, sizeof in, ADDRESS_OWN | ADDRESS_PRIVATE,
                          text, sizeof text);
    CHECK_STRING(text,
                 "127.0.0.1 is a refused address (own, private; [upgrade] refused_addresses)");
    const struct sockaddr none = {.sa_family = AF_UNSPEC};
    address_guard_explain(&none, sizeof none, ADDRESS_UNSPECIFIED, text, sizeof text);
    CHECK_STRING(text,
                 "(no address) is a refused address (unspecified; [upgrade] refused_addresses)");
}

/* --- mirrors --- */

static size_t known_urls;

static size_t list_urls(void *context, char urls[DOWNLOAD_MIRRORS_MAX][URL_MAX + 1])
{
    (void)context;
    for (size_t i = 0; i < known_urls; i++) {
        (void)snprintf(urls[i], URL_MAX + 1, "http://mirror%zu/", i);
    }
    return known_urls;
}

UNIT_TEST(test_mirrors_take_turns, "mirrors take turns")
{
    const struct download download = {.mirrors = list_urls};
    static struct mirrors mirrors;
    known_urls = 0;
    mirrors_refresh(&mirrors, &download);
    CHECK_EQUAL(mirrors_next(&mirrors), -1);
    known_urls = 2;
    mirrors_refresh(&mirrors, &download);
    CHECK_EQUAL(mirrors_next(&mirrors), 0);
    CHECK_EQUAL(mirrors_next(&mirrors), 1);
    CHECK_EQUAL(mirrors_next(&mirrors), 0);
    known_urls = 3; /* one joined */
    mirrors_refresh(&mirrors, &download);
    CHECK_EQUAL(mirrors.count, 3);
    CHECK_EQUAL(mirrors_next(&mirrors), 1);
    mirrors.dropped[2] = true;
    CHECK_EQUAL(mirrors_left(&mirrors), 2);
    CHECK_EQUAL(mirrors_next(&mirrors), 0);
    mirrors_refresh(&mirrors, &download); /* what is dropped stays dropped */
    mirrors.dropped[0] = mirrors.dropped[1] = true;
    CHECK_EQUAL(mirrors_left(&mirrors), 0);
    CHECK_EQUAL(mirrors_next(&mirrors), -1);
    known_urls = DOWNLOAD_MIRRORS_MAX;
    mirrors_refresh(&mirrors, &download);
    CHECK_EQUAL(mirrors.count, DOWNLOAD_MIRRORS_MAX);
    CHECK_EQUAL(mirrors_next(&mirrors), 3);
}

/* --- failure --- */

UNIT_TEST(test_failures, "failures")
{
    struct failure failure = {.directory = "/d", .detail = "old"};
    CHECK_EQUAL(failure_set(&failure, FAILURE_MIRROR, ERROR_TOO_LARGE, "%d bytes", 5), -EPROTO);
    CHECK_EQUAL(failure.scope, FAILURE_MIRROR);
    CHECK_EQUAL(failure.code, ERROR_TOO_LARGE);
    CHECK_STRING(failure.text, "5 bytes");
    CHECK_STRING(failure.detail, "");
    failure_detail(&failure, "it said %s", "\x1b[1m\n");
    CHECK_STRING(failure.detail, "it said \\x1b[1m\\x0a");
    CHECK_EQUAL(failure_set_file(&failure, -ENOSPC, "write"), -ENOSPC);
    CHECK_EQUAL(failure.scope, FAILURE_FINAL);
    CHECK_EQUAL(failure.code, ERROR_NO_SPACE);
    CHECK_STRING(failure.text, "cannot store the image in /d: write: No space left on device");
    CHECK_EQUAL(failure_set_file(&failure, -EDQUOT, "writing it"), -EDQUOT);
    CHECK_EQUAL(failure.code, ERROR_NO_SPACE);
    CHECK_EQUAL(failure_set_file(&failure, -EIO, "reading it"), -EIO);
    CHECK_EQUAL(failure.code, ERROR_INTERNAL);
    CHECK_TRUE(failure_is_shortage(-EMFILE));
    CHECK_TRUE(failure_is_shortage(-ENOMEM));
    CHECK_FALSE(failure_is_shortage(-EIO) || failure_is_shortage(0));
}

UNIT_TEST(test_lines_of_a_head, "lines of a head")
{
    static const struct {
        const char *line;
        bool one;
    } rows[] = {
        {"Location: /a\r\n", true},
        {"Location: /a\n", true},
        {"Location: /a", true},
        {"\r\n", true},
        {"", true},
        {"Location: /a\rX: y\r\n", false},
        {"Location: /a\r\r\n", false},
        {"Location: /a\r", false},
        {"\rLocation: /a\r\n", false},
    };
    CHECK_EACH(i, rows, "%s", rows[i].line) {
        CHECK_EQUAL(response_is_one_line(rows[i].line, strlen(rows[i].line)), rows[i].one);
    }
}

UNIT_MAIN("download_parts")
