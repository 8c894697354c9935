/* SPDX-License-Identifier: Apache-2.0 */
/* A CUnit program in one call: the tests of one suite, a line for each, exit status 1 when one
 * fails. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include "support/check.h"

#include <stddef.h>

struct unit_test {
    const char *name;
    void (*run)(void);
};

int unit_main(const char *suite, const struct unit_test *tests, size_t count);

#define UNIT_MAIN(suite, tests)                                             \
    int main(void)                                                          \
    {                                                                       \
        return unit_main((suite), (tests), sizeof tests / sizeof tests[0]); \
    }

#endif
