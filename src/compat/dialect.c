/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/dialect.h"

#include "compat/json_0.h"
#include "compat/json_1.h"
#include "compat/tlv_0.h"
#include "compat/tlv_1.h"
#include "wire/text.h"

#include <stdio.h>

struct text answer_error_line(const struct answer *error, char out[ANSWER_LINE_MAX])
{
    int length = snprintf(out, ANSWER_LINE_MAX, "%s", error_name(error->code));
    size_t used = (size_t)length;
    if (error->message.length > 0) {
        used = (size_t)(stpcpy(out + used, ": ") - out);
        size_t kept = utf8_cut(error->message.bytes, error->message.length, ANSWER_LINE_MAX - used);
        memcpy(out + used, error->message.bytes, kept);
        used += kept;
    }
    return (struct text){out, used};
}

struct answer answer_error_of_line(struct text line)
{
    struct answer error = {.type = ANSWER_ERROR, .code = ERROR_INTERNAL, .message = line};
    for (unsigned code = ERROR_NONE + 1; code <= ERROR_LAST; code++) {
        const char *name = error_name(code);
        size_t length = strlen(name);
        if (line.length >= length + 2 && memcmp(line.bytes, name, length) == 0 &&
            memcmp(line.bytes + length, ": ", 2) == 0) {
            error.code = (uint16_t)code;
            error.message = (struct text){line.bytes + length + 2, line.length - length - 2};
        }
    }
    return error;
}

int answer_judge_kind(enum command command, const struct answer *answer,
                      struct protocol_error *protocol_error)
{
    enum payload_kind expected = command_answer(command);
    if (answer->type == ANSWER_RESPONSE && answer->kind != expected) {
        return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                  "the answer to %s is %s; expected %s", command_name(command),
                                  payload_name(answer->kind), payload_name(expected));
    }
    return 0;
}

const struct dialect *const dialects[] = {
    &dialect_json_0,
    &dialect_json_1,
    &dialect_tlv_0,
    &dialect_tlv_1,
};
const size_t dialects_count = sizeof dialects / sizeof dialects[0];

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
