/* SPDX-License-Identifier: Apache-2.0 */
#include "host/policy/url.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/escape.h"
#include "wire/message.h"

/* Schemes that this libcurl does not know are parsed too: the policy refuses them by name. */
enum { SET_FLAGS = CURLU_NON_SUPPORT_SCHEME };

static int open_url(const char *text, CURLU **ret, const char **why)
{
    CURLU *handle = curl_url();
    if (handle == NULL) {
        return -ENOMEM;
    }
    CURLUcode code = curl_url_set(handle, CURLUPART_URL, text, SET_FLAGS);
    if (code != CURLUE_OK) {
        *why = curl_url_strerror(code);
        curl_url_cleanup(handle);
        return code == CURLUE_OUT_OF_MEMORY ? -ENOMEM : -EINVAL;
    }
    *ret = handle;
    return 0;
}

/* A part in memory of ours; "" when it is absent. */
static char *part(CURLU *handle, CURLUPart which, unsigned flags)
{
    char *theirs = NULL;
    CURLUcode code = curl_url_get(handle, which, &theirs, flags);
    if (code == CURLUE_OUT_OF_MEMORY) {
        return NULL;
    }
    char *ours = strdup(code == CURLUE_OK ? theirs : "");
    curl_free(theirs);
    return ours;
}

static void normalise_host(char *host)
{
    size_t length = strlen(host);
    for (size_t i = 0; i < length; i++) {
        host[i] = (char)tolower((unsigned char)host[i]);
    }
    if (length > 1 && host[length - 1] == '.') {
        host[length - 1] = '\0';
    }
}

int url_parse(const char *url, struct url *ret, const char **why)
{
    CURLU *handle = NULL;
    int error = open_url(url, &handle, why);
    if (error != 0) {
        return error;
    }
    struct url parsed = {
        .scheme = part(handle, CURLUPART_SCHEME, 0),
        .host = part(handle, CURLUPART_HOST, 0),
        .port = part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT),
        .zone = part(handle, CURLUPART_ZONEID, 0),
        .path = part(handle, CURLUPART_PATH, 0),
    };
    curl_url_cleanup(handle);
    if (parsed.scheme == NULL || parsed.host == NULL || parsed.port == NULL ||
        parsed.zone == NULL || parsed.path == NULL) {
        url_done(&parsed);
        return -ENOMEM;
    }
    normalise_host(parsed.host);
    *ret = parsed;
    return 0;
}

void url_done(struct url *url)
{
    free(url->scheme);
    free(url->host);
    free(url->port);
    free(url->zone);
    free(url->path);
    *url = (struct url){0};
}

static CURLUcode drop(CURLU *handle, CURLUPart which)
{
    return curl_url_set(handle, which, NULL, 0);
}

static CURLUcode drop_credentials(CURLU *handle)
{
    CURLUcode code = drop(handle, CURLUPART_USER);
    if (code == CURLUE_OK) {
        code = drop(handle, CURLUPART_PASSWORD);
    }
    return code == CURLUE_OK ? drop(handle, CURLUPART_OPTIONS) : code;
}

/* Writes the whole URL; -ENOBUFS when it does not fit. */
static int write_url(CURLU *handle, char *out, size_t size)
{
    char *whole = NULL;
    if (curl_url_get(handle, CURLUPART_URL, &whole, 0) != CURLUE_OK) {
        return -ENOMEM;
    }
    size_t length = strlen(whole);
    if (length < size) {
        memcpy(out, whole, length + 1);
    }
    curl_free(whole);
    return length < size ? 0 : -ENOBUFS;
}

int url_identity(const char *url, char *out, size_t size)
{
    CURLU *handle = NULL;
    const char *why = NULL;
    int error = open_url(url, &handle, &why);
    if (error != 0) {
        return error;
    }
    CURLUcode code = drop_credentials(handle);
    if (code == CURLUE_OK) {
        code = drop(handle, CURLUPART_FRAGMENT);
    }
    error = code == CURLUE_OK ? write_url(handle, out, size) : -ENOMEM;
    curl_url_cleanup(handle);
    return error;
}

void url_show(const char *url, char *out, size_t size)
{
    char plain[2 * URL_MAX];
    if (url_identity(url, plain, sizeof(plain)) != 0) {
        (void)snprintf(out, size, "(a url that cannot be read)");
        return;
    }
    char *query = strchr(plain, '?');
    if (query != NULL) {
        (void)snprintf(query, sizeof(plain) - (size_t)(query - plain), "?...");
    }
    (void)escape_text(text_of(plain), ESCAPE_LINE, out, size);
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart which, unsigned flags)
{
    char *left = part(a, which, flags);
    char *right = part(b, which, flags);
    bool same = left != NULL && right != NULL && strcasecmp(left, right) == 0;
    free(left);
    free(right);
    return same;
}

static CURLUcode copy_part(CURLU *from, CURLU *to, CURLUPart which)
{
    char *value = NULL;
    CURLUcode code = curl_url_get(from, which, &value, 0); /* absent: an error, and NULL */
    if (code == CURLUE_OK) {
        code = curl_url_set(to, which, value, 0);
    } else if (code != CURLUE_OUT_OF_MEMORY) {
        code = CURLUE_OK;
    }
    curl_free(value);
    return code;
}

static CURLUcode carry_credentials(CURLU *asked, CURLU *target)
{
    CURLUcode code = drop_credentials(target);
    if (code == CURLUE_OK && same_part(asked, target, CURLUPART_SCHEME, 0) &&
        same_part(asked, target, CURLUPART_HOST, 0) &&
        same_part(asked, target, CURLUPART_ZONEID, 0) &&
        same_part(asked, target, CURLUPART_PORT, CURLU_DEFAULT_PORT)) {
        code = copy_part(asked, target, CURLUPART_USER);
        if (code == CURLUE_OK) {
            code = copy_part(asked, target, CURLUPART_PASSWORD);
        }
    }
    return code;
}

static int redirect(CURLU *asked, CURLU *target, const char *location, char *out, size_t size)
{
    CURLUcode code = curl_url_set(target, CURLUPART_URL, location, SET_FLAGS | CURLU_URLENCODE);
    if (code == CURLUE_OK) {
        code = carry_credentials(asked, target);
    }
    if (code != CURLUE_OK) {
        return code == CURLUE_OUT_OF_MEMORY ? -ENOMEM : -EINVAL;
    }
    return write_url(target, out, size);
}

int url_redirect(const char *asked, const char *base, const char *location, char *out, size_t size)
{
    CURLU *asked_handle = NULL;
    CURLU *target = NULL;
    const char *why = NULL;
    int error = open_url(asked, &asked_handle, &why);
    if (error == 0) {
        error = open_url(base, &target, &why);
    }
    if (error == 0) {
        error = redirect(asked_handle, target, location, out, size);
    }
    curl_url_cleanup(target); /* NULL is taken */
    curl_url_cleanup(asked_handle);
    return error;
}
