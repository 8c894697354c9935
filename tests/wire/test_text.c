/* SPDX-License-Identifier: Apache-2.0 */
#include "support/golden.h"
#include "support/unit.h"
#include "wire/text.h"

#include <stdio.h>
#include <stdlib.h>

#define BYTES(literal) (literal), sizeof(literal) - 1

static const struct {
    const char *bytes;
    size_t length;
    bool valid;
} samples[] = {
    {BYTES(""), true},
    {BYTES("plain"), true},
    {BYTES("\x01\x7f"), true},
    {BYTES("a\0b"), false},
    {BYTES("\xc2\x80"), true},
    {BYTES("\xc1\xbf"), false}, /* overlong, 2 bytes */
    {BYTES("\xdf\xbf"), true},
    {BYTES("\xe0\xa0\x80"), true},
    {BYTES("\xe0\x9f\xbf"), false}, /* overlong, 3 bytes */
    {BYTES("\xed\x9f\xbf"), true},
    {BYTES("\xed\xa0\x80"), false}, /* U+D800 */
    {BYTES("\xed\xbf\xbf"), false}, /* U+DFFF */
    {BYTES("\xee\x80\x80"), true},
    {BYTES("\xef\xbf\xbf"), true},
    {BYTES("\xf0\x90\x80\x80"), true},
    {BYTES("\xf0\x8f\xbf\xbf"), false}, /* overlong, 4 bytes */
    {BYTES("\xf4\x8f\xbf\xbf"), true},
    {BYTES("\xf4\x90\x80\x80"), false}, /* U+110000 */
    {BYTES("\xf8\x88\x80\x80\x80"), false},
    {BYTES("\xff"), false},
    {BYTES("\x80"), false},
    {BYTES("\xc3("), false},
    {BYTES("\xe2\x82("), false},
    {BYTES("\xe2\x82"), false}, /* cut */
    {BYTES("\xf0\x9f\x9a"), false},
};

UNIT_TEST(test_utf8_valid, "utf8: what is valid")
{
    CHECK_EACH(i, samples, "%s", samples[i].bytes) {
        char *exact = (char *)exact_copy(samples[i].bytes, samples[i].length);
        CHECK_EQUAL(utf8_valid(exact, samples[i].length), samples[i].valid);
        free(exact);
    }
    CHECK_TRUE(utf8_valid(NULL, 0));
}

UNIT_TEST(test_utf8_cut, "utf8: cut at whole characters")
{
    static const char text[] = "a\xc3\xa4\xf0\x9f\x9a\x80z"; /* 1, 2, 4 and 1 bytes */
    static const size_t cuts[] = {0, 1, 1, 3, 3, 3, 3, 7, 8, 8};
    CHECK_EACH(limit, cuts, "%zu", cuts[limit]) {
        CHECK_EQUAL(utf8_cut(text, sizeof text - 1, limit), cuts[limit]);
    }
}

static const struct {
    const char *bytes;
    size_t length;
    const char *line;
    const char *console;
} escapes[] = {
    {BYTES(""), "", ""},
    {BYTES("plain text"), "plain text", "plain text"},
    {BYTES("C:\\x41"), "C:\\x41", "C:\\x41"},
    {BYTES("a\nb\tc"), "a\\x0ab\\x09c", "a\nb\tc"},
    {BYTES("\r\b\a\v\f"), "\\x0d\\x08\\x07\\x0b\\x0c", "\\x0d\\x08\\x07\\x0b\\x0c"},
    {BYTES("\x1b[2J"), "\\x1b[2J", "\\x1b[2J"},
    {BYTES("a\0b"), "a\\x00b", "a\\x00b"},
    {BYTES(" ~\x7f"), " ~\\x7f", " ~\\x7f"},
    {BYTES("\xc2\x80\xc2\x9f\xc2\xa0"), "\\xc2\\x80\\xc2\\x9f\xc2\xa0",
     "\\xc2\\x80\\xc2\\x9f\xc2\xa0"},
    {BYTES("gr\xc3\xbc\xc3\x9f \xf0\x9f\x9a\x80"), "gr\xc3\xbc\xc3\x9f \xf0\x9f\x9a\x80",
     "gr\xc3\xbc\xc3\x9f \xf0\x9f\x9a\x80"},
    {BYTES("\xff\xc3"), "\\xff\\xc3", "\\xff\\xc3"},
    {BYTES("\xed\xa0\x80"), "\\xed\\xa0\\x80", "\\xed\\xa0\\x80"},
    {BYTES("\xd8\x9c"), "\\xd8\\x9c", "\\xd8\\x9c"}, /* U+061C */
    {BYTES("\xe2\x80\x8d\xe2\x80\x8e\xe2\x80\x8f"), "\xe2\x80\x8d\\xe2\\x80\\x8e\\xe2\\x80\\x8f",
     "\xe2\x80\x8d\\xe2\\x80\\x8e\\xe2\\x80\\x8f"}, /* U+200D to F */
    {BYTES("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9"), "\xe2\x80\xa7\\xe2\\x80\\xa8\\xe2\\x80\\xa9",
     "\xe2\x80\xa7\\xe2\\x80\\xa8\\xe2\\x80\\xa9"}, /* U+2027 to 9 */
    {BYTES("\xe2\x80\xaa\xe2\x80\xae\xe2\x80\xaf"), "\\xe2\\x80\\xaa\\xe2\\x80\\xae\xe2\x80\xaf",
     "\\xe2\\x80\\xaa\\xe2\\x80\\xae\xe2\x80\xaf"}, /* U+202A, E, F */
    {BYTES("\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9"), "\xe2\x81\xa5\\xe2\\x81\\xa6\\xe2\\x81\\xa9",
     "\xe2\x81\xa5\\xe2\\x81\\xa6\\xe2\\x81\\xa9"},          /* U+2065, 6, 9 */
    {BYTES("\xe2\x81\xaa"), "\xe2\x81\xaa", "\xe2\x81\xaa"}, /* U+206A */
};

UNIT_TEST(test_escape, "escape: what is shown and what is not")
{
    CHECK_EACH(i, escapes, "%s", escapes[i].bytes) {
        char out[128];
        char *exact = (char *)exact_copy(escapes[i].bytes, escapes[i].length);
        struct text text = {exact, escapes[i].length};
        CHECK_EQUAL(escape_text(text, ESCAPE_LINE, out, sizeof out), strlen(escapes[i].line));
        CHECK_STRING(out, escapes[i].line);
        CHECK_EQUAL(escape_text(text, ESCAPE_CONSOLE, out, sizeof out), strlen(escapes[i].console));
        CHECK_STRING(out, escapes[i].console);
        free(exact);
    }
}

/* Whatever the bytes, what comes out is UTF-8 that says nothing to a terminal. */
UNIT_TEST(test_escape_is_clean, "escape: no byte steers a terminal")
{
    for (unsigned i = 0; i < 0x10000; i++) {
        CHECK_ROW("i = %u", i);
        char bytes[] = {(char)(i >> 8), (char)i, (char)0x9b};
        char out[32];
        size_t length = escape_text((struct text){bytes, 3}, ESCAPE_LINE, out, sizeof out);
        bool clean = utf8_valid(out, length);
        for (size_t j = 0; j < length; j++) {
            clean = clean && (uint8_t)out[j] >= ' ' && out[j] != 0x7f;
        }
        REQUIRE_TRUE(clean);
    }
}

/* Nothing is cut in the middle of a character or an escape, and nothing follows a cut. */
UNIT_TEST(test_escape_cut, "escape: cut at whole characters")
{
    static const char *const cuts[] = {
        "", "a", "a", "a", "a", "a\\x1b", "a\\x1b", "a\\x1b\xc3\xa4", "a\\x1b\xc3\xa4z"};
    for (size_t size = 1; size <= COUNT(cuts); size++) {
        CHECK_ROW("size = %zu", size);
        char *out = exact_room(size);
        CHECK_EQUAL(escape_text(text_of("a\x1b\xc3\xa4z"), ESCAPE_LINE, out, size), 8);
        CHECK_STRING(out, cuts[size - 1]);
        free(out);
    }
}

UNIT_MAIN("wire text")
