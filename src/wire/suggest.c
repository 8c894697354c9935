/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/suggest.h"

#include <stdbool.h>
#include <string.h>

enum { NAME_BYTES_MAX = 63 /* longer names are not compared */ };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The restricted Damerau-Levenshtein distance, with three rows of its table. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][NAME_BYTES_MAX + 1];
    size_t *before = rows[0];
    size_t *above = rows[1];
    size_t *row = rows[2];
    size_t width = strlen(b);
    for (size_t j = 0; j <= width; j++) {
        above[j] = j;
        before[j] = 0;
    }
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            row[j] =
                smaller(above[j - 1] + (a[i - 1] != b[j - 1]), smaller(above[j], row[j - 1]) + 1);
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            row[j] = swapped ? smaller(row[j], before[j - 2] + 1) : row[j];
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[width];
}

const char *suggest_name(const char *wrong, const char *const names[], size_t count)
{
    const char *nearest = NULL;
    size_t fewest = NAME_BYTES_MAX;
    if (strlen(wrong) > NAME_BYTES_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(names[i]);
        size_t far = length <= NAME_BYTES_MAX ? distance(wrong, names[i]) : NAME_BYTES_MAX;
        if (far < fewest && far <= (length + 2) / 3) {
            nearest = names[i];
            fewest = far;
        }
    }
    return nearest;
}
