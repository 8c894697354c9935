/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/dialect.h"
#include "compat/tlv_1.h"

const struct dialect *const dialects[] = {
    &dialect_tlv_1,
};
const size_t dialects_count = sizeof(dialects) / sizeof(dialects)[0];

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
