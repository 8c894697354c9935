/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/dialect.h"
#include "compat/json_0.h"
#include "compat/json_1.h"
#include "compat/tlv_0.h"
#include "compat/tlv_1.h"

const struct dialect *const dialects[] = {
    &dialect_json_0,
    &dialect_json_1,
    &dialect_tlv_0,
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

const struct dialect *dialect_sniff(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < dialects_count; i++) {
        if (dialects[i]->claims(bytes, length)) {
            return dialects[i];
        }
    }
    return NULL;
}
