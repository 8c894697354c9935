/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/dialects.h"

#include <string.h>

/* The table: one row a dialect, defined in the file of that name. */
#define DIALECT_ROWS \
    ROW(json_0)      \
    ROW(json_1)      \
    ROW(tlv_0)       \
    ROW(tlv_1)

#define ROW(name) extern const struct dialect dialect_##name;
DIALECT_ROWS
#undef ROW

#define ROW(name) &dialect_##name,
const struct dialect *const dialects[] = {DIALECT_ROWS NULL};
#undef ROW

const size_t dialects_count = sizeof dialects / sizeof dialects[0] - 1;

const struct dialect *const dialect_default = &dialect_tlv_1;

const struct dialect *dialect_find(const char *name)
{
    for (size_t i = 0; i < dialects_count; i++) {
        if (strcmp(dialects[i]->name, name) == 0) {
            return dialects[i];
        }
    }
    return NULL;
}

const struct dialect *dialect_sniff(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < dialects_count; i++) {
        if (dialects[i]->claims != NULL && dialects[i]->claims(bytes, length)) {
            return dialects[i];
        }
    }
    return NULL;
}
