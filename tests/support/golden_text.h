/* SPDX-License-Identifier: Apache-2.0 */
/* The files of tests/golden/json-1 and json-0: captures as they are. */
#ifndef TESTS_GOLDEN_TEXT_H
#define TESTS_GOLDEN_TEXT_H

#include "wire/message.h"

/* Such as "json-1/ok-no-payload". The bytes are an allocation of exactly their length, for free().
 * A file that cannot be read ends the program. */
struct text golden_text(const char *name);
void golden_text_free(struct text text);

bool golden_text_equal(const char *name, const void *bytes, size_t length);

#endif
