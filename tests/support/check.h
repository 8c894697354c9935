/* SPDX-License-Identifier: Apache-2.0 */
/* Assertions over CUnit. A failure prints the expression, both values and the row of the table that
 * is being tested. CHECK_ counts a failure and continues, REQUIRE_ ends the test. Each argument is
 * evaluated once. */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <stdbool.h>
#include <stddef.h>

struct check_place {
    const char *file;
    unsigned line;
    const char *text; /* the expression */
    bool fatal;
};

struct check_value {
    enum { CHECK_SIGNED, CHECK_UNSIGNED, CHECK_REAL, CHECK_POINTER } kind;
    union {
        long long number;
        unsigned long long positive;
        double real;
        const void *pointer;
    };
};

struct check_value check_signed(long long number);
struct check_value check_unsigned(unsigned long long number);
struct check_value check_real(double number);
struct check_value check_pointer(const void *pointer);

struct text;

/* op: "==", "!=", "<", "<=", ">" or ">=". A negative number is below every unsigned one. */
void check_compare(struct check_place place, struct check_value actual, const char *op,
                   struct check_value expected);
void check_bool(struct check_place place, bool actual, bool expected);
void check_null(struct check_place place, const void *actual, bool expected);
void check_string(struct check_place place, const char *actual, const char *expected);
void check_prefix(struct check_place place, const char *actual, const char *prefix);
void check_contains(struct check_place place, const char *actual, const char *part, bool expected);
void check_bytes(struct check_place place, const void *actual, const void *expected, size_t length);
void check_text(struct check_place place, struct text actual, const char *expected);
void check_fail(struct check_place place);

/* The row: each note is kept to the end of the block that CHECK_ROW or CHECK_EACH stands in. */
size_t check_row_length(void);
size_t check_row_add(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool check_row_next(size_t length, const char *table, size_t index, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void check_row_cut(const size_t *length);
void check_row_clear(void);

#define CHECK_PASTE_(a, b) a##b
#define CHECK_PASTE(a, b)  CHECK_PASTE_(a, b)

/* CHECK_ROW(FORMAT, ...): what this turn of a loop is about. */
#define CHECK_ROW(...)                                                        \
    __attribute__((cleanup(check_row_cut), unused)) const size_t CHECK_PASTE( \
        check_row, __LINE__) = check_row_add(__VA_ARGS__)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* CHECK_EACH(INDEX, ARRAY, FORMAT, ...): a loop over a table, which notes index and description. */
#define CHECK_EACH(index, array, ...)                                                            \
    for (size_t index = 0,                                                                       \
                check_each_##index __attribute__((cleanup(check_row_cut))) = check_row_length(); \
         index < COUNT(array) && check_row_next(check_each_##index, #array, index, __VA_ARGS__); \
         index++)

#define CHECK_VALUE(value)                        \
    _Generic((value), _Bool                       \
             : check_signed, char                 \
             : check_signed, signed char          \
             : check_signed, short                \
             : check_signed, int                  \
             : check_signed, long                 \
             : check_signed, long long            \
             : check_signed, unsigned char        \
             : check_unsigned, unsigned short     \
             : check_unsigned, unsigned           \
             : check_unsigned, unsigned long      \
             : check_unsigned, unsigned long long \
             : check_unsigned, double             \
             : check_real, default                \
             : check_pointer)(value)

#define CHECK_HERE(text)   ((struct check_place){__FILE__, __LINE__, (text), false})
#define REQUIRE_HERE(text) ((struct check_place){__FILE__, __LINE__, (text), true})

#define CHECK_COMPARE(a, op, b) \
    check_compare(CHECK_HERE(#a " " #op " " #b), CHECK_VALUE(a), #op, CHECK_VALUE(b))
#define CHECK_EQUAL(a, b) \
    check_compare(CHECK_HERE(#a " == " #b), CHECK_VALUE(a), "==", CHECK_VALUE(b))
#define CHECK_TRUE(a)             check_bool(CHECK_HERE(#a), (a), true)
#define CHECK_FALSE(a)            check_bool(CHECK_HERE("!(" #a ")"), (a), false)
#define CHECK_NULL(a)             check_null(CHECK_HERE(#a " == NULL"), (a), true)
#define CHECK_NOT_NULL(a)         check_null(CHECK_HERE(#a " != NULL"), (a), false)
#define CHECK_STRING(a, b)        check_string(CHECK_HERE(#a " is " #b), (const char *)(a), (b))
#define CHECK_PREFIX(a, b)        check_prefix(CHECK_HERE(#a " starts with " #b), (const char *)(a), (b))
#define CHECK_CONTAINS(a, b)      check_contains(CHECK_HERE(#a " contains " #b), (a), (b), true)
#define CHECK_LACKS(a, b)         check_contains(CHECK_HERE(#a " lacks " #b), (a), (b), false)
#define CHECK_BYTES(a, b, length) check_bytes(CHECK_HERE(#a " is " #b), (a), (b), (length))
#define CHECK_TEXT(a, b)          check_text(CHECK_HERE(#a " is " #b), (a), (b))
#define CHECK_FAIL(words)         check_fail(CHECK_HERE(words))

#define REQUIRE_COMPARE(a, op, b) \
    check_compare(REQUIRE_HERE(#a " " #op " " #b), CHECK_VALUE(a), #op, CHECK_VALUE(b))
#define REQUIRE_EQUAL(a, b) \
    check_compare(REQUIRE_HERE(#a " == " #b), CHECK_VALUE(a), "==", CHECK_VALUE(b))
#define REQUIRE_TRUE(a)      check_bool(REQUIRE_HERE(#a), (a), true)
#define REQUIRE_FALSE(a)     check_bool(REQUIRE_HERE("!(" #a ")"), (a), false)
#define REQUIRE_NOT_NULL(a)  check_null(REQUIRE_HERE(#a " != NULL"), (a), false)
#define REQUIRE_STRING(a, b) check_string(REQUIRE_HERE(#a " is " #b), (const char *)(a), (b))
#define REQUIRE_PREFIX(a, b) check_prefix(REQUIRE_HERE(#a " starts with " #b), (a), (b))
#define REQUIRE_FAIL(words)  check_fail(REQUIRE_HERE(words))

#endif
