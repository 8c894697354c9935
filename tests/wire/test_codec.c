/* SPDX-License-Identifier: Apache-2.0 */
/* The codec against tests/golden/tlv-1, whose bytes were not made by it. */
#include "support/golden.h"
#include "support/message.h"
#include "support/unit.h"
#include "wire/frame.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

UNIT_TEST(test_every_file, "every golden file has a message, and back")
{
    struct golden_set set = golden_load("tlv-1");
    CHECK_EQUAL(set.count, golden_messages_count);
    for (size_t i = 0; i < golden_messages_count; i++) {
        (void)golden_get(&set, golden_messages[i].name);
    }
    golden_free(&set);
}

UNIT_TEST(test_encode, "encode gives the golden bytes")
{
    struct golden_set set = golden_load("tlv-1");
    for (size_t i = 0; i < golden_messages_count; i++) {
        CHECK_ROW("%s", golden_messages[i].name);
        const struct golden *file = golden_get(&set, golden_messages[i].name);
        uint8_t *room = exact_room(file->length);
        struct writer writer = {.bytes = room, .size = file->length};
        CHECK_EQUAL(message_encode(&golden_messages[i], &writer), 0);
        REQUIRE_EQUAL(writer.length, file->length);
        CHECK_BYTES(room, file->bytes, file->length);
        free(room);
    }
    golden_free(&set);
}

/* A buffer of any smaller size is refused, and no byte beyond it is touched. */
UNIT_TEST(test_no_room, "encode without room leaves the writer alone")
{
    struct golden_set set = golden_load("tlv-1");
    for (size_t i = 0; i < golden_messages_count; i++) {
        CHECK_ROW("%s", golden_messages[i].name);
        const struct golden *file = golden_get(&set, golden_messages[i].name);
        for (size_t size = 0; size < file->length; size++) {
            CHECK_ROW("size = %zu", size);
            uint8_t *room = exact_room(size);
            struct writer writer = {.bytes = room, .size = size};
            CHECK_EQUAL(message_encode(&golden_messages[i], &writer), -ENOBUFS);
            CHECK_EQUAL(writer.length, 0);
            CHECK_FALSE(writer.full);
            free(room);
        }
    }
    golden_free(&set);
}

UNIT_TEST(test_decode, "decode gives the golden message")
{
    struct golden_set set = golden_load("tlv-1");
    for (size_t i = 0; i < set.count; i++) {
        CHECK_ROW("%s", set.file[i].name);
        const struct golden *file = golden_get(&set, golden_messages[i].name);
        struct golden_message decoded;
        struct protocol_error protocol_error = {0};
        CHECK_EQUAL(message_decode(file->bytes, file->length, &decoded, &protocol_error), 0);
        CHECK_TRUE(message_equal(&decoded, &golden_messages[i]));
    }
    golden_free(&set);
}

UNIT_TEST(test_hello_is_seven_bit, "our HELLO has no byte above 0x7f")
{
    struct hello hello = {.versions = wire_versions_spoken,
                          .agent = text_of("vsock_guest/" VSOCK_VERSION)};
    uint8_t room[FRAME_HEADER_SIZE + HELLO_PAYLOAD_MAX];
    struct writer writer = {.bytes = room, .size = sizeof room};
    REQUIRE_EQUAL(codec_encode_hello(&hello, &writer), 0);
    CHECK_COMPARE(writer.length, >, FRAME_HEADER_SIZE);
    for (size_t i = 0; i < writer.length; i++) {
        CHECK_ROW("i = %zu", i);
        CHECK_COMPARE(room[i], <, 0x80);
    }
}

UNIT_TEST(test_header, "the header, both ways")
{
    static const struct frame_header header = {
        .version = {0x12, 0x34}, .type = 0x5678, .id = 0x9abcdef0, .length = 0xfedcba98};
    static const uint8_t bytes[] = {'V',  'S',  'C',  'K',  0x12, 0x34, 0x56, 0x78,
                                    0x9a, 0xbc, 0xde, 0xf0, 0xfe, 0xdc, 0xba, 0x98};
    uint8_t out[FRAME_HEADER_SIZE];
    struct frame_header decoded;
    frame_header_encode(&header, out);
    CHECK_BYTES(out, bytes, sizeof bytes);
    frame_header_decode(bytes, &decoded);
    CHECK_TRUE(version_equal(decoded.version, header.version));
    CHECK_EQUAL(decoded.type, header.type);
    CHECK_EQUAL(decoded.id, header.id);
    CHECK_EQUAL(decoded.length, header.length);
    CHECK_TRUE(frame_begins(bytes, sizeof bytes));
    CHECK_TRUE(frame_begins(bytes, 0));
    CHECK_TRUE(frame_begins(bytes, 3));
    CHECK_FALSE(frame_begins((const uint8_t *)"VSCk", 4));
    CHECK_TRUE(frame_begins((const uint8_t *)"VSCk", 3));
    CHECK_FALSE(frame_begins((const uint8_t *)"v", 1));
}

UNIT_MAIN("wire codec")
