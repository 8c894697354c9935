/* SPDX-License-Identifier: Apache-2.0 */
#include "support/equal.h"

#include "wire/frame.h"

bool text_equal(struct text a, struct text b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

static bool versions_equal(const struct wire_versions *a, const struct wire_versions *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        if (!version_equal(a->pair[i], b->pair[i])) {
            return false;
        }
    }
    return a->count == b->count;
}

bool hello_equal(const struct hello *a, const struct hello *b)
{
    return versions_equal(&a->versions, &b->versions) && text_equal(a->agent, b->agent);
}

bool welcome_equal(const struct welcome *a, const struct welcome *b)
{
    return version_equal(a->version, b->version) && text_equal(a->agent, b->agent) &&
           a->has_request_limit == b->has_request_limit && a->request_limit == b->request_limit;
}

bool request_equal(const struct request *a, const struct request *b)
{
    return a->command == b->command && a->progress == b->progress && a->count == b->count &&
           memcmp(a->sha256, b->sha256, SHA256_SIZE) == 0 && text_equal(a->url, b->url) &&
           text_equal(a->message, b->message);
}

static bool release_equal(const struct release_version *a, const struct release_version *b)
{
    return a->major == b->major && a->minor == b->minor && a->patch == b->patch;
}

static bool status_equal(const struct upgrade_status *a, const struct upgrade_status *b)
{
    return a->phase == b->phase && a->result == b->result && a->done == b->done &&
           a->total == b->total && a->has_sha256 == b->has_sha256 &&
           memcmp(a->sha256, b->sha256, SHA256_SIZE) == 0 && a->has_changed == b->has_changed &&
           a->changed == b->changed && text_equal(a->detail, b->detail);
}

bool answer_equal(const struct answer *a, const struct answer *b)
{
    return a->type == b->type && a->kind == b->kind &&
           release_equal(&a->vsock_version, &b->vsock_version) &&
           text_equal(a->hostos_version, b->hostos_version) &&
           status_equal(&a->status, &b->status) && a->code == b->code &&
           text_equal(a->message, b->message) && versions_equal(&a->versions, &b->versions);
}
