/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/json_text.h"

#include "compat/json.h"
#include "wire/number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct json *name_of(const char *name, unsigned number)
{
    char digits[16];
    snprintf(digits, sizeof digits, "%u", number);
    return json_make_text(text_of(name != NULL ? name : digits));
}

static struct json *sha256_of(const struct upgrade_status *status)
{
    if (!status->has_sha256) {
        return json_make_null();
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
             status->has_changed ? json_make_number(status->changed) : json_make_null());
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

/* json_print leaves DEL as it is. It can only be inside a string, where it may be written as
 * an escape too. */
static char *escape_delete(const char *json)
{
    static const char escaped[] = "\\u007f";
    size_t extra = 0;
    for (const char *at = json; *at != '\0'; at++) {
        extra += *at == 0x7f ? sizeof escaped - 2 : 0;
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
    char *json = NULL;
    int error = json_print(json_text_value(response), &json);
    if (error < 0) {
        return error;
    }
    char *text = escape_delete(json);
    free(json);
    if (text == NULL) {
        return -ENOMEM;
    }
    *ret = text;
    return 0;
}
