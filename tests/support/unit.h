/* SPDX-License-Identifier: Apache-2.0 */
/* A CUnit program of one suite: the tests of its source in their order, a line for each; exit status
 * 1 when one fails. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include "support/check.h"

struct unit_test {
    const char *name;
    void (*run)(void);
    int line;
    struct unit_test *next;
};

void unit_add(struct unit_test *test);
int unit_main(const char *suite);

/* UNIT_TEST(FUNCTION, NAME) { ... }: defines a test and adds it to the program. */
#define UNIT_TEST(function, name)                                          \
    static void function(void);                                            \
    __attribute__((constructor)) static void function##_add(void)          \
    {                                                                      \
        static struct unit_test test = {(name), function, __LINE__, NULL}; \
        unit_add(&test);                                                   \
    }                                                                      \
    static void function(void)

#define UNIT_MAIN(suite)         \
    int main(void)               \
    {                            \
        return unit_main(suite); \
    }

#endif
