/* SPDX-License-Identifier: Apache-2.0 */
#include "host/policy/address_class.h"
#include "host/policy/url_policy.h"
#include "support/unit.h"
#include "wire/message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static char http[] = "http";
static char https[] = "https";
static char *const both[] = {https, http, NULL};
static char *const only_https[] = {https, NULL};
static char *const none[] = {NULL};

static void judge(const struct url_policy *policy, const char *url, const char *expected)
{
    char why[256] = "";
    int error = url_policy_judge(policy, url, why, sizeof why);
    if (strcmp(why, expected) != 0 || error != (expected[0] == '\0' ? 0 : -EPERM)) {
        printf("\n%s\n  said: %d %s\n  expected: %s\n", url, error, why, expected);
    }
    CHECK_EQUAL(error, expected[0] == '\0' ? 0 : -EPERM);
    CHECK_STRING(why, expected);
}

struct row {
    const char *url;
    const char *why; /* "": allowed */
};

#define SPELLING                                                                                 \
    "the url has a blank, a backslash, a control character or a byte above 0x7e; these must be " \
    "percent-encoded"
#define UNREADABLE(reason) \
    "the url cannot be parsed (" reason "); expected, for example, https://HOST/PATH"
#define NO_HOST "the url has no valid host; expected, for example, https://HOST/PATH"

UNIT_TEST(test_urls, "urls: what is refused, and why")
{
    static const struct row rows[] = {
        {"https://host/image.img", ""},
        {"HTTP://HOST:8080/a?b#c", ""},
        {"http://user:secret@host/", ""},
        {"http://[::1]:80/", ""},
        {"http://host", ""},
        {"", UNREADABLE("Bad scheme")},
        {"nonsense", UNREADABLE("Bad scheme")},
        {"//host/x", UNREADABLE("Bad scheme")},
        {"http://", UNREADABLE("No host part in the URL")},
        {"http://@/x", UNREADABLE("No host part in the URL")},
        {"http:host", UNREADABLE("Unsupported number of slashes following scheme")},
        {"http://host:99999/",
         UNREADABLE("Port number was not a decimal number between 0 and 65535")},
        {"http://[::1/", UNREADABLE("Bad IPv6 address")},
        {"javascript:alert(1)", UNREADABLE("Unsupported number of slashes following scheme")},
        {"file:///etc/passwd", "the url's scheme is file; [upgrade] schemes allows https or http"},
        {"FILE:///etc/passwd", "the url's scheme is file; [upgrade] schemes allows https or http"},
        {"ftp://host/x", "the url's scheme is ftp; [upgrade] schemes allows https or http"},
        {"gopher://host:1/", "the url's scheme is gopher; [upgrade] schemes allows https or http"},
        {"scp://host/x", "the url's scheme is scp; [upgrade] schemes allows https or http"},
        {"http://a b/", SPELLING},
        {"http://host/a\tb", SPELLING},
        {"http://host/\n", SPELLING},
        {"http://host/\r\nX-Header: 1", SPELLING},
        {"http://host/\x7f", SPELLING},
        {"http://h\xc3\xa4st/", SPELLING},
        {"http://good\\@evil/", SPELLING},
        {"http://h%c3%a4st/", NO_HOST},
    };
    const struct url_policy policy = {both, none};
    CHECK_EACH(i, rows, "%s", rows[i].url) {
        judge(&policy, rows[i].url, rows[i].why);
    }
}

UNIT_TEST(test_schemes, "schemes are those of the policy")
{
    const struct url_policy policy = {only_https, NULL};
    judge(&policy, "https://host/", "");
    judge(&policy, "http://host/", "the url's scheme is http; [upgrade] schemes allows https");
    const struct url_policy nothing = {none, NULL};
    judge(&nothing, "https://host/", "the url's scheme is https; [upgrade] schemes allows ");
}

UNIT_TEST(test_length, "2,048 bytes at most")
{
    const struct url_policy policy = {both, none};
    char url[URL_MAX + 2];
    memset(url, 'a', sizeof url);
    memcpy(url, "http://host/", 12);
    url[URL_MAX] = '\0';
    judge(&policy, url, "");
    url[URL_MAX] = 'a';
    url[URL_MAX + 1] = '\0';
    judge(&policy, url, "the url has 2049 bytes; at most 2048 are allowed");
}

/* --- prefixes --- */

struct prefix_row {
    const char *prefix;
    const char *url;
    bool allowed;
};

#define AMBIGUOUS                                                               \
    "the url's path has encoded slashes, percent signs or dot segments, which " \
    "[upgrade] allowed_prefixes does not allow"

static void judge_prefix(const struct prefix_row *row, const char *protocol_error)
{
    char prefix[128];
    char expected[256];
    (void)snprintf(prefix, sizeof prefix, "%s", row->prefix);
    (void)snprintf(expected, sizeof expected,
                   "the url does not begin with one of [upgrade] allowed_prefixes: %s", prefix);
    char *const prefixes[] = {prefix, NULL};
    const struct url_policy policy = {both, prefixes};
    judge(&policy, row->url,
          row->allowed             ? ""
          : protocol_error != NULL ? protocol_error
                                   : expected);
}

UNIT_TEST(test_prefixes, "prefixes are compared on the parsed url")
{
    static const struct prefix_row rows[] = {
        /* whole segments */
        {"http://good/images", "http://good/images", true},
        {"http://good/images", "http://good/images/", true},
        {"http://good/images", "http://good/images/a/b.img", true},
        {"http://good/images", "http://good/images?x=1", true},
        {"http://good/images", "http://good/images-evil", false},
        {"http://good/images", "http://good/imagesevil/x", false},
        {"http://good/images/", "http://good/images/x", true},
        {"http://good/images/", "http://good/images/", true},
        {"http://good/images/", "http://good/images", false},
        {"http://good/images", "http://good/", false},
        {"http://good/images", "http://good//images/x", false},
        {"http://good/images", "http://good/x/images/", false},
        {"http://good/images", "http://good/Images/x", false},
        /* the whole server */
        {"http://good", "http://good/x", true},
        {"http://good/", "http://good", true},
        {"http://good", "http://good.evil/", false},
        {"http://good", "http://evilgood/", false},
        {"http://good", "http://good.example/", false},
        /* what is the host */
        {"http://good", "http://good@evil/", false},
        {"http://good", "http://good:80@evil/", false},
        {"http://good", "http://evil/@good/", false},
        {"http://good", "http://evil?good/", false},
        {"http://good", "http://evil#good/", false},
        {"http://good", "http://user:secret@good/", true},
        {"http://good", "HTTP://GOOD/x", true},
        {"http://GOOD", "http://good/x", true},
        {"http://good", "http://good./x", true},
        {"http://good", "http://%67ood/x", true},
        {"http://10.0.0.1", "http://167772161/x", true},
        {"http://10.0.0.1", "http://0xa.1/x", true},
        {"http://10.0.0.1", "http://10.0.0.10/x", false},
        {"http://[2001:db8::1]", "http://[2001:DB8:0::1]/x", true},
        {"http://[2001:db8::1]", "http://[2001:db8::2]/x", false},
        {"http://[fe80::1%25eth0]", "http://[fe80::1%25eth0]/x", true},
        {"http://[fe80::1%25eth0]", "http://[fe80::1%25eth1]/x", false},
        /* scheme and port */
        {"http://good", "https://good/", false},
        {"https://good", "http://good/", false},
        {"http://good", "http://good:80/", true},
        {"http://good:80", "http://good/", true},
        {"http://good", "http://good:81/", false},
        {"http://good", "http://good:443/", false},
        {"https://good", "https://good:443/", true},
        {"http://good:8080", "http://good:808/", false},
        {"http://good:8080", "http://good:8080/", true},
        /* the path, as it is sent */
        {"http://good/images", "http://good/images/../secret", false},
        {"http://good/images", "http://good/x/../images/y", true},
        {"http://good/images", "http://good/./images/y", true},
        {"http://good/images", "http://good/%69mages/y", true},
        {"http://good/%69mages", "http://good/images/y", true},
        {"http://good/a%20b", "http://good/a%20b/y", true},
        /* a prefix that is none allows nothing */
        {"nonsense", "http://good/", false},
        {"http://good/a%2fb", "http://good/a/b", false},
    };
    CHECK_EACH(i, rows, "%s", rows[i].prefix) {
        judge_prefix(&rows[i], NULL);
    }
}

UNIT_TEST(test_paths_that_servers_read_differently,
          "paths that servers read differently are refused")
{
    static const char *const urls[] = {
        "http://good/images/%2e%2e/secret",
        "http://good/images/%2E./secret",
        "http://good/images/.%2e/secret",
        "http://good/images/%2e/x",
        "http://good/images/..%2fsecret",
        "http://good/images%2f..%2f",
        "http://good/images/..%5csecret",
        "http://good/images/%252e%252e/secret",
        "http://good/images/..;/secret",
        "http://good/images/..;a=b/secret",
        "http://good/secret/%2e%2e/images/x",
        "http://good/images/%00",
        "http://good/images/%0d%0a",
        "http://good/images/%7f",
        "http://good/images/%zz",
        "http://good/images/%4",
        "http://good/images/%",
    };
    CHECK_EACH(i, urls, "%s", urls[i]) {
        const struct prefix_row row = {"http://good/images", urls[i], false};
        judge_prefix(&row, AMBIGUOUS);
        const struct url_policy open_policy = {both, none};
        judge(&open_policy, urls[i], ""); /* with no prefix to fool it is the server's business */
    }
    const struct prefix_row fine = {"http://good/images", "http://good/images/...;x/.a/..b", true};
    judge_prefix(&fine, NULL);
}

UNIT_TEST(test_several_prefixes, "one of several prefixes is enough")
{
    static char one[] = "https://one/a/";
    static char two[] = "http://two";
    char *const prefixes[] = {one, two, NULL};
    const struct url_policy policy = {both, prefixes};
    judge(&policy, "https://one/a/x", "");
    judge(&policy, "http://two/x", "");
    judge(&policy, "http://three/x",
          "the url does not begin with one of [upgrade] allowed_prefixes: https://one/a/ or "
          "http://two");
}

/* --- what is shown, what is the same, where redirects lead --- */

UNIT_TEST(test_show, "shown urls hold no secrets")
{
    static const struct row rows[] = {
        {"http://host/x", "http://host/x"},
        {"http://user:secret@host/x", "http://host/x"},
        {"http://user@host:81/x?token=secret#part", "http://host:81/x?..."},
        {"http://host?secret", "http://host/?..."},
        {"http://:secret@host/", "http://host/"},
        {"http://host/%0a", "http://host/%0a"},
        {"http://host/\x1b[2J", "(a url that cannot be read)"},
        {"nonsense", "(a url that cannot be read)"},
    };
    CHECK_EACH(i, rows, "%s", rows[i].url) {
        char out[128];
        url_show(rows[i].url, out, sizeof out);
        CHECK_STRING(out, rows[i].why);
    }
    char small[8];
    url_show("http://host/x", small, sizeof small);
    CHECK_STRING(small, "http://");
}

UNIT_TEST(test_identity, "the same url is known again")
{
    char out[64];
    CHECK_EQUAL(url_identity("http://u:p@host/x?y=1#z", out, sizeof out), 0);
    CHECK_STRING(out, "http://host/x?y=1");
    CHECK_EQUAL(url_identity("nonsense", out, sizeof out), -EINVAL);
    CHECK_EQUAL(url_identity("http://host/x", out, 13), -ENOBUFS);
    CHECK_EQUAL(url_identity("http://host/x", out, 14), 0);
}

struct redirect_row {
    const char *base;
    const char *location;
    const char *target; /* "": -EINVAL */
};

UNIT_TEST(test_redirects, "redirects keep credentials to the host asked")
{
    static const char asked[] = "http://user:secret@host/dir/file";
    static const struct redirect_row rows[] = {
        {asked, "other", "http://user:secret@host/dir/other"},
        {asked, "/other", "http://user:secret@host/other"},
        {asked, "../x", "http://user:secret@host/x"},
        {asked, "http://host/x", "http://user:secret@host/x"},
        {asked, "http://HOST:80/x", "http://user:secret@HOST:80/x"},
        {asked, "http://host:81/x", "http://host:81/x"},
        {asked, "https://host/x", "https://host/x"},
        {asked, "https://host:80/x", "https://host:80/x"},
        {asked, "//other/x", "http://other/x"},
        {asked, "http://evil/x", "http://evil/x"},
        {asked, "http://evil:pass@evil/x", "http://evil/x"},
        {asked, "http://evil:pass@host/x", "http://user:secret@host/x"},
        {asked, "http://host.evil/x", "http://host.evil/x"},
        {"http://evil/x", "y", "http://evil/y"},
        {"http://evil/x", "http://host/y", "http://user:secret@host/y"},
        {asked, "a b", "http://user:secret@host/dir/a%20b"},
        {asked, "file:///etc/passwd", "file:///etc/passwd"},
        {asked, "http://", ""},
        {asked, "http://a b/", ""},
    };
    CHECK_EACH(i, rows, "%s", rows[i].base) {
        char out[128] = "";
        int error = url_redirect(asked, rows[i].base, rows[i].location, out, sizeof out);
        CHECK_EQUAL(error, rows[i].target[0] == '\0' ? -EINVAL : 0);
        if (strcmp(out, rows[i].target) != 0) {
            printf("\n%s -> %s\n", rows[i].location, out);
        }
        CHECK_STRING(out, rows[i].target);
    }
    char small[8];
    CHECK_EQUAL(url_redirect(asked, asked, "x", small, sizeof small), -ENOBUFS);
    CHECK_EQUAL(url_redirect("nonsense", asked, "x", small, sizeof small), -EINVAL);
    CHECK_EQUAL(url_redirect(asked, "nonsense", "x", small, sizeof small), -EINVAL);
}

/* --- addresses --- */

struct address_row {
    const char *address;
    uint32_t classes;
};

static struct sockaddr_storage parse(const char *text)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
        memcpy(&storage, &in, sizeof in);
    } else {
        REQUIRE_EQUAL(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
        memcpy(&storage, &in6, sizeof in6);
    }
    return storage;
}

static uint32_t classes_of(const char *text)
{
    struct sockaddr_storage storage = parse(text);
    struct sockaddr *address = (struct sockaddr *)&storage;
    return address_classes(address);
}

UNIT_TEST(test_addresses, "classes of addresses")
{
    static const struct address_row rows[] = {
        {"8.8.8.8", 0},
        {"126.255.255.255", 0},
        {"127.0.0.1", ADDRESS_LOOPBACK},
        {"127.255.255.255", ADDRESS_LOOPBACK},
        {"128.0.0.0", 0},
        {"0.0.0.0", ADDRESS_UNSPECIFIED},
        {"0.1.2.3", ADDRESS_UNSPECIFIED},
        {"1.0.0.0", 0},
        {"169.254.169.254", ADDRESS_LINK_LOCAL},
        {"169.253.0.1", 0},
        {"169.255.0.1", 0},
        {"223.255.255.255", 0},
        {"224.0.0.1", ADDRESS_MULTICAST},
        {"239.255.255.255", ADDRESS_MULTICAST},
        {"240.0.0.1", ADDRESS_MULTICAST},
        {"255.255.255.255", ADDRESS_MULTICAST},
        {"9.255.255.255", 0},
        {"10.0.0.1", ADDRESS_PRIVATE},
        {"11.0.0.0", 0},
        {"172.15.255.255", 0},
        {"172.16.0.1", ADDRESS_PRIVATE},
        {"172.31.255.255", ADDRESS_PRIVATE},
        {"172.32.0.0", 0},
        {"192.167.0.1", 0},
        {"192.168.0.1", ADDRESS_PRIVATE},
        {"192.169.0.1", 0},
        {"100.63.255.255", 0},
        {"100.64.0.1", ADDRESS_PRIVATE},
        {"100.127.255.255", ADDRESS_PRIVATE},
        {"100.128.0.0", 0},
        {"2001:db8::1", 0},
        {"2606:4700::1", 0},
        {"::", ADDRESS_UNSPECIFIED},
        {"::1", ADDRESS_LOOPBACK},
        {"fe80::1", ADDRESS_LINK_LOCAL},
        {"febf::1", ADDRESS_LINK_LOCAL},
        {"fec0::1", ADDRESS_PRIVATE},
        {"ff02::1", ADDRESS_MULTICAST},
        {"fbff::1", 0},
        {"fc00::1", ADDRESS_PRIVATE},
        {"fdff::1", ADDRESS_PRIVATE},
        {"fe00::1", 0},
        /* held */
        {"::ffff:127.0.0.1", ADDRESS_LOOPBACK},
        {"::ffff:8.8.8.8", 0},
        {"::ffff:0.0.0.0", ADDRESS_UNSPECIFIED},
        {"::ffff:10.0.0.1", ADDRESS_PRIVATE},
        {"::ffff:0:127.0.0.1", ADDRESS_LOOPBACK},
        {"::ffff:0:8.8.8.8", 0},
        {"::127.0.0.1", ADDRESS_LOOPBACK},
        {"64:ff9b::127.0.0.1", ADDRESS_LOOPBACK},
        {"64:ff9b::169.254.169.254", ADDRESS_LINK_LOCAL},
        {"64:ff9b::8.8.8.8", 0},
        {"64:ff9b:1::127.0.0.1", ADDRESS_LOOPBACK},
        {"64:ff9b:1:abcd::8.8.8.8", 0},
        {"64:ff9b:1:7f00:0:100::", ADDRESS_LOOPBACK}, /* as /48 */
        {"64:ff9b:1:a:0:1:200::", ADDRESS_PRIVATE},   /* as /56: 10.0.1.2 */
        {"64:ff9b:1:0:7f:0:100:0", ADDRESS_LOOPBACK}, /* as /64 */
        {"64:ff9b:2::127.0.0.1", 0},
        {"2002:7f00:1::", ADDRESS_LOOPBACK},
        {"2002:808:808::1", 0},
        {"2001:0:1:2:3:4:80ff:fffe", ADDRESS_LOOPBACK}, /* 127.0.0.1, flipped */
        {"2001:1::", 0},
    };
    CHECK_EACH(i, rows, "%s", rows[i].address) {
        uint32_t classes = classes_of(rows[i].address);
        if (classes != rows[i].classes) {
            printf("\n%s: %u, expected %u\n", rows[i].address, classes, rows[i].classes);
        }
        CHECK_EQUAL(classes, rows[i].classes);
    }
}

UNIT_TEST(test_other_families, "unknown families are refused")
{
    const struct sockaddr unix_address = {.sa_family = AF_UNIX};
    uint32_t held[ADDRESS_HELD_MAX];
    CHECK_EQUAL(address_classes(&unix_address), ADDRESS_UNSPECIFIED);
    CHECK_EQUAL(address_held(&unix_address, held), 0);
}

UNIT_TEST(test_class_names, "names of classes")
{
    static const char *const names[] = {"loopback",    "link-local", "multicast",
                                        "unspecified", "own",        "private"};
    for (unsigned i = 0; i < 6; i++) {
        CHECK_ROW("i = %u", i);
        CHECK_STRING(address_class_name(i), names[i]);
    }
    CHECK_NULL(address_class_name(6));
    CHECK_NULL(address_class_name(31));
}

UNIT_MAIN("url_policy")
