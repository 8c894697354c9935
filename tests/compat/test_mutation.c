/* SPDX-License-Identifier: Apache-2.0 */
/* Every golden frame with every single bit flipped, and cut at every length. Each is fed whole and
 * one byte at a time, in allocations of exactly its size; both must come to the same. */
#include "support/drive.h"
#include "support/golden.h"
#include "support/golden_message.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>

enum outcome { OUTCOME_TAKEN, OUTCOME_REFUSED, OUTCOME_WAITING };

static const char *const folders[] = {"tlv-1", "broken"};

/* Some answers are of commands: the session asked for the one whose answer the frame may be. */
static struct client_session guest_of(const uint8_t *bytes, size_t length)
{
    static const enum command commands[] = {COMMAND_ATTACH_HSM, COMMAND_GET_VSOCK_VERSION,
                                            COMMAND_GET_HOSTOS_VERSION, COMMAND_GET_UPGRADE_STATUS};
    size_t kind = length > 21 && bytes[21] < 4 ? bytes[21] : 0;
    return guest_agreed(commands[kind], GOLDEN_ID);
}

static enum outcome outcome_of(const struct drive *drive)
{
    if (drive->count == 0) {
        return OUTCOME_WAITING;
    }
    return drive->event[0].kind == DRIVE_REFUSED ? OUTCOME_REFUSED : OUTCOME_TAKEN;
}

static enum outcome feed_host(const uint8_t *bytes, size_t length, bool first)
{
    struct drive drives[2];
    for (size_t i = 0; i < 2; i++) {
        struct server_session session = host_agreed();
        if (first) {
            server_init(&session, 16384, 3);
        }
        drive_host(&session, bytes, length, i == 0 ? DRIVE_WHOLE : 1, &drives[i]);
    }
    CHECK_TRUE(drive_equal(&drives[0], &drives[1]));
    return outcome_of(&drives[0]);
}

static enum outcome feed_guest(const uint8_t *bytes, size_t length, bool first)
{
    struct drive drives[2];
    for (size_t i = 0; i < 2; i++) {
        struct client_session session = guest_of(bytes, length);
        if (first) {
            session.agreed = (struct wire_version){0};
        }
        drive_guest(&session, bytes, length, i == 0 ? DRIVE_WHOLE : 1, &drives[i]);
    }
    CHECK_TRUE(drive_equal(&drives[0], &drives[1]));
    return outcome_of(&drives[0]);
}

typedef enum outcome feed_function(const uint8_t *bytes, size_t length, bool first);

/* The receiver of a frame type, and whether it is the first frame there. */
static feed_function *receiver_of(const struct golden *file, bool *first)
{
    unsigned type = file->length > 7 ? file->bytes[7] : 0;
    *first = type == FRAME_HELLO || type == FRAME_WELCOME || file->first;
    return type == FRAME_HELLO || type == FRAME_REQUEST ? feed_host : feed_guest;
}

/* Long frames are long texts: their beginning is enough. */
static size_t mutated_length(const struct golden *file)
{
    return file->length <= 512 ? file->length : 64;
}

/* Before anything else: good is taken and bad is refused, by the same two functions. */
UNIT_TEST(test_known, "good is taken, bad is refused")
{
    struct golden_set set = golden_load("tlv-1");
    for (size_t i = 0; i < set.count; i++) {
        CHECK_ROW("%s", set.file[i].name);
        bool first = false;
        feed_function *feed = receiver_of(&set.file[i], &first);
        enum outcome outcome = feed(set.file[i].bytes, set.file[i].length, first);
        bool no_common_major = strcmp(set.file[i].name, "hello-2.0-only") == 0;
        CHECK_EQUAL(outcome, no_common_major ? OUTCOME_REFUSED : OUTCOME_TAKEN);
        if (set.file[i].length > 0) {
            uint8_t *bad = exact_copy(set.file[i].bytes, set.file[i].length);
            bad[3] ^= 1;
            CHECK_EQUAL(feed(bad, set.file[i].length, first), OUTCOME_REFUSED);
            free(bad);
        }
    }
    golden_free(&set);
}

UNIT_TEST(test_flips, "every bit flipped")
{
    unsigned counts[3] = {0};
    for (size_t folder = 0; folder < 2; folder++) {
        struct golden_set set = golden_load(folders[folder]);
        for (size_t i = 0; i < set.count; i++) {
            bool first = false;
            feed_function *feed = receiver_of(&set.file[i], &first);
            size_t length = mutated_length(&set.file[i]);
            for (size_t bit = 0; bit < 8 * length; bit++) {
                uint8_t *flipped = exact_copy(set.file[i].bytes, set.file[i].length);
                flipped[bit / 8] ^= (uint8_t)(1U << bit % 8);
                counts[feed(flipped, set.file[i].length, first)]++;
                free(flipped);
            }
        }
        golden_free(&set);
    }
    printf("%u taken, %u refused ... ", counts[OUTCOME_TAKEN], counts[OUTCOME_REFUSED]);
    CHECK_COMPARE(counts[OUTCOME_TAKEN], >, 0);
    CHECK_COMPARE(counts[OUTCOME_REFUSED], >, counts[OUTCOME_TAKEN]);
    CHECK_EQUAL(counts[OUTCOME_WAITING], 0); /* the stream has ended */
}

/* A frame that is cut is never taken. */
UNIT_TEST(test_truncations, "every truncation")
{
    for (size_t folder = 0; folder < 2; folder++) {
        CHECK_ROW("folder = %zu", folder);
        struct golden_set set = golden_load(folders[folder]);
        for (size_t i = 0; i < set.count; i++) {
            CHECK_ROW("%s", set.file[i].name);
            bool first = false;
            feed_function *feed = receiver_of(&set.file[i], &first);
            size_t most = mutated_length(&set.file[i]);
            for (size_t length = 0; length < most; length++) {
                CHECK_ROW("length = %zu", length);
                uint8_t *cut = exact_copy(set.file[i].bytes, length);
                CHECK_EQUAL(feed(cut, length, first),
                            length == 0 ? OUTCOME_WAITING : OUTCOME_REFUSED);
                free(cut);
            }
        }
        golden_free(&set);
    }
}

UNIT_MAIN("compat mutations")
