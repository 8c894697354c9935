/* SPDX-License-Identifier: Apache-2.0 */
/* Every guest of the field at our host: what it is answered, to the byte, in its own dialect. */
#include "grid.h"
#include "matrix.h"
#include "peer_guest.h"
#include "place.h"
#include "support/check.h"
#include "web.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define OTHER_HASH "00000000000000000000000000000000000000000000000000000000000000ff"

enum column {
    ATTACH_HSM,
    DETACH_HSM,
    GET_HOSTOS_VERSION,
    NOTIFY,
    GET_VSOCK_VERSION,
    GET_UPGRADE_STATUS,
    START_UPGRADE_GUEST_VM,
    UPGRADE_OTHER_HASH,
    UPGRADE,
    COLUMNS,
};

static const struct {
    const char *name;
    enum peer_command command;
} columns[COLUMNS] = {
    [ATTACH_HSM] = {"attach-hsm", PEER_ATTACH_HSM},
    [DETACH_HSM] = {"detach-hsm", PEER_DETACH_HSM},
    [GET_HOSTOS_VERSION] = {"get-hostos-version", PEER_GET_HOSTOS_VERSION},
    [NOTIFY] = {"notify", PEER_NOTIFY},
    [GET_VSOCK_VERSION] = {"get-vsock-version", PEER_GET_VSOCK_VERSION},
    [GET_UPGRADE_STATUS] = {"get-upgrade-status", PEER_GET_UPGRADE_STATUS},
    [START_UPGRADE_GUEST_VM] = {"start-upgrade-guest-vm", PEER_START_UPGRADE_GUEST_VM},
    [UPGRADE_OTHER_HASH] = {"upgrade, another hash", PEER_UPGRADE},
    [UPGRADE] = {"upgrade", PEER_UPGRADE},
};

struct expected {
    const char *shown; /* in the table of docs/compatibility.md */
    const char *bytes; /* NULL: the guest's program cannot ask for it */
    size_t length;
};

struct row {
    const char *guest;
    const char *greeting; /* TLV 1: the answer to HELLO */
    size_t greeting_length;
    struct expected cell[COLUMNS];
};

#define BYTES(literal) (literal), sizeof(literal) - 1
#define NEVER_ASKED  \
    {                \
        "-", NULL, 0 \
    }

#define NO_HSM "no HSM is plugged in"
#define NO_BUS                                                                      \
    "upgrade-guestos.service cannot be started: the system bus cannot be reached: " \
    "No such file or directory"
#define MISMATCH "the file has the sha256 " WEB_IMAGE_HASH "; expected " OTHER_HASH

#define JSON_1_DONE                           \
    {                                         \
        "ok", BYTES("{\"Ok\":\"NoPayload\"}") \
    }
#define JSON_1_ERROR(code, text)                        \
    {                                                   \
        code, BYTES("{\"Err\":\"" code ": " text "\"}") \
    }
#define JSON_1_ROW                                                                               \
    {                                                                                            \
        [ATTACH_HSM] = JSON_1_DONE, [DETACH_HSM] = JSON_1_ERROR("unavailable", NO_HSM),          \
        [GET_HOSTOS_VERSION] = {"ok", BYTES("{\"Ok\":{\"HostOSVersion\":\"1.2.3\"}}")},          \
        [NOTIFY] = JSON_1_DONE,                                                                  \
        [GET_VSOCK_VERSION] = {"ok", BYTES("{\"Ok\":{\"HostOSVsockVersion\":{\"major\":1,"       \
                                           "\"minor\":0,\"patch\":0}}}")},                       \
        [GET_UPGRADE_STATUS] = NEVER_ASKED,                                                      \
        [START_UPGRADE_GUEST_VM] = JSON_1_ERROR("unavailable", NO_BUS),                          \
        [UPGRADE_OTHER_HASH] = JSON_1_ERROR("hash_mismatch", MISMATCH), [UPGRADE] = JSON_1_DONE, \
    }

#define JSON_0_OK(shown)                                                        \
    {                                                                           \
        shown, BYTES("{\"message\": \"accepted request\", \"status\": \"ok\"}") \
    }
#define JSON_0_INVALID(shown)                                                     \
    {                                                                             \
        shown, BYTES("{\"message\": \"invalid request\", \"status\": \"error\"}") \
    }
#define JSON_0_ROW                                                             \
    {                                                                          \
        [ATTACH_HSM] = JSON_0_OK("ok"),                                        \
        [DETACH_HSM] = JSON_0_INVALID("unavailable, said as invalid"),         \
        [GET_HOSTOS_VERSION] = NEVER_ASKED, [NOTIFY] = JSON_0_OK("ok"),        \
        [GET_VSOCK_VERSION] = NEVER_ASKED, [GET_UPGRADE_STATUS] = NEVER_ASKED, \
        [START_UPGRADE_GUEST_VM] = NEVER_ASKED,                                \
        [UPGRADE_OTHER_HASH] = JSON_0_OK("accepted; the end is not told"),     \
        [UPGRADE] = JSON_0_OK("accepted; the end is not told"),                \
    }

/* Header with the length of the payload; then the payload. */
#define TLV_0_OK(length, payload)                              \
    {                                                          \
        "ok", BYTES("VSCK\x00\x09\x02\x00\x00" length payload) \
    }
#define TLV_0_ERROR(code, length, text_length, text)                                         \
    {                                                                                        \
        code, BYTES("VSCK\x00\x09\x03\x00\x00" length "\x01\x00" text_length code ": " text) \
    }
#define TLV_0_ROW                                                                      \
    {                                                                                  \
        [ATTACH_HSM] = TLV_0_OK("\x00", ""),                                           \
        [DETACH_HSM] = TLV_0_ERROR("unavailable", "\x24", "\x21", NO_HSM),             \
        [GET_HOSTOS_VERSION] = TLV_0_OK("\x08", "\x01\x00\x05"                         \
                                                "1.2.3"),                              \
        [NOTIFY] = TLV_0_OK("\x00", ""), [GET_VSOCK_VERSION] = NEVER_ASKED,            \
        [GET_UPGRADE_STATUS] = NEVER_ASKED, [START_UPGRADE_GUEST_VM] = NEVER_ASKED,    \
        [UPGRADE_OTHER_HASH] = TLV_0_ERROR("hash_mismatch", "\xb5", "\xb2", MISMATCH), \
        [UPGRADE] = TLV_0_OK("\x00", ""),                                              \
    }

/* A frame about the request 0x01020304. */
#define TLV_1(type, length, payload) \
    BYTES("VSCK\x01\x00\x00" type "\x01\x02\x03\x04\x00\x00\x00" length payload)
#define TLV_1_DONE                                              \
    {                                                           \
        "ok", TLV_1("\x12", "\x06", "\x00\x02\x00\x02\x00\x00") \
    }
#define TLV_1_UNAVAILABLE(length, text_length, text)          \
    {                                                         \
        "unavailable", TLV_1("\x03", length,                  \
                             "\x00\x02\x00\x02\x00\x0a"       \
                             "\x00\x04\x00" text_length text) \
    }
#define TLV_1_ROW                                                                            \
    {                                                                                        \
        [ATTACH_HSM] = TLV_1_DONE, [DETACH_HSM] = TLV_1_UNAVAILABLE("\x1e", "\x14", NO_HSM), \
        [GET_HOSTOS_VERSION] = {"ok", TLV_1("\x12", "\x0f",                                  \
                                            "\x00\x02\x00\x02\x00\x02"                       \
                                            "\x00\x06\x00\x05"                               \
                                            "1.2.3")},                                       \
        [NOTIFY] = TLV_1_DONE,                                                               \
        [GET_VSOCK_VERSION] = {"ok", TLV_1("\x12", "\x16",                                   \
                                           "\x00\x02\x00\x02\x00\x01"                        \
                                           "\x00\x04\x00\x0c\x00\x00\x00\x01"                \
                                           "\x00\x00\x00\x00\x00\x00\x00\x00")},             \
        [GET_UPGRADE_STATUS] = {"ok, idle",                                                  \
                                TLV_1("\x12", "\x2a",                                        \
                                      "\x00\x02\x00\x02\x00\x03"                             \
                                      "\x00\x08\x00\x02\x00\x00"                             \
                                      "\x00\x0a\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00"     \
                                      "\x00\x0c\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00"     \
                                      "\x00\x10\x00\x02\x00\x00")},                          \
        [START_UPGRADE_GUEST_VM] = TLV_1_UNAVAILABLE("\x70", "\x66", NO_BUS),                \
        [UPGRADE_OTHER_HASH] = {"hash_mismatch", TLV_1("\x03", "\xad",                       \
                                                       "\x00\x02\x00\x02\x00\x0c"            \
                                                       "\x00\x04\x00\xa3" MISMATCH)},        \
        [UPGRADE] = TLV_1_DONE,                                                              \
    }
#define WELCOME                                                  \
    BYTES("VSCK\x01\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x22" \
          "\x00\x02\x00\x02\x01\x00"                             \
          "\x00\x03\x00\x10"                                     \
          "vsock_host/1.0.0"                                     \
          "\x00\x05\x00\x04\x00\x00\x40\x00")

/* No common version: every command ends with the answer to HELLO. */
#define OTHER_MAJOR                  \
    {                                \
        "unsupported_version", "", 0 \
    }
#define OTHER_MAJOR_ROW                                                                            \
    {                                                                                              \
        OTHER_MAJOR, OTHER_MAJOR, OTHER_MAJOR, OTHER_MAJOR, OTHER_MAJOR, OTHER_MAJOR, OTHER_MAJOR, \
            OTHER_MAJOR, OTHER_MAJOR                                                               \
    }
#define UNSUPPORTED                                              \
    BYTES("VSCK\x01\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x39" \
          "\x00\x02\x00\x02\x00\x02"                             \
          "\x00\x04\x00\x29"                                     \
          "HELLO offers 2.0; expected a major of 1.0"            \
          "\x00\x05\x00\x02\x01\x00")

static const struct row rows[] = {
    {"json-0 2022", BYTES(""), JSON_0_ROW},
    {"json-1 2023, one read", BYTES(""), JSON_1_ROW},
    {"json-1, reads to the end", BYTES(""), JSON_1_ROW},
    {"json-1 2026, half-closes", BYTES(""), JSON_1_ROW},
    {"tlv 0.9", BYTES(""), TLV_0_ROW},
    {"tlv 1.0", WELCOME, TLV_1_ROW},
    {"tlv 1.7", WELCOME, TLV_1_ROW},
    {"tlv 2.0 and 1.0", WELCOME, TLV_1_ROW},
    {"tlv 2.0 only", UNSUPPORTED, OTHER_MAJOR_ROW},
};

static bool same(const struct octets *heard, const char *bytes, size_t length)
{
    return heard->length == length &&
           (length == 0 || (bytes != NULL && memcmp(heard->bytes, bytes, length) == 0));
}

/* Bytes as C writes them. */
static void print(const char *what, const void *bytes, size_t length)
{
    printf("\n      %s (%zu): ", what, length);
    for (size_t i = 0; bytes != NULL && i < length; i++) {
        unsigned byte = ((const uint8_t *)bytes)[i];
        printf(isprint((int)byte) ? "%c" : "\\x%02x", byte);
    }
}

static bool judge(struct grid *grid, const struct row *row, enum column column,
                  const struct peer_heard *heard)
{
    const struct expected *expected = &row->cell[column];
    if (heard->ended && same(&heard->greeting, row->greeting, row->greeting_length) &&
        same(&heard->answer, expected->bytes, expected->length)) {
        grid_cell(grid, expected->shown);
        return true;
    }
    printf("\n    %s, %s: %s", row->guest, columns[column].name,
           heard->ended ? "" : "the connection did not end; ");
    print("heard first", heard->greeting.bytes, heard->greeting.length);
    print("expected first", row->greeting, row->greeting_length);
    print("heard", heard->answer.bytes, heard->answer.length);
    print("expected", expected->bytes, expected->length);
    grid_cell_changed(grid);
    return false;
}

/* False: it was not answered as expected. */
static bool run_cell(struct grid *grid, const struct row *row, const struct peer_guest *guest,
                     enum column column, const struct place *place, const char *url)
{
    static struct peer_heard heard;
    struct peer_request request = {
        .command = columns[column].command,
        .url = url,
        .hash = column == UPGRADE ? WEB_IMAGE_HASH : OTHER_HASH,
        .message = MATRIX_MESSAGE,
        .count = 2,
    };
    bool can_ask = peer_guest_can_ask(guest, request.command);
    CHECK_EQUAL(can_ask, row->cell[column].bytes != NULL);
    if (can_ask) {
        (void)peer_guest_ask(guest, place->socket, &request, &heard); /* what was heard tells */
        return judge(grid, row, column, &heard);
    }
    grid_cell(grid, row->cell[column].shown);
    return true;
}

/* What was asked was done, once: the console shows the message twice, and the image was installed.
 */
static void judge_place(const struct place *place, const char *guest, bool served)
{
    static const char shown[] = "\n" MATRIX_MESSAGE "\n\n" MATRIX_MESSAGE "\n";
    struct octets content;
    CHECK_TRUE(!served || place_wait_lines(place, "rebooted", 1));
    CHECK_TRUE(!served || place_wait_lines(place, "console", 6));
    place_read(place, "console", &content);
    bool console = same(&content, shown, served ? sizeof shown - 1 : 0);
    place_read(place, "installed", &content);
    bool installed = same(&content, WEB_IMAGE_HASH "\n", served ? PEER_HASH_HEX + 1 : 0);
    if (!console || !installed) {
        printf("\n    %s: the console or the installer has not seen what was asked, once", guest);
    }
    CHECK_TRUE(console);
    CHECK_TRUE(installed);
}

/* A host of its own for each guest; its upgrades come last, since the host then waits for the
 * reboot. */
static void run_row(struct grid *grid, const struct row *row, const struct peer_guest *guest,
                    const char *url)
{
    struct place place;
    place_make(&place);
    place_start(&place, "");
    CHECK_STRING(row->guest, guest->name);
    grid_row(grid, row->guest);
    bool good = true;
    for (int column = 0; column < COLUMNS; column++) {
        good = run_cell(grid, row, guest, (enum column)column, &place, url) && good;
    }
    if (good) { /* else what is waited for may never come */
        judge_place(&place, row->guest, row->cell[UPGRADE].length > 0);
    }
    CHECK_TRUE(place_stop(&place));
    place_remove(&place);
}

void matrix_host(void)
{
    static struct grid grid;
    char url[WEB_URL_MAX];
    struct web *web = web_start(url);
    REQUIRE_EQUAL(COUNT(rows), peer_guests_count);
    grid_begin(&grid, "every guest at our host", "guest");
    for (int column = 0; column < COLUMNS; column++) {
        grid_cell(&grid, columns[column].name);
    }
    grid_head_end(&grid, COLUMNS);
    CHECK_EACH(i, rows, "%s", rows[i].guest) {
        run_row(&grid, &rows[i], &peer_guests[i], url);
    }
    web_stop(web);
    grid_check(&grid);
}
