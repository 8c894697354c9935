/* SPDX-License-Identifier: Apache-2.0 */
/* Our guest at every host of the field: exit status, stdout and stderr of each command, to the
 * byte, and how often the host was asked. */
#include "grid.h"
#include "matrix.h"
#include "peer_host.h"
#include "peer_link.h"
#include "process.h"
#include "support/check.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS_AT_ONCE = 10 };

#define URL             "https://updates.example/hostos.tar.zst"
#define HASH            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define UPPER_CASE_HASH "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"

/* What vsock_guest says; the address of the host is replaced by ADDRESS. */
struct expected {
    const char *shown; /* in the table of docs/compatibility.md */
    int status;
    const char *out;
    const char *err;
    unsigned asked; /* times that the host received this request, whole */
};

struct row {
    const char *host;
    struct expected cell[PEER_COMMANDS]; /* by command; the first is empty */
};

#define WHERE  "error: protocol: ADDRESS (option --address): "
#define UNSENT "; no command was sent"

#define DONE(out)                \
    {                            \
        "ok", 0, out "\n", "", 1 \
    }
#define NO_PAYLOAD DONE("NoPayload")
#define HOSTOS     DONE("HostOSVersion(1.2.3)")
#define VSOCK      DONE("HostOSVsockVersion(1.0.0)")
#define STATUS     DONE("UpgradeStatus(idle, 0/0, -, ok)")
#define ACCEPTED                                                                               \
    {                                                                                          \
        "ok, accepted", 0, "NoPayload\n",                                                      \
            "note: this host does not report the end of an upgrade: it has only accepted the " \
            "request\n",                                                                       \
            1                                                                                  \
    }
#define LACKS(command, dialect)                                                              \
    {                                                                                        \
        "not carried: 5", 5, "", WHERE command " cannot be asked in " dialect UNSENT "\n", 0 \
    }
#define TLV_0  "tlv-0 (TLV wire 0.9)"
#define JSON_1 "json-1 (JSON, newer generation)"
#define JSON_0 "json-0 (JSON, older generation)"

#define ALL(cell)                                           \
    {                                                       \
        {0}, cell, cell, cell, cell, cell, cell, cell, cell \
    }
#define ALL_DONE                                                                               \
    {                                                                                          \
        {0}, NO_PAYLOAD, NO_PAYLOAD, HOSTOS, NO_PAYLOAD, NO_PAYLOAD, VSOCK, STATUS, NO_PAYLOAD \
    }
#define AS_JSON_1                                                           \
    {                                                                       \
        {0}, NO_PAYLOAD, NO_PAYLOAD, HOSTOS, NO_PAYLOAD, NO_PAYLOAD, VSOCK, \
            LACKS("get-upgrade-status", JSON_1), NO_PAYLOAD                 \
    }
#define AS_JSON_0                                                                               \
    {                                                                                           \
        {0}, NO_PAYLOAD, NO_PAYLOAD, LACKS("get-hostos-version", JSON_0), ACCEPTED, NO_PAYLOAD, \
            LACKS("get-vsock-version", JSON_0), LACKS("get-upgrade-status", JSON_0),            \
            LACKS("start-upgrade-guest-vm", JSON_0)                                             \
    }
#define AS_TLV_0                                                                   \
    {                                                                              \
        {0}, NO_PAYLOAD, NO_PAYLOAD, HOSTOS, NO_PAYLOAD, NO_PAYLOAD,               \
            LACKS("get-vsock-version", TLV_0), LACKS("get-upgrade-status", TLV_0), \
            LACKS("start-upgrade-guest-vm", TLV_0)                                 \
    }
#define OTHER_MAJOR                                                                                \
    {                                                                                              \
        "no common version: 5", 5, "",                                                             \
            "error: unsupported_version: ADDRESS (option --address): no common major" UNSENT "\n", \
            0                                                                                      \
    }
#define NOBODY                                                                                    \
    {                                                                                             \
        "no connection: 3", 3, "",                                                                \
            "error: connect: ADDRESS (option --address): the host closed the connection without " \
            "answering "                                                                          \
            "the "                                                                                \
            "greeting" UNSENT "; is vsock_host running on the host?\n",                           \
            0                                                                                     \
    }
#define NOTHING_SAID                                                                            \
    {                                                                                           \
        "no answer: 4", 4, "",                                                                  \
            "error: timeout: ADDRESS (option --address): the host took the connection but did " \
            "not answer "                                                                       \
            "the "                                                                              \
            "greeting" UNSENT "\n",                                                             \
            0                                                                                   \
    }
#define NONSENSE                                                                                   \
    {                                                                                              \
        "nonsense: 5", 5, "",                                                                      \
            WHERE "the answer is no JSON; received \"SSH-2.0-OpenSSH_9.2\\x0d\\x0a\"" UNSENT "\n", \
            0                                                                                      \
    }

static const struct row rows[] = {
    {"json-0", AS_JSON_0},
    {"json-1, one read", AS_JSON_1},
    {"json-1, reads to the end", AS_JSON_1},
    {"json-1, reads to the end, one at a time", AS_JSON_1},
    {"json-1, 3 s late", AS_JSON_1},
    {"tlv 0.9", AS_TLV_0},
    {"tlv 1.0", ALL_DONE},
    {"tlv 1.7", ALL_DONE},
    {"tlv 2.0 only", ALL(OTHER_MAJOR)},
    {"tlv 1.0, 2 s late", ALL_DONE},
    {"closes once, then tlv 1.0", ALL_DONE},
    {"closes once, then json-1", AS_JSON_1},
    {"always closes", ALL(NOBODY)},
    {"silent", ALL(NOTHING_SAID)},
    {"junk", ALL(NONSENSE)},
    {"accepts everything", AS_JSON_0},
};

static const char *const names[PEER_COMMANDS] = {
    [PEER_ATTACH_HSM] = "attach-hsm",
    [PEER_DETACH_HSM] = "detach-hsm",
    [PEER_GET_HOSTOS_VERSION] = "get-hostos-version",
    [PEER_UPGRADE] = "upgrade",
    [PEER_NOTIFY] = "notify",
    [PEER_GET_VSOCK_VERSION] = "get-vsock-version",
    [PEER_GET_UPGRADE_STATUS] = "get-upgrade-status",
    [PEER_START_UPGRADE_GUEST_VM] = "start-upgrade-guest-vm",
};

/* One command at a host of its own. */
struct asking {
    char path[96];
    int64_t began_ms;
    struct peer_host *host;
    struct process process;
};

static void ask(struct asking *asking, const char *folder, size_t row, int command)
{
    char address[128];
    snprintf(asking->path, sizeof asking->path, "%s/%zu-%d", folder, row, command);
    snprintf(address, sizeof address, "unix:%s", asking->path);
    struct peer_host_setup setup = {
        .habit = peer_host_find(rows[row].host),
        .path = asking->path,
        .arguments = {.url = URL, .hash = HASH, .message = MATRIX_MESSAGE, .count = 2},
    };
    REQUIRE_NOT_NULL(setup.habit);
    asking->began_ms = peer_link_now_ms();
    asking->host = peer_host_start(&setup);
    const char *words[12] = {"vsock_guest", "--address", address,
                             "--timeout",   "60",        names[command]};
    if (command == PEER_UPGRADE) {
        memcpy(&words[6], (const char *[]){"--url", URL, "--hash", UPPER_CASE_HASH},
               4 * sizeof words[0]);
    } else if (command == PEER_NOTIFY) {
        memcpy(&words[6], (const char *[]){MATRIX_MESSAGE, "--count", "2"}, 3 * sizeof words[0]);
    }
    asking->process = process_start(words, (const char *[]){"VSOCK_LOCAL_CID=3", NULL});
}

/* The text with every mention of the address replaced by a fixed word. */
static void without_address(const char *text, const char *path, char ret[PROCESS_TEXT_MAX])
{
    char address[128];
    size_t length = 0;
    snprintf(address, sizeof address, "unix:%s", path);
    while (*text != '\0' && length < PROCESS_TEXT_MAX - sizeof "ADDRESS") {
        if (strncmp(text, address, strlen(address)) == 0) {
            memcpy(ret + length, "ADDRESS", 7);
            length += 7;
            text += strlen(address);
        } else {
            ret[length++] = *text++;
        }
    }
    ret[length] = '\0';
}

/* True if the host was asked so often, and for nothing else that changes something. */
static bool asked_as_expected(const struct peer_counts *counts, int command, unsigned asked)
{
    bool good = counts->requests[command] == asked && counts->cut == 0;
    for (int other = 1; other < PEER_COMMANDS; other++) {
        if (other != command && other != PEER_GET_VSOCK_VERSION) { /* that one is the probe */
            good = good && counts->requests[other] == 0;
        }
    }
    return good;
}

static void judge(struct grid *grid, struct asking *asking, const struct row *row, int command)
{
    static struct process_end end;
    static char err[PROCESS_TEXT_MAX];
    const struct expected *expected = &row->cell[command];
    struct peer_counts counts;
    process_end(&asking->process, &end);
    peer_host_stop(asking->host, &counts);
    without_address(end.err, asking->path, err);
    if (end.status == expected->status && strcmp(end.out, expected->out) == 0 &&
        strcmp(err, expected->err) == 0 && asked_as_expected(&counts, command, expected->asked)) {
        grid_cell(grid, expected->shown);
        return;
    }
    printf("\n    %s at %s: exit %d, stdout \"%s\", stderr \"%s\", asked %u times (cut %u, "
           "strange %u, connections %u); expected exit %d, stdout \"%s\", stderr \"%s\", "
           "asked %u times",
           names[command], row->host, end.status, end.out, err, counts.requests[command],
           counts.cut, counts.strange, counts.connections, expected->status, expected->out,
           expected->err, expected->asked);
    grid_cell_changed(grid);
}

/* The commands of a row at once, and several rows: some hosts take their time. */
static void start_row(struct asking asking[PEER_COMMANDS], const char *folder, size_t row)
{
    for (int command = 1; command < PEER_COMMANDS; command++) {
        ask(&asking[command], folder, row, command);
    }
}

static void judge_row(struct grid *grid, struct asking asking[PEER_COMMANDS], const struct row *row)
{
    grid_row(grid, row->host);
    for (int command = 1; command < PEER_COMMANDS; command++) {
        judge(grid, &asking[command], row, command);
    }
    printf("\n    %s: all commands within %.1f s", row->host,
           (double)(peer_link_now_ms() - asking[1].began_ms) / 1000);
}

void matrix_guest(void)
{
    static struct grid grid;
    char folder[] = "/tmp/vm-XXXXXX";
    REQUIRE_NOT_NULL(mkdtemp(folder));
    CHECK_EQUAL(COUNT(rows), peer_host_habits_count);
    grid_begin(&grid, "our guest at every host", "host");
    for (int command = 1; command < PEER_COMMANDS; command++) {
        grid_cell(&grid, names[command]);
    }
    grid_head_end(&grid, PEER_COMMANDS - 1);
    static struct asking asking[COUNT(rows)][PEER_COMMANDS];
    size_t started = 0;
    CHECK_EACH(i, rows, "%s", rows[i].host) {
        for (; started < COUNT(rows) && started < i + ROWS_AT_ONCE; started++) {
            start_row(asking[started], folder, started);
        }
        judge_row(&grid, asking[i], &rows[i]);
    }
    CHECK_EQUAL(rmdir(folder), 0);
    grid_check(&grid);
}
