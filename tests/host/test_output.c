/* SPDX-License-Identifier: Apache-2.0 */
#include "host/process/output.h"
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

/* Everything that was told, one line each. */
static struct {
    char lines[8192];
    size_t length;
    unsigned count;
    unsigned texts;
} told;

static void on_line(void *context, const char *line)
{
    CHECK_EQUAL(context, &told);
    told.count++;
    if (told.length + strlen(line) + 2 < sizeof told.lines) {
        told.length += (size_t)snprintf(told.lines + told.length, sizeof told.lines - told.length,
                                        "%s\n", line);
    }
}

static void on_text(void *context, struct text line)
{
    CHECK_EQUAL(context, &told);
    CHECK_COMPARE(line.length, <=, OUTPUT_LINE_MAX);
    told.texts++;
}

static const struct output_sink sink = {on_line, on_text, &told};
static struct output output;

static void begin(void)
{
    memset(&told, 0, sizeof told);
    output_init(&output, &sink, 0);
}

/* The lines of `bytes`, whole and then byte by byte. */
static void assert_lines(const char *bytes, const char *expected)
{
    begin();
    output_feed(&output, bytes, strlen(bytes), 0);
    output_end(&output);
    CHECK_STRING(told.lines, expected);
    begin();
    for (const char *byte = bytes; *byte != '\0'; byte++) {
        output_feed(&output, byte, 1, 0);
    }
    output_end(&output);
    CHECK_STRING(told.lines, expected);
}

UNIT_TEST(test_lines, "lines: newlines, carriage returns, escapes")
{
    assert_lines("", "");
    assert_lines("one\ntwo\n", "one\ntwo\n");
    assert_lines("no newline", "no newline\n");
    assert_lines("dos\r\nform\r\n", "dos\nform\n");
    assert_lines("1%\r50%\r100%\nend\n", "100%\nend\n");
    assert_lines("1%\r2%\r", "2%\n");
    assert_lines("\n\n \t\n\r\r\nx\n", "x\n");
    assert_lines("long text\rend", "end\n");
    assert_lines("\x1b[2Jred\tx\xff\n", "\\x1b[2Jred\\x09x\\xff\n");
}

UNIT_TEST(test_long_line, "lines: too long")
{
    static char bytes[3 * OUTPUT_LINE_MAX];
    static char expected[4 * OUTPUT_LINE_MAX + 8];
    begin();
    memset(bytes, 'x', sizeof bytes);
    output_feed(&output, bytes, sizeof bytes, 0);
    output_feed(&output, "\nnext\n", 6, 0);
    memset(expected, 'x', OUTPUT_LINE_MAX);
    (void)snprintf(expected + OUTPUT_LINE_MAX, 8, "\nnext\n");
    CHECK_STRING(told.lines, expected);

    begin(); /* every byte escaped */
    memset(bytes, 1, sizeof bytes);
    output_feed(&output, bytes, sizeof bytes, 0);
    output_end(&output);
    CHECK_EQUAL(told.count, 1);
    char last[32];
    output_last(&output, last, sizeof last);
    CHECK_STRING(last, "\\x01\\x01\\x01\\x01\\x01\\x01\\x01");
}

static void feed_lines(unsigned count, int64_t now_ms)
{
    for (unsigned i = 0; i < count; i++) {
        output_feed(&output, "x\n", 2, now_ms);
    }
}

UNIT_TEST(test_rate, "rate")
{
    begin();
    feed_lines(OUTPUT_LINES_PER_SECOND, 0);
    CHECK_EQUAL(told.count, OUTPUT_LINES_PER_SECOND);
    feed_lines(7, 999);
    CHECK_EQUAL(told.count, OUTPUT_LINES_PER_SECOND);
    CHECK_EQUAL(told.texts, OUTPUT_LINES_PER_SECOND + 7);
    told.length = 0;
    feed_lines(1, 1000);
    CHECK_STRING(told.lines, "(7 lines left out)\nx\n");
    feed_lines(OUTPUT_LINES_PER_SECOND, 1001);
    CHECK_EQUAL(told.count, 2 * OUTPUT_LINES_PER_SECOND + 1);
    told.length = 0;
    output_end(&output);
    CHECK_STRING(told.lines, "(1 lines left out)\n");
}

UNIT_TEST(test_last, "the last line")
{
    char last[8] = "old";
    begin();
    output_last(&output, last, sizeof last);
    CHECK_STRING(last, "");
    feed_lines(OUTPUT_LINES_PER_SECOND, 0);
    output_feed(&output, "the \xff", 5, 0); /* past the rate, and no newline */
    output_end(&output);
    output_last(&output, last, sizeof last);
    CHECK_STRING(last, "the "); /* never half an escape */
}

UNIT_TEST(test_no_callbacks, "no callbacks")
{
    static const struct output_sink silent = {.on_line = NULL};
    char last[8];
    output_init(&output, &silent, 0);
    feed_lines(OUTPUT_LINES_PER_SECOND + 1, 0);
    output_end(&output);
    output_last(&output, last, sizeof last);
    CHECK_STRING(last, "x");
}

static void assert_tail(const char *const lines[], size_t count, const char *expected)
{
    struct output_tail tail = {.count = 0};
    char joined[OUTPUT_TAIL_MAX + 1];
    for (size_t i = 0; i < count; i++) {
        output_tail_add(&tail, text_of(lines[i]));
    }
    output_tail_join(&tail, joined);
    CHECK_STRING(joined, expected);
}

UNIT_TEST(test_tail, "tail: the last five")
{
    static const char *const lines[] = {"1", "2", "3\x1b", "4", "5", "6", "7"};
    assert_tail(lines, 0, "");
    assert_tail(lines, 1, "1");
    assert_tail(lines, 2, "1 | 2");
    assert_tail(lines, 5, "1 | 2 | 3\\x1b | 4 | 5");
    assert_tail(lines, 7, "3\\x1b | 4 | 5 | 6 | 7");
}

UNIT_TEST(test_tail_limit, "tail: the limit")
{
    static char a[OUTPUT_TAIL_MAX + 100];
    static char expected[OUTPUT_TAIL_MAX + 1];
    memset(a, 'a', sizeof a - 1);
    memset(expected, 'a', OUTPUT_TAIL_MAX);
    assert_tail((const char *const[]){"old", a}, 2, expected);

    a[OUTPUT_TAIL_MAX - 6] = '\0';
    (void)snprintf(expected, sizeof expected, "new | %.*s", OUTPUT_TAIL_MAX - 6, a);
    assert_tail((const char *const[]){"old", "new", a}, 3, expected);
    CHECK_EQUAL(strlen(expected), OUTPUT_TAIL_MAX);

    a[OUTPUT_TAIL_MAX - 6] = 'a';
    a[OUTPUT_TAIL_MAX - 5] = '\0';
    assert_tail((const char *const[]){"new", a}, 2, a);

    /* An older line that fits is not told without those between. */
    assert_tail((const char *const[]){"x", a, "last"}, 3, "last");

    memset(a, 1, OUTPUT_TAIL_MAX);
    a[OUTPUT_TAIL_MAX] = '\0';
    struct output_tail tail = {.count = 0};
    char joined[OUTPUT_TAIL_MAX + 1];
    output_tail_add(&tail, text_of(a));
    output_tail_join(&tail, joined);
    CHECK_EQUAL(strlen(joined), OUTPUT_TAIL_MAX);
}

UNIT_MAIN("output")
