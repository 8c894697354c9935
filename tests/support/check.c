/* SPDX-License-Identifier: Apache-2.0 */
#include "support/check.h"

#include "wire/layout.h"

#include <CUnit/CUnit.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Of a string or of bytes this much is printed, from a little before the first difference. */
enum { SHOWN_MAX = 160, SHOWN_BEFORE = 40, VALUE_SIZE = 4 * SHOWN_MAX + 64, ROW_SIZE = 512 };

static char row[ROW_SIZE];

struct check_value check_signed(long long number)
{
    return (struct check_value){.kind = CHECK_SIGNED, .number = number};
}

struct check_value check_unsigned(unsigned long long number)
{
    return (struct check_value){.kind = CHECK_UNSIGNED, .positive = number};
}

struct check_value check_real(double number)
{
    return (struct check_value){.kind = CHECK_REAL, .real = number};
}

struct check_value check_pointer(const void *pointer)
{
    return (struct check_value){.kind = CHECK_POINTER, .pointer = pointer};
}

size_t check_row_length(void)
{
    return strlen(row);
}

__attribute__((format(printf, 1, 0))) static size_t add_note(const char *format, va_list arguments)
{
    size_t length = strlen(row);
    const char *comma = length > 0 && row[length - 1] != ' ' ? ", " : "";
    int start = snprintf(row + length, sizeof row - length, "%s", comma);
    size_t at = length + (size_t)start;
    if (at < sizeof row) {
        (void)vsnprintf(row + at, sizeof row - at, format, arguments);
    }
    for (char *byte = row + length; *byte != '\0'; byte++) {
        *byte = *byte >= ' ' && *byte < 0x7f ? *byte : '?';
    }
    return length;
}

size_t check_row_add(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t length = add_note(format, arguments);
    va_end(arguments);
    return length;
}

bool check_row_next(size_t length, const char *table, size_t index, const char *format, ...)
{
    check_row_cut(&length);
    (void)check_row_add("%s[%zu] ", table, index);
    va_list arguments;
    va_start(arguments, format);
    (void)add_note(format, arguments);
    va_end(arguments);
    return true;
}

void check_row_cut(const size_t *length)
{
    row[*length] = '\0';
}

void check_row_clear(void)
{
    row[0] = '\0';
}

/* CUnit counts the assertion, and prints what a failure says at the end of the test. */
static void report(struct check_place place, bool passed, const char *values)
{
    char said[2 * VALUE_SIZE + ROW_SIZE + 256];
    if (!passed) {
        (void)snprintf(said, sizeof said, "%s: %s%s%s", place.text, values,
                       row[0] != '\0' ? "; row: " : "", row);
    }
    (void)CU_assertImplementation(passed, place.line, passed ? place.text : said, place.file, "",
                                  place.fatal);
}

static double as_real(struct check_value value)
{
    return value.kind == CHECK_REAL     ? value.real
           : value.kind == CHECK_SIGNED ? (double)value.number
                                        : (double)value.positive;
}

static int order(struct check_value a, struct check_value b)
{
    if (a.kind == CHECK_REAL || b.kind == CHECK_REAL) {
        return (as_real(a) > as_real(b)) - (as_real(a) < as_real(b));
    }
    if (a.kind == CHECK_POINTER || b.kind == CHECK_POINTER) {
        return (a.pointer > b.pointer) - (a.pointer < b.pointer);
    }
    bool a_below = a.kind == CHECK_SIGNED && a.number < 0;
    bool b_below = b.kind == CHECK_SIGNED && b.number < 0;
    if (a_below != b_below) {
        return a_below ? -1 : 1;
    }
    return (a.positive > b.positive) - (a.positive < b.positive);
}

static void format_value(struct check_value value, char *out, size_t size)
{
    const char *name = value.kind == CHECK_SIGNED && value.number < 0 && value.number > -4096
                           ? strerrorname_np((int)-value.number)
                           : NULL;
    if (value.kind == CHECK_POINTER) {
        (void)snprintf(out, size, "%p", value.pointer);
    } else if (value.kind == CHECK_REAL) {
        (void)snprintf(out, size, "%.17g", value.real);
    } else if (value.kind == CHECK_UNSIGNED) {
        (void)snprintf(out, size, "%llu", value.positive);
    } else if (name != NULL) {
        (void)snprintf(out, size, "%lld (-%s)", value.number, name);
    } else {
        (void)snprintf(out, size, "%lld", value.number);
    }
}

void check_compare(struct check_place place, struct check_value actual, const char *op,
                   struct check_value expected)
{
    int sign = order(actual, expected);
    bool passed = (op[0] == '=' && sign == 0) || (op[0] == '!' && sign != 0) ||
                  (op[0] == '<' && sign < 0) || (op[0] == '>' && sign > 0) ||
                  (op[0] != '!' && op[1] == '=' && sign == 0);
    char values[3 * 64], a[64], b[64];
    if (!passed) {
        format_value(actual, a, sizeof a);
        format_value(expected, b, sizeof b);
        (void)snprintf(values, sizeof values, "got %s, expected %s%s%s", a, op[0] == '=' ? "" : op,
                       op[0] == '=' ? "" : " ", b);
    }
    report(place, passed, values);
}

void check_bool(struct check_place place, bool actual, bool expected)
{
    report(place, actual == expected, actual ? "got true" : "got false");
}

void check_null(struct check_place place, const void *actual, bool expected)
{
    char values[64];
    (void)snprintf(values, sizeof values, "got %p", actual);
    report(place, (actual == NULL) == expected, values);
}

/* Printable, in quotes, or `(null)`. */
static void quote(const char *bytes, size_t length, size_t from, char out[VALUE_SIZE])
{
    if (bytes == NULL) {
        (void)snprintf(out, VALUE_SIZE, "(null)");
        return;
    }
    size_t at = (size_t)snprintf(out, VALUE_SIZE, "%s\"", from > 0 ? "..." : "");
    for (size_t i = from; i < length && i < from + SHOWN_MAX; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        bool plain = byte >= ' ' && byte < 0x7f && byte != '"' && byte != '\\';
        const char text[] = {(char)byte, '\0'};
        at += (size_t)(plain ? snprintf(out + at, VALUE_SIZE - at, "%s", text)
                             : snprintf(out + at, VALUE_SIZE - at, "\\x%02x", byte));
    }
    (void)snprintf(out + at, VALUE_SIZE - at, "\"%s", length > from + SHOWN_MAX ? "..." : "");
}

static void report_bytes(struct check_place place, bool passed, const char *actual,
                         size_t actual_length, const char *expected, size_t length)
{
    static char values[2 * VALUE_SIZE + 64];
    if (!passed) {
        size_t same = 0;
        while (actual != NULL && expected != NULL && same < actual_length && same < length &&
               actual[same] == expected[same]) {
            same++;
        }
        char got[VALUE_SIZE], wanted[VALUE_SIZE];
        size_t from = same > SHOWN_MAX / 2 ? same - SHOWN_BEFORE : 0;
        quote(actual, actual_length, from, got);
        quote(expected, length, from, wanted);
        (void)snprintf(values, sizeof values, "got %s, expected %s, first difference at byte %zu",
                       got, wanted, same);
    }
    report(place, passed, values);
}

static size_t length_of(const char *string)
{
    return string != NULL ? strlen(string) : 0;
}

void check_string(struct check_place place, const char *actual, const char *expected)
{
    bool same =
        actual == expected || (actual != NULL && expected != NULL && strcmp(actual, expected) == 0);
    report_bytes(place, same, actual, length_of(actual), expected, length_of(expected));
}

void check_prefix(struct check_place place, const char *actual, const char *prefix)
{
    bool same = actual != NULL && strncmp(actual, prefix, strlen(prefix)) == 0;
    report_bytes(place, same, actual, length_of(actual), prefix, strlen(prefix));
}

void check_contains(struct check_place place, const char *actual, const char *part, bool expected)
{
    bool found = actual != NULL && strstr(actual, part) != NULL;
    char got[VALUE_SIZE], wanted[VALUE_SIZE], values[2 * VALUE_SIZE + 64];
    quote(actual, length_of(actual), 0, got);
    quote(part, strlen(part), 0, wanted);
    (void)snprintf(values, sizeof values, "got %s, expected it %s %s", got,
                   expected ? "to contain" : "not to contain", wanted);
    report(place, found == expected, values);
}

void check_bytes(struct check_place place, const void *actual, const void *expected, size_t length)
{
    report_bytes(place, memcmp(actual, expected, length) == 0, actual, length, expected, length);
}

void check_text(struct check_place place, struct text actual, const char *expected)
{
    size_t length = length_of(expected);
    bool same =
        actual.length == length && (length == 0 || memcmp(actual.bytes, expected, length) == 0);
    report_bytes(place, same, actual.bytes, actual.length, expected, length);
}

void check_fail(struct check_place place)
{
    report(place, false, "failed");
}
