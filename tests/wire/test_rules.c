/* SPDX-License-Identifier: Apache-2.0 */
/* Every rule of a payload broken on purpose, in every message. */
#include "support/pieces.h"
#include "support/unit.h"

static struct pieces whole;
static struct pieces broken;

#define FOR_EACH_MESSAGE \
    for (size_t message_index = 0; pieces_take(message_index, &whole); message_index++)

UNIT_TEST(test_whole, "whole messages are taken")
{
    size_t count = 0;
    FOR_EACH_MESSAGE
    {
        CHECK_EQUAL(whole.count, pieces_layout(&whole)->count);
        CHECK_TRUE(pieces_judge(&whole, NULL, 0).same);
        count++;
    }
    CHECK_EQUAL(count, 4 + COMMAND_LAST + PAYLOAD_LAST + 1);
}

UNIT_TEST(test_missing, "a field is missing")
{
    FOR_EACH_MESSAGE
    {
        const struct layout *layout = pieces_layout(&whole);
        for (size_t i = 0; i < whole.count; i++) {
            CHECK_ROW("i = %zu", i);
            broken = whole;
            pieces_remove(&broken, i);
            bool mandatory = layout->rows[i].presence == FIELD_MANDATORY;
            CHECK_EQUAL(pieces_code(&broken), mandatory ? ERROR_MALFORMED : ERROR_NONE);
        }
    }
}

UNIT_TEST(test_width, "a field has another width")
{
    FOR_EACH_MESSAGE
    {
        const struct layout *layout = pieces_layout(&whole);
        for (size_t i = 0; i < whole.count; i++) {
            CHECK_ROW("i = %zu", i);
            if (field_type_width(layout->rows[i].type) == 0) {
                continue;
            }
            static uint8_t wider[64];
            broken = whole;
            broken.piece[i].length--;
            CHECK_EQUAL(pieces_code(&broken), ERROR_MALFORMED);
            broken.piece[i].length += 2;
            broken.piece[i].value = wider;
            CHECK_EQUAL(pieces_code(&broken), ERROR_MALFORMED);
            broken.piece[i].length = 0;
            CHECK_EQUAL(pieces_code(&broken), ERROR_MALFORMED);
        }
    }
}

UNIT_TEST(test_order, "fields out of order, repeated")
{
    FOR_EACH_MESSAGE
    {
        for (size_t i = 0; i < whole.count; i++) {
            CHECK_ROW("i = %zu", i);
            broken = whole;
            pieces_insert(&broken, i, whole.piece[i]); /* repeated */
            CHECK_EQUAL(pieces_code(&broken), ERROR_MALFORMED);
            if (i > 0) {
                broken = whole;
                broken.piece[i] = whole.piece[i - 1]; /* swapped */
                broken.piece[i - 1] = whole.piece[i];
                CHECK_EQUAL(pieces_code(&broken), ERROR_MALFORMED);
            }
        }
        broken = whole;
        pieces_insert(&broken, broken.count, (struct tlv){0x7fff, 0, NULL});
        pieces_insert(&broken, broken.count, (struct tlv){0x7fff, 0, NULL}); /* skipped, repeated */
        CHECK_EQUAL(pieces_code(&broken), ERROR_MALFORMED);
    }
}

/* A tag that no message has, at every place where it can stand. */
UNIT_TEST(test_unknown_tags, "unknown tags: even refused, odd skipped")
{
    FOR_EACH_MESSAGE
    {
        for (size_t i = 0; i <= whole.count; i++) {
            CHECK_ROW("i = %zu", i);
            unsigned below = i > 0 ? whole.piece[i - 1].tag + 1U : 0;
            unsigned above = i < whole.count ? whole.piece[i].tag : below + 3;
            for (unsigned tag = below; tag < above; tag++) {
                CHECK_ROW("tag = %u", tag);
                broken = whole;
                pieces_insert(&broken, i,
                              (struct tlv){(uint16_t)tag, 2, (const uint8_t *)"\x01\x02"});
                struct judgement judgement = pieces_judge(&broken, NULL, 0);
                CHECK_EQUAL(judgement.code, tag % 2 == 0 ? ERROR_UNSUPPORTED_FIELD : ERROR_NONE);
                CHECK_EQUAL(judgement.same, tag % 2 == 1);
            }
        }
    }
}

UNIT_TEST(test_end, "bytes left over, lengths past the end")
{
    FOR_EACH_MESSAGE
    {
        CHECK_EQUAL(pieces_judge(&whole, "\x7f", 1).code, ERROR_MALFORMED);
        CHECK_EQUAL(pieces_judge(&whole, "\x7f\x01", 2).code, ERROR_MALFORMED);
        CHECK_EQUAL(pieces_judge(&whole, "\x7f\x01\0", 3).code, ERROR_MALFORMED);
        CHECK_EQUAL(pieces_judge(&whole, "\x7f\x01\0\0", 4).code, ERROR_NONE);
        CHECK_EQUAL(pieces_judge(&whole, "\x7f\x01\0\x01", 4).code, ERROR_MALFORMED);
        CHECK_EQUAL(pieces_judge(&whole, "\x7f\x01\x7f\x7f", 4).code, ERROR_MALFORMED);
    }
}

/* Texts: what is not UTF-8, and what is not ASCII where that is asked for. */
UNIT_TEST(test_texts, "texts that are none")
{
    static const char *const bad[] = {"\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                      "\xe2\x82"};
    FOR_EACH_MESSAGE
    {
        const struct layout *layout = pieces_layout(&whole);
        for (size_t i = 0; i < whole.count; i++) {
            CHECK_ROW("i = %zu", i);
            enum field_type type = layout->rows[i].type;
            if (type != FIELD_TEXT && type != FIELD_PRINTABLE) {
                continue;
            }
            broken = whole;
            CHECK_EACH(j, bad, "%s", bad[j]) {
                broken.piece[i].value = (const uint8_t *)bad[j];
                broken.piece[i].length = (uint16_t)strlen(bad[j]);
                CHECK_EQUAL(pieces_code(&broken), ERROR_MALFORMED);
            }
            broken.piece[i].value = (const uint8_t *)"a\0b";
            broken.piece[i].length = 3;
            CHECK_EQUAL(pieces_code(&broken), ERROR_MALFORMED);
            broken.piece[i].value = (const uint8_t *)"\x1b\x7f";
            broken.piece[i].length = 2;
            CHECK_EQUAL(pieces_code(&broken),
                        type == FIELD_PRINTABLE ? ERROR_MALFORMED : ERROR_NONE);
        }
    }
}

/* Malformed comes first, whatever else is wrong; else the first in the payload. */
UNIT_TEST(test_precedence, "malformed comes first, then what is first")
{
    struct tlv even = {0x7ffe, 0, NULL};
    REQUIRE_TRUE(pieces_take(1 + COMMAND_UPGRADE, &whole));
    REQUIRE_EQUAL(whole.count, 4);

    broken = whole;
    pieces_insert(&broken, 2, (struct tlv){5, 0, NULL});
    broken.piece[2].tag = 0; /* even, but out of order */
    CHECK_EQUAL(pieces_code(&broken), ERROR_MALFORMED);

    broken = whole;
    broken.piece[3].value = (const uint8_t *)"\x02"; /* progress 2 */
    CHECK_EQUAL(pieces_code(&broken), ERROR_INVALID_ARGUMENT);
    pieces_insert(&broken, 4, even);
    CHECK_EQUAL(pieces_code(&broken), ERROR_INVALID_ARGUMENT);
    CHECK_EQUAL(pieces_judge(&broken, "\0", 1).code, ERROR_MALFORMED);
    pieces_remove(&broken, 2); /* the digest is missing */
    struct judgement judgement = pieces_judge(&broken, NULL, 0);
    CHECK_EQUAL(judgement.code, ERROR_MALFORMED);
    CHECK_STRING(judgement.text, "field 6 (sha256) is missing; upgrade requires it");
    broken.piece[1].length = 1; /* and before it the url is not UTF-8 */
    broken.piece[1].value = (const uint8_t *)"\xff";
    judgement = pieces_judge(&broken, "\0", 1);
    CHECK_EQUAL(judgement.code, ERROR_MALFORMED);
    CHECK_STRING(judgement.text,
                 "field 4 (url) holds a byte that is not allowed; expected UTF-8 without NUL");

    broken = whole;
    pieces_insert(&broken, 1, (struct tlv){0, 0, NULL});
    broken.piece[1].tag = 3;                             /* skipped */
    broken.piece[0].value = (const uint8_t *)"\x12\x34"; /* no such command */
    CHECK_EQUAL(pieces_code(&broken), ERROR_UNKNOWN_COMMAND);
    CHECK_EQUAL(pieces_judge(&broken, "\0", 1).code, ERROR_MALFORMED);

    broken = whole;
    pieces_insert(&broken, 0, (struct tlv){0, 0, NULL});
    pieces_remove(&broken, 4);
    pieces_remove(&broken, 3); /* an even tag first, then the digest is missing */
    CHECK_EQUAL(pieces_code(&broken), ERROR_MALFORMED);
}

UNIT_MAIN("wire rules")
