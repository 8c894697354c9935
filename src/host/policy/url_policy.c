/* SPDX-License-Identifier: Apache-2.0 */
#include "host/policy/url_policy.h"

#include "wire/message.h"
#include "wire/text.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What decides where a request goes. A part that is absent is "". */
struct url {
    char *scheme;  /* lower case */
    char *host;    /* lower case, percent-decoded, without a last dot; IPv6 in brackets; IPv4 dotted
                      however it was spelled */
    char *port;    /* decimal; the scheme's own if the URL names none */
    char *zone;    /* of a link-local IPv6 address */
    char *path;    /* literal dot segments removed, as libcurl sends it; percent-encoded */
    char *decoded; /* the path; "": it encodes a control character */
};

/* Schemes that this libcurl does not know are parsed too: the policy refuses them by name. */
enum { SET_FLAGS = CURLU_NON_SUPPORT_SCHEME };

static int error_of(CURLUcode code)
{
    if (code == CURLUE_OK) {
        return 0;
    }
    return code == CURLUE_OUT_OF_MEMORY ? -ENOMEM : -EINVAL;
}

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
        return error_of(code);
    }
    *ret = handle;
    return 0;
}

/* A copy; "" when the part is absent. NULL: out of memory. */
static char *copy_text(CURLU *handle, CURLUPart which, unsigned flags)
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

static void free_url(struct url *url)
{
    free(url->scheme);
    free(url->host);
    free(url->port);
    free(url->zone);
    free(url->path);
    free(url->decoded);
}

/* `why` is a constant string. */
static int parse_url(const char *url, struct url *ret, const char **why)
{
    CURLU *handle = NULL;
    int error = open_url(url, &handle, why);
    if (error != 0) {
        return error;
    }
    struct url parsed = {
        .scheme = copy_text(handle, CURLUPART_SCHEME, 0),
        .host = copy_text(handle, CURLUPART_HOST, 0),
        .port = copy_text(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT),
        .zone = copy_text(handle, CURLUPART_ZONEID, 0),
        .path = copy_text(handle, CURLUPART_PATH, 0),
        .decoded = copy_text(handle, CURLUPART_PATH, CURLU_URLDECODE),
    };
    curl_url_cleanup(handle);
    if (parsed.scheme == NULL || parsed.host == NULL || parsed.port == NULL ||
        parsed.zone == NULL || parsed.path == NULL || parsed.decoded == NULL) {
        free_url(&parsed);
        return -ENOMEM;
    }
    normalise_host(parsed.host);
    *ret = parsed;
    return 0;
}

static CURLUcode drop_credentials(CURLU *handle)
{
    static const CURLUPart parts[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS};
    CURLUcode code = CURLUE_OK;
    for (size_t i = 0; code == CURLUE_OK && i < sizeof parts / sizeof parts[0]; i++) {
        code = curl_url_set(handle, parts[i], NULL, 0);
    }
    return code;
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
        code = curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0);
    }
    error = code == CURLUE_OK ? write_url(handle, out, size) : -ENOMEM;
    curl_url_cleanup(handle);
    return error;
}

void url_show(const char *url, char *out, size_t size)
{
    char plain[2 * URL_MAX];
    if (url_identity(url, plain, sizeof plain) != 0) {
        (void)snprintf(out, size, "(a url that cannot be read)");
        return;
    }
    char *query = strchr(plain, '?');
    if (query != NULL) {
        (void)snprintf(query, sizeof plain - (size_t)(query - plain), "?...");
    }
    (void)escape_text(text_of(plain), ESCAPE_LINE, out, size);
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart which, unsigned flags)
{
    char *left = copy_text(a, which, flags);
    char *right = copy_text(b, which, flags);
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
        unsigned flags = SET_FLAGS | CURLU_URLENCODE;
        error = error_of(curl_url_set(target, CURLUPART_URL, location, flags));
    }
    if (error == 0) {
        error = error_of(carry_credentials(asked_handle, target));
    }
    if (error == 0) {
        error = write_url(target, out, size);
    }
    curl_url_cleanup(target); /* NULL is allowed */
    curl_url_cleanup(asked_handle);
    return error;
}

struct reason {
    char *out;
    size_t size;
};

PRINTF_LIKE(2, 3)
static int refuse(const struct reason *why, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why->out, why->size, format, arguments);
    va_end(arguments);
    return -EPERM;
}

/* Other parsers read a backslash as a slash, and so find another host. */
static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text > '~' || *text == '\\') {
            return false;
        }
    }
    return true;
}

static int judge_spelling(const char *text, const struct reason *why)
{
    if (strlen(text) > URL_MAX) {
        return refuse(why, "the url has %zu bytes; at most %d are allowed", strlen(text), URL_MAX);
    }
    if (!is_plain(text)) {
        return refuse(why, "the url has a blank, a backslash, a control character or a byte "
                           "above 0x7e; these must be percent-encoded");
    }
    return 0;
}

/* --- scheme --- */

static void join_list(char *const *list, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (; *list != NULL && used < size; list++) {
        int written = snprintf(out + used, size - used, "%s%s", used == 0 ? "" : " or ", *list);
        used += written > 0 ? (size_t)written : 0;
    }
}

static int judge_scheme(char *const *schemes, const struct url *url, const struct reason *why)
{
    char allowed[64];
    char shown[64];
    for (char *const *scheme = schemes; *scheme != NULL; scheme++) {
        if (strcmp(*scheme, url->scheme) == 0) {
            return 0;
        }
    }
    join_list(schemes, allowed, sizeof allowed);
    (void)escape_text(text_of(url->scheme), ESCAPE_LINE, shown, sizeof shown);
    return refuse(why, "the url's scheme is %s; [upgrade] schemes allows %s", shown, allowed);
}

/* --- prefix --- */

/* True for "." and "..", with or without parameters behind a semicolon: some servers drop those
 * before they look for dot segments. */
static bool is_dot_segment(const char *segment)
{
    size_t dots = strspn(segment, ".");
    return (dots == 1 || dots == 2) && strchr("/;", segment[dots]) != NULL;
}

/* True for a path that two servers could read differently: encoded slashes, backslashes, percent signs,
 * control characters; dot segments that libcurl leaves in. */
static bool is_ambiguous(const struct url *url)
{
    size_t slashes = 0;
    for (const char *at = url->path; *at != '\0'; at++) {
        slashes += *at == '/';
    }
    for (const char *at = url->decoded; *at != '\0'; at++) {
        if (*at == '%' || *at == '\\' || *at == 0x7f || (*at == '/' && is_dot_segment(at + 1))) {
            return true;
        }
        slashes -= *at == '/';
    }
    return slashes != 0 || url->decoded[0] == '\0';
}

/* Whole segments: /images allows /images and /images/x, not /images-old; /images/ only what is
 * below. */
static bool path_begins(const char *path, const char *prefix)
{
    size_t length = strlen(prefix);
    if (strncmp(path, prefix, length) != 0) {
        return false;
    }
    return path[length] == '\0' || path[length] == '/' || (length > 0 && prefix[length - 1] == '/');
}

/* A prefix that cannot be read allows nothing. */
static bool prefix_allows(const char *prefix, const struct url *url)
{
    struct url allowed;
    const char *why = NULL;
    if (strlen(prefix) > URL_MAX || parse_url(prefix, &allowed, &why) != 0) {
        return false;
    }
    bool allows = strcmp(allowed.scheme, url->scheme) == 0 &&
                  strcmp(allowed.host, url->host) == 0 && strcmp(allowed.port, url->port) == 0 &&
                  strcmp(allowed.zone, url->zone) == 0 && !is_ambiguous(&allowed) &&
                  path_begins(url->decoded, allowed.decoded);
    free_url(&allowed);
    return allows;
}

static int judge_prefix(char *const *prefixes, const struct url *url, const struct reason *why)
{
    if (prefixes == NULL || *prefixes == NULL) {
        return 0;
    }
    if (is_ambiguous(url)) {
        return refuse(why,
                      "the url's path has encoded slashes, percent signs or dot segments, which "
                      "[upgrade] allowed_prefixes does not allow");
    }
    for (char *const *prefix = prefixes; *prefix != NULL; prefix++) {
        if (prefix_allows(*prefix, url)) {
            return 0;
        }
    }
    char allowed[256];
    join_list(prefixes, allowed, sizeof allowed);
    return refuse(why, "the url does not begin with one of [upgrade] allowed_prefixes: %s",
                  allowed);
}

static int judge_parsed(const struct url_policy *policy, const struct url *url,
                        const struct reason *why)
{
    int error = judge_scheme(policy->schemes, url, why);
    if (error != 0) {
        return error;
    }
    if (url->host[0] == '\0' || !is_plain(url->host)) {
        return refuse(why, "the url has no valid host; expected, for example, https://HOST/PATH");
    }
    return judge_prefix(policy->allowed_prefixes, url, why);
}

int url_policy_judge(const struct url_policy *policy, const char *url, char *why, size_t why_size)
{
    struct reason reason = {why, why_size};
    struct url parsed;
    const char *problem = "";
    int error = judge_spelling(url, &reason);
    if (error != 0) {
        return error;
    }
    error = parse_url(url, &parsed, &problem);
    if (error == -ENOMEM) {
        (void)refuse(&reason, "the url cannot be judged: out of memory");
        return -ENOMEM;
    }
    if (error != 0) {
        return refuse(&reason,
                      "the url cannot be parsed (%s); expected, for example, https://HOST/PATH",
                      problem);
    }
    error = judge_parsed(policy, &parsed, &reason);
    free_url(&parsed);
    return error;
}
