/* SPDX-License-Identifier: Apache-2.0 */
/* The peers themselves: their bytes are those of tests/golden, and a guest of each dialect is
 * understood by a host of it. What is wrong here would be wrong in the whole matrix. */
#include "peer_guest.h"
#include "peer_host.h"
#include "peer_json.h"
#include "peer_link.h"
#include "peer_tlv_0.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

enum { ID = 0x01020304 };

static const struct peer_request arguments = {
    .url = "https://updates.example/hostos.tar.zst",
    .hash = HASH,
    .message = "Update finished.",
    .count = 10,
};
static const struct peer_request lines = {
    .command = PEER_NOTIFY,
    .message = "Say \"done\":\nA\\B",
    .count = 1,
};
static const char *const names[PEER_COMMANDS] = {
    [PEER_ATTACH_HSM] = "request-attach-hsm",
    [PEER_DETACH_HSM] = "request-detach-hsm",
    [PEER_GET_HOSTOS_VERSION] = "request-get-hostos-version",
    [PEER_UPGRADE] = "request-upgrade",
    [PEER_NOTIFY] = "request-notify",
    [PEER_GET_VSOCK_VERSION] = "request-get-vsock-version",
    [PEER_GET_UPGRADE_STATUS] = "request-get-upgrade-status",
    [PEER_START_UPGRADE_GUEST_VM] = "request-start-upgrade-guest-vm",
};

/* The bytes of a file of tests/golden: those of a capture, or those that its digits stand for. */
static void load(const char *name, const char *ending, struct octets *ret)
{
    char path[512];
    octets_clear(ret);
    snprintf(path, sizeof path, "%s/golden/%s.%s", TESTS_DIRECTORY, name, ending);
    FILE *file = fopen(path, "r");
    REQUIRE_NOT_NULL(file);
    char line[1024];
    while (fgets(line, sizeof line, file) != NULL) {
        if (strcmp(ending, "hex") != 0) {
            octets_add_text(ret, line);
            continue;
        }
        char *at = line;
        char *end = at;
        for (; *at != '#' && *at != '\n'; at = end + strspn(end, " ")) {
            octets_add_number(ret, strtoul(at, &end, 16), 1);
        }
    }
    fclose(file);
}

static void expect(const struct octets *made, const char *folder, const char *name,
                   const char *ending)
{
    char path[256];
    struct octets golden;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    load(path, ending, &golden);
    bool equal =
        made->length == golden.length && memcmp(made->bytes, golden.bytes, golden.length) == 0;
    if (!equal) {
        printf("\n    %s differs: %.*s", path, (int)made->length, (const char *)made->bytes);
    }
    CHECK_TRUE(equal);
}

static struct peer_request request_of(int command)
{
    struct peer_request request = arguments;
    request.command = (enum peer_command)command;
    return request;
}

UNIT_TEST(test_requests, "requests are the golden ones")
{
    for (int command = 1; command < PEER_COMMANDS; command++) {
        CHECK_ROW("%s", names[command]);
        struct peer_request request = request_of(command);
        struct octets out = {.length = 0};
        const char *name = command == PEER_NOTIFY ? "request-notify-count-10" : names[command];
        peer_tlv_1_request(&out, (struct peer_version){1, 0}, ID, &request);
        expect(&out, "tlv-1", name, "hex");
        octets_clear(&out);
        if (peer_tlv_0_request(&out, &request)) {
            expect(&out, "tlv-0", names[command], "hex");
        }
        octets_clear(&out);
        if (peer_json_1_request(&out, 3, &request)) {
            expect(&out, "json-1", names[command], "json");
        }
        octets_clear(&out);
        if (peer_json_0_request(&out, 3, &request)) {
            expect(&out, "json-0", names[command], "json");
        }
    }
}

UNIT_TEST(test_escapes, "escapes of JSON")
{
    struct octets out = {.length = 0};
    CHECK_TRUE(peer_json_1_request(&out, 3, &lines));
    expect(&out, "json-1", "request-notify-lines", "json");
    octets_clear(&out);
    CHECK_TRUE(peer_json_0_request(&out, 3, &lines));
    expect(&out, "json-0", "request-notify-lines", "json");
}

UNIT_TEST(test_tlv_answers, "TLV answers are the golden ones")
{
    static const struct {
        enum peer_command command;
        const char *name;
    } responses[] = {{PEER_ATTACH_HSM, "response-no-payload"},
                     {PEER_GET_HOSTOS_VERSION, "response-hostos-version"},
                     {PEER_GET_VSOCK_VERSION, "response-hostos-vsock-version"},
                     {PEER_GET_UPGRADE_STATUS, "response-upgrade-status-idle"}};
    struct peer_version version = {1, 0};
    struct octets out;
    CHECK_EACH(i, responses, "%s", responses[i].name) {
        octets_clear(&out);
        peer_tlv_1_response(&out, version, ID, responses[i].command);
        expect(&out, "tlv-1", responses[i].name, "hex");
    }
    struct peer_versions ours = {{{1, 0}}};
    octets_clear(&out);
    peer_tlv_1_error(&out, version, 0, 2, "no common major: expected one of 1.0", &ours);
    expect(&out, "tlv-1", "error-unsupported-version", "hex");
    octets_clear(&out);
    peer_tlv_1_hello(&out, &ours, "vsock_guest/1.0.0");
    expect(&out, "tlv-1", "hello-1.0", "hex");
    octets_clear(&out);
    peer_tlv_0_ok(&out, PEER_GET_HOSTOS_VERSION);
    expect(&out, "tlv-0", "ok-version", "hex");
    octets_clear(&out);
    peer_tlv_0_ok(&out, PEER_NOTIFY);
    expect(&out, "tlv-0", "ok", "hex");
    octets_clear(&out);
    peer_tlv_0_error(&out, "unsupported version");
    expect(&out, "tlv-0", "error-unsupported-version", "hex");
}

UNIT_TEST(test_json_answers, "JSON answers are the golden ones")
{
    struct octets out = {.length = 0};
    peer_json_1_ok(&out, PEER_NOTIFY);
    expect(&out, "json-1", "ok-no-payload", "json");
    octets_clear(&out);
    peer_json_1_ok(&out, PEER_GET_HOSTOS_VERSION);
    expect(&out, "json-1", "ok-hostos-version", "json");
    octets_clear(&out);
    peer_json_1_ok(&out, PEER_GET_VSOCK_VERSION);
    expect(&out, "json-1", "ok-hostos-vsock-version", "json");
    octets_clear(&out);
    peer_json_1_error(&out,
                      "hash_mismatch: the downloaded image has another SHA-256 than asked for");
    expect(&out, "json-1", "error-hash-mismatch", "json");
    octets_clear(&out);
    octets_add_text(&out, PEER_JSON_0_ACCEPTED);
    expect(&out, "json-0", "accepted", "json");
    octets_clear(&out);
    octets_add_text(&out, PEER_JSON_0_INVALID);
    expect(&out, "json-0", "invalid", "json");
}

UNIT_TEST(test_utf_8, "UTF-8")
{
    static const struct {
        const char *bytes;
        bool good;
    } samples[] = {{"", true},
                   {"a\x7f", true},
                   {"\xc3\xbc", true},
                   {"\xc0\xaf", false},
                   {"\xe0\x80\xaf", false},
                   {"\xed\xa0\x80", false},
                   {"\xf0\x9f\x9a\x80", true},
                   {"\xf4\x90\x80\x80", false},
                   {"\xc3", false},
                   {"\x80", false},
                   {"\xff", false}};
    CHECK_EACH(i, samples, "%s", samples[i].bytes) {
        CHECK_EQUAL(peer_json_is_utf_8((const uint8_t *)samples[i].bytes, strlen(samples[i].bytes)),
                    samples[i].good);
    }
}

/* Who understands whom, without a program of ours: guest, host, and the commands that get through
 * (bit n: command n). */
static const struct {
    const char *guest;
    const char *host;
    unsigned done;
} pairs[] = {
    {"json-0 2022", "json-0", 0x036},
    {"json-0 2022", "accepts everything", 0x036},
    {"json-0 2022", "json-1, one read", 0},
    {"json-1 2023, one read", "json-1, one read", 0x17e},
    {"json-1 2023, one read", "json-0", 0},
    {"json-1, reads to the end", "json-1, one read", 0x17e},
    {"json-1 2026, half-closes", "json-1, one read", 0x17e},
    {"json-1 2026, half-closes", "json-1, reads to the end", 0x17e},
    {"json-1, reads to the end", "json-1, reads to the end", 0},
    {"tlv 0.9", "tlv 0.9", 0x03e},
    {"tlv 0.9", "tlv 1.0", 0},
    {"tlv 1.0", "tlv 1.0", 0x1fe},
    {"tlv 1.0", "tlv 1.7", 0x1fe},
    {"tlv 1.7", "tlv 1.0", 0x1fe},
    {"tlv 2.0 and 1.0", "tlv 1.0", 0x1fe},
    {"tlv 2.0 only", "tlv 1.0", 0},
    {"tlv 2.0 only", "tlv 2.0 only", 0x1fe},
    {"tlv 1.0", "tlv 2.0 only", 0},
    {"tlv 1.0", "tlv 0.9", 0},
    {"tlv 1.0", "junk", 0},
    {"tlv 1.0", "always closes", 0},
};

static const struct peer_guest *guest_of(const char *name)
{
    for (size_t i = 0; i < peer_guests_count; i++) {
        if (strcmp(peer_guests[i].name, name) == 0) {
            return &peer_guests[i];
        }
    }
    return NULL;
}

/* The commands that the host counted as whole. */
static unsigned commands_done(const char *folder, size_t pair)
{
    char path[256];
    snprintf(path, sizeof path, "%s/host.sock", folder);
    struct peer_host_setup setup = {
        .habit = peer_host_find(pairs[pair].host),
        .path = path,
        .arguments = arguments,
        .drop_ms = 200,
    };
    const struct peer_guest *guest = guest_of(pairs[pair].guest);
    REQUIRE_NOT_NULL(setup.habit);
    REQUIRE_NOT_NULL(guest);
    struct peer_host *host = peer_host_start(&setup);
    struct peer_heard heard;
    struct peer_counts counts;
    unsigned asked = 0;
    for (int command = 1; command < PEER_COMMANDS; command++) {
        struct peer_request request = request_of(command);
        if (peer_guest_can_ask(guest, request.command)) {
            (void)peer_guest_ask(guest, path, &request, &heard); /* the host's counts tell */
            asked++;
        }
    }
    peer_host_stop(host, &counts);
    CHECK_EQUAL(counts.connections, asked);
    unsigned done = 0;
    for (int command = 1; command < PEER_COMMANDS; command++) {
        CHECK_ROW("command = %d", command);
        CHECK_COMPARE(counts.requests[command], <=, 1);
        done |= counts.requests[command] << command;
    }
    return done;
}

UNIT_TEST(test_pairs, "who understands whom")
{
    char folder[] = "/tmp/peers-XXXXXX";
    REQUIRE_NOT_NULL(mkdtemp(folder));
    CHECK_EACH(i, pairs, "%s", pairs[i].guest) {
        unsigned done = commands_done(folder, i);
        if (done != pairs[i].done) {
            printf("\n    %s at %s: 0x%03x", pairs[i].guest, pairs[i].host, done);
        }
        CHECK_EQUAL(done, pairs[i].done);
    }
    CHECK_EQUAL(rmdir(folder), 0);
}

UNIT_MAIN("peers")
