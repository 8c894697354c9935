/* SPDX-License-Identifier: Apache-2.0 */
/* Typed messages beside each other: every member that the message's kind has. */
#ifndef TESTS_EQUAL_H
#define TESTS_EQUAL_H

#include "wire/layout.h"

bool text_equal(struct text a, struct text b);
bool hello_equal(const struct hello *a, const struct hello *b);
bool welcome_equal(const struct welcome *a, const struct welcome *b);
bool request_equal(const struct request *a, const struct request *b);
bool answer_equal(const struct answer *a, const struct answer *b);

#endif
