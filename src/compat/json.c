/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/json.h"

#include "wire/number.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* A struct json is a json_t under a name of ours. */
static struct json *ours(json_t *value)
{
    return (struct json *)value;
}

static json_t *theirs(struct json *value)
{
    return (json_t *)value;
}

static const json_t *theirs_const(const struct json *value)
{
    return (const json_t *)value;
}

/* The library's own words quote the input; these do not. */
static const char *words_of(const json_error_t *error)
{
    static const struct {
        enum json_error_code code;
        const char *words;
    } rows[] = {
        {json_error_duplicate_key, "a key that is there already"},
        {json_error_invalid_utf8, "bytes that are no UTF-8"},
        {json_error_null_character, "a NUL"},
        {json_error_null_byte_in_key, "a NUL"},
        {json_error_numeric_overflow, "a number that is out of range"},
        {json_error_end_of_input_expected, "something behind its end"},
        {json_error_premature_end_of_input, "no end"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].code == json_error_code(error)) {
            return rows[i].words;
        }
    }
    return "bytes that are no JSON";
}

int json_parse(const uint8_t *bytes, size_t length, struct json **ret, const char **why)
{
    json_error_t error;
    json_t *value = json_loadb((const char *)bytes, length, JSON_REJECT_DUPLICATES, &error);
    if (value == NULL) {
        *why = words_of(&error);
        return -EBADMSG;
    }
    *ret = ours(value);
    return 0;
}

struct json *json_free(struct json *value)
{
    json_decref(theirs(value));
    return NULL;
}

const struct json *json_member(const struct json *object, const char *key)
{
    return (const struct json *)json_object_get(theirs_const(object), key);
}

size_t json_members(const struct json *object)
{
    return json_object_size(theirs_const(object));
}

bool json_says_null(const struct json *value)
{
    return json_is_null(theirs_const(value));
}

int json_get_text(const struct json *value, struct text *ret)
{
    if (!json_is_string(theirs_const(value))) {
        return -EINVAL;
    }
    ret->bytes = json_string_value(theirs_const(value));
    ret->length = json_string_length(theirs_const(value));
    return 0;
}

int json_get_number(const struct json *value, uint64_t max, uint64_t *ret)
{
    if (!json_is_integer(theirs_const(value))) {
        return -EINVAL;
    }
    json_int_t number = json_integer_value(theirs_const(value));
    if (number < 0 || (uint64_t)number > max) {
        return -ERANGE;
    }
    *ret = (uint64_t)number;
    return 0;
}

struct json *json_make_object(void)
{
    return ours(json_object());
}

struct json *json_make_text(struct text text)
{
    return ours(json_stringn(text.length > 0 ? text.bytes : "", text.length));
}

struct json *json_make_number(uint64_t number)
{
    return ours(json_integer(number < INT64_MAX ? (json_int_t)number : INT64_MAX));
}

void json_put(struct json **object, const char *key, struct json *value)
{
    if (json_object_set_new(theirs(*object), key, theirs(value)) < 0) {
        *object = json_free(*object);
    }
}

int json_write(struct json *value, struct reply *out)
{
    size_t room = out->size - out->length;
    size_t needed = json_dumpb(theirs(value), (char *)out->bytes + out->length, room, JSON_COMPACT);
    (void)json_free(value);
    if (needed == 0) {
        return -ENOMEM;
    }
    if (needed > room) {
        return -ENOBUFS;
    }
    out->length += needed;
    return 0;
}

static struct json *name_of(const char *name, unsigned number)
{
    char digits[16];
    snprintf(digits, sizeof digits, "%u", number);
    return json_make_text(text_of(name != NULL ? name : digits));
}

static struct json *sha256_of(const struct upgrade_status *status)
{
    if (!status->has_sha256) {
        return ours(json_null());
    }
    char digits[SHA256_HEX + 1];
    sha256_format(status->sha256, digits);
    return json_make_text(text_of(digits));
}

static struct json *status_of(const struct upgrade_status *status)
{
    struct json *value = json_make_object();
    json_put(&value, "phase", name_of(phase_name(status->phase), status->phase));
    json_put(&value, "done", json_make_number(status->done));
    json_put(&value, "total", json_make_number(status->total));
    json_put(&value, "sha256", sha256_of(status));
    json_put(&value, "result", name_of(error_name(status->result), status->result));
    json_put(&value, "detail", json_make_text(status->detail));
    json_put(&value, "changed",
             status->has_changed ? json_make_number(status->changed) : ours(json_null()));
    return value;
}

static struct json *release_of(const struct release_version *version)
{
    struct json *value = json_make_object();
    json_put(&value, "major", json_make_number(version->major));
    json_put(&value, "minor", json_make_number(version->minor));
    json_put(&value, "patch", json_make_number(version->patch));
    return value;
}

struct json *json_text_value(const struct answer *response)
{
    struct json *inner = NULL;
    switch ((enum payload_kind)response->kind) {
    case PAYLOAD_NONE:
        return json_make_text(text_of(payload_name(PAYLOAD_NONE)));
    case PAYLOAD_HOSTOS_VSOCK_VERSION:
        inner = release_of(&response->vsock_version);
        break;
    case PAYLOAD_HOSTOS_VERSION:
        inner = json_make_text(response->hostos_version);
        break;
    case PAYLOAD_UPGRADE_STATUS:
        inner = status_of(&response->status);
        break;
    }
    struct json *value = json_make_object();
    json_put(&value, payload_name(response->kind), inner);
    return value;
}

/* The library leaves DEL as it is. It can only be inside a string, where it may be written as an
 * escape too. NULL: no memory. */
static char *escape_delete(const char *json)
{
    static const char escaped[] = "\\u007f";
    char *out = calloc(strlen(json) + 1, sizeof escaped - 1);
    char *end = out;
    for (; out != NULL && *json != '\0'; json++) {
        char plain[] = {*json, '\0'};
        end = stpcpy(end, *json == 0x7f ? escaped : plain);
    }
    return out;
}

int json_text(const struct answer *response, char **ret)
{
    struct json *value = json_text_value(response);
    char *ascii = json_dumps(theirs(value), JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    (void)json_free(value);
    *ret = ascii != NULL ? escape_delete(ascii) : NULL;
    free(ascii);
    return *ret != NULL ? 0 : -ENOMEM;
}
