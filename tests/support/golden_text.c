/* SPDX-License-Identifier: Apache-2.0 */
#include "support/golden_text.h"

#include "support/golden.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEXT_MAX = 8192, PATH_MAX_BYTES = 512 };

struct text golden_text(const char *name)
{
    char path[PATH_MAX_BYTES];
    char bytes[TEXT_MAX];
    snprintf(path, sizeof path, "%s/golden/%s.json", TESTS_DIRECTORY, name);
    FILE *file = fopen(path, "re");
    size_t length = file != NULL ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (file == NULL || length == 0 || length == sizeof bytes) {
        fprintf(stderr, "golden: %s: cannot be read, or is empty or too long\n", path);
        exit(1);
    }
    (void)fclose(file); /* read only */
    return (struct text){(const char *)exact_copy(bytes, length), length};
}

void golden_text_free(struct text text)
{
    union {
        const char *given;
        void *taken;
    } bytes = {.given = text.bytes};
    free(bytes.taken);
}

bool golden_text_equal(const char *name, const void *bytes, size_t length)
{
    struct text golden = golden_text(name);
    bool equal = golden.length == length && memcmp(golden.bytes, bytes, length) == 0;
    golden_text_free(golden);
    return equal;
}
