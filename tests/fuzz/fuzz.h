/* SPDX-License-Identifier: Apache-2.0 */
/* What libFuzzer calls with each input, and replay.c with each file of a corpus.
 *
 * A wrong result ends the program (abort), as a bug seen by a sanitizer does.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* How many bytes at a time the second pass over a stream is given: one, but for streams so long
 * that this would take too long (every step copies what is there). */
static inline size_t fuzz_chunk(size_t length)
{
    return length <= 2048 ? 1 : 97;
}

#define FUZZ_CHECK(condition)                            \
    do {                                                 \
        if (!(condition)) {                              \
            fprintf(stderr, "failed: %s\n", #condition); \
            abort();                                     \
        }                                                \
    } while (0)

#endif
