/* SPDX-License-Identifier: Apache-2.0 */
/* tests/golden/broken: one rule each, with what its receiver makes of it. Every file is fed whole
 * and one byte at a time. */
#include "support/drive.h"
#include "support/golden.h"
#include "support/golden_message.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>

static const size_t chunks[] = {DRIVE_WHOLE, 1};

static struct drive drive_at_host(const struct golden *file, size_t chunk)
{
    struct server_session session = host_agreed();
    struct drive drive;
    if (file->first) {
        server_init(&session, 16384, 3);
    }
    drive_host(&session, file->bytes, file->length, chunk, &drive);
    return drive;
}

/* The command whose response a RESPONSE file can be. */
static enum command command_of(const struct golden *file)
{
    if (strstr(file->name, "status") != NULL) {
        return COMMAND_GET_UPGRADE_STATUS;
    }
    if (strstr(file->name, "release") != NULL) {
        return COMMAND_GET_VSOCK_VERSION;
    }
    return COMMAND_ATTACH_HSM;
}

static struct drive drive_at_guest(const struct golden *file, size_t chunk)
{
    struct client_session session = guest_agreed(command_of(file), GOLDEN_ID);
    struct drive drive;
    if (file->first) {
        session.agreed = (struct wire_version){0, 0};
    }
    drive_guest(&session, file->bytes, file->length, chunk, &drive);
    return drive;
}

static void check_refused(const struct golden *file, const struct drive *drive)
{
    const struct drive_event *event = &drive->event[0];
    REQUIRE_EQUAL(drive->count, 1);
    REQUIRE_EQUAL(event->kind, DRIVE_REFUSED);
    CHECK_STRING(error_name(event->code), file->expect);
    if (!file->to_guest) {
        CHECK_EQUAL(event->closes, file->closes);
        CHECK_EQUAL(event->id, file->error_id);
    }
    CHECK_NULL(strchr(drive->last.text, '\n'));
    CHECK_COMPARE(strlen(drive->last.text), >=, 10);
}

static void check(const struct golden *file, const struct drive *drive)
{
    if (strcmp(file->expect, "accepted") != 0) {
        check_refused(file, drive);
    } else {
        CHECK_EQUAL(drive->count, 1);
        CHECK_COMPARE(drive->event[0].kind, !=, DRIVE_REFUSED);
        CHECK_EQUAL(drive->left, 0);
    }
}

UNIT_TEST(test_broken, "every broken frame gets what its file says")
{
    struct golden_set set = golden_load("broken");
    unsigned refused = 0;
    for (size_t i = 0; i < set.count; i++) {
        const struct golden *file = &set.file[i];
        for (size_t j = 0; j < 2; j++) {
            CHECK_ROW("%s, chunks of %zu", file->name, chunks[j]);
            struct drive drive =
                file->to_guest ? drive_at_guest(file, chunks[j]) : drive_at_host(file, chunks[j]);
            check(file, &drive);
        }
        refused += strcmp(file->expect, "accepted") != 0;
    }
    CHECK_COMPARE(refused, >=, 90);
    CHECK_COMPARE(set.count, >, refused);
    golden_free(&set);
}

/* Files that decode to the same as a good one: the same request at the host. */
UNIT_TEST(test_same, "what is skipped changes nothing")
{
    struct golden_set broken = golden_load("broken");
    struct golden_set good = golden_load("tlv-1");
    unsigned compared = 0;
    for (size_t i = 0; i < broken.count; i++) {
        CHECK_ROW("%s", broken.file[i].name);
        const struct golden *file = &broken.file[i];
        if (strncmp(file->same_as, "tlv-1/request-", strlen("tlv-1/request-")) != 0) {
            continue;
        }
        const struct golden *other = golden_get(&good, file->same_as + strlen("tlv-1/"));
        struct drive a = drive_at_host(file, DRIVE_WHOLE);
        struct drive b = drive_at_host(other, DRIVE_WHOLE);
        CHECK_EQUAL(a.asked.command, b.asked.command);
        CHECK_EQUAL(a.asked.progress, b.asked.progress);
        CHECK_EQUAL(a.asked.url.length, b.asked.url.length);
        CHECK_BYTES(a.asked.sha256, b.asked.sha256, SHA256_SIZE);
        compared++;
    }
    CHECK_COMPARE(compared, >=, 4);
    golden_free(&good);
    golden_free(&broken);
}

UNIT_MAIN("compat broken frames")
