/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/json_text.h"

#include "wire/hex.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static json_t *string_of(struct text text)
{
    return json_stringn(text.length > 0 ? text.bytes : "", text.length);
}

static json_t *integer_of(uint64_t number)
{
    return json_integer(number < INT64_MAX ? (json_int_t)number : INT64_MAX);
}

static json_t *name_of(const char *name, unsigned number)
{
    char digits[16];
    snprintf(digits, sizeof(digits), "%u", number);
    return json_string(name != NULL ? name : digits);
}

static json_t *sha256_of(const struct upgrade_status *status)
{
    if (!status->has_sha256) {
        return json_null();
    }
    char digits[SHA256_HEX + 1];
    sha256_format(status->sha256, digits);
    return json_string(digits);
}

/* The values are handed over (o), also when packing fails. */
static json_t *status_of(const struct upgrade_status *status)
{
    return json_pack(
        "{s:{s:o,s:o,s:o,s:o,s:o,s:o,s:o}}", "UpgradeStatus", "phase",
        name_of(phase_name(status->phase), status->phase), "done", integer_of(status->done),
        "total", integer_of(status->total), "sha256", sha256_of(status), "result",
        name_of(error_name(status->result), status->result), "detail", string_of(status->detail),
        "changed", status->has_changed ? integer_of(status->changed) : json_null());
}

static json_t *release_of(const struct release_version *version)
{
    return json_pack("{s:{s:o,s:o,s:o}}", "HostOSVsockVersion", "major", integer_of(version->major),
                     "minor", integer_of(version->minor), "patch", integer_of(version->patch));
}

static json_t *value_of(const struct answer *response)
{
    switch ((enum payload_kind)response->kind) {
    case PAYLOAD_HOSTOS_VSOCK_VERSION:
        return release_of(&response->vsock_version);
    case PAYLOAD_HOSTOS_VERSION:
        return json_pack("{s:o}", "HostOSVersion", string_of(response->hostos_version));
    case PAYLOAD_UPGRADE_STATUS:
        return status_of(&response->status);
    case PAYLOAD_NONE:
        break;
    }
    return json_string("NoPayload");
}

/* JSON_ENSURE_ASCII leaves DEL as it is. It can only be inside a string, where it may be written as
 * an escape too. */
static char *escape_delete(const char *json)
{
    static const char escaped[] = "\\u007f";
    size_t extra = 0;
    for (const char *at = json; *at != '\0'; at++) {
        extra += *at == 0x7f ? sizeof(escaped) - 2 : 0;
    }
    char *out = malloc(strlen(json) + extra + 1);
    char *end = out;
    for (const char *at = json; out != NULL && *at != '\0'; at++) {
        if (*at == 0x7f) {
            end = stpcpy(end, escaped);
        } else {
            *end++ = *at;
        }
    }
    if (out != NULL) {
        *end = '\0';
    }
    return out;
}

int json_text(const struct answer *response, char **ret)
{
    json_t *value = value_of(response);
    char *json = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    char *text = json != NULL ? escape_delete(json) : NULL;
    free(json);
    json_decref(value);
    if (text == NULL) {
        return -ENOMEM;
    }
    *ret = text;
    return 0;
}
