/* SPDX-License-Identifier: Apache-2.0 */
/* The line of a step program: what one end writes the other reads. */
#include "host/process/result_line.h"
#include "support/unit.h"

#include <errno.h>
#include <string.h>

UNIT_TEST(test_round, "round")
{
    char line[RESULT_LINE_MAX + 1];
    struct result_line read;
    result_line_format(ERROR_NONE, "all\nis well", line);
    CHECK_STRING(line, "done: all\\x0ais well\n");
    for (unsigned code = ERROR_NONE; code <= ERROR_LAST; code++) {
        CHECK_ROW("code = %u", code);
        result_line_format((enum error_code)code, "why", line);
        REQUIRE_EQUAL(result_line_parse(line, strlen(line), &read), 0);
        CHECK_EQUAL(read.code, code);
        CHECK_TEXT(read.text, "why");
    }
}

UNIT_TEST(test_longest, "longest")
{
    char text[2 * RESULT_LINE_MAX];
    char line[RESULT_LINE_MAX + 1];
    struct result_line read;
    memset(text, 'a', sizeof text);
    const size_t room = RESULT_LINE_MAX - sizeof "done: \n" + 1;
    text[room] = '\0';
    result_line_format(ERROR_NONE, text, line);
    CHECK_EQUAL(strlen(line), RESULT_LINE_MAX);
    REQUIRE_EQUAL(result_line_parse(line, strlen(line), &read), 0);
    CHECK_EQUAL(read.text.length, room);
    text[room] = 'a';
    text[room + 1] = '\0';
    result_line_format(ERROR_NONE, text, line);
    CHECK_EQUAL(strlen(line), RESULT_LINE_MAX);
    REQUIRE_EQUAL(result_line_parse(line, strlen(line), &read), 0);
    CHECK_EQUAL(read.text.length, room);
}

UNIT_TEST(test_refused, "refused")
{
    struct result_line read;
    static const char *const bad[] = {"done",     "done: x",      "done:\n",
                                      "done: \n", "perhaps: x\n", "done: x\ndone: y\n"};
    CHECK_EACH(i, bad, "%s", bad[i]) {
        CHECK_EQUAL(result_line_parse(bad[i], strlen(bad[i]), &read), -EBADMSG);
    }
    CHECK_EQUAL(result_line_parse("", 0, &read), -ENODATA);
    CHECK_EQUAL(result_line_parse("", RESULT_LINE_MAX + 1, &read), -EMSGSIZE);
}

UNIT_MAIN("result_line")
