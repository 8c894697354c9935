/* SPDX-License-Identifier: Apache-2.0 */
/* The files of tests/golden, whose form tests/golden/README.md describes.
 *
 * Errors   a folder or file that cannot be read, or breaks the form, ends the program: the test
 *          would prove nothing.
 */
#ifndef TESTS_GOLDEN_H
#define TESTS_GOLDEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GOLDEN_NAME_MAX = 96 };

struct golden {
    char name[GOLDEN_NAME_MAX]; /* without ".hex" */
    uint8_t *bytes;             /* an allocation of exactly `length` */
    size_t length;
    /* Of a file in broken/: */
    char expect[GOLDEN_NAME_MAX]; /* an error code's name, or "accepted" */
    bool closes;
    bool to_guest;
    bool first; /* it is the first frame; else WELCOME with 1.0 came before */
    uint32_t error_id;
    char same_as[GOLDEN_NAME_MAX]; /* such as "tlv-1/request-attach-hsm", or empty */
};

struct golden_set {
    struct golden *file;
    size_t count;
};

/* Every .hex file of tests/golden/FOLDER, in the order of their names. */
struct golden_set golden_load(const char *folder);
void golden_free(struct golden_set *set);

/* One that is not there ends the program too. */
__attribute__((returns_nonnull)) const struct golden *golden_get(const struct golden_set *set,
                                                                 const char *name);

/* An allocation of exactly `length` bytes, so that ASan sees what goes past its end. */
__attribute__((returns_nonnull)) void *exact_room(size_t length);
__attribute__((returns_nonnull)) uint8_t *exact_copy(const void *bytes, size_t length);

#endif
