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

static void url_done(struct url *url);

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

/* `why` is a constant string. */
static int url_parse(const char *url, struct url *ret, const char **why)
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

static void url_done(struct url *url)
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

struct reason {
    char *out;
    size_t size;
};

static int refuse(const struct reason *why, const char *format, ...) PRINTF_LIKE(2, 3);

static int refuse(const struct reason *why, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why->out, why->size, format, arguments);
    va_end(arguments);
    return -EPERM;
}

/* Other parsers take a backslash for a slash, and so another host for the host. */
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
        return refuse(why, "the url holds a blank, a backslash, a control character or a byte "
                           "above 0x7e; expected it percent-encoded");
    }
    return 0;
}

/* --- scheme --- */

static bool in_list(char *const *list, const char *item)
{
    for (; *list != NULL; list++) {
        if (strcmp(*list, item) == 0) {
            return true;
        }
    }
    return false;
}

static void join(char *const *list, char *out, size_t size)
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
    if (in_list(schemes, url->scheme)) {
        return 0;
    }
    join(schemes, allowed, sizeof allowed);
    (void)escape_text(text_of(url->scheme), ESCAPE_LINE, shown, sizeof shown);
    return refuse(why, "the url's scheme is %s; expected %s", shown, allowed);
}

/* --- prefix --- */

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, tolower((unsigned char)c));
    return at == NULL ? -1 : (int)(at - digits);
}

/* Decodes one character and moves on; -1 for a % that begins no escape. */
static int next_character(const char **at)
{
    const char *text = *at;
    if (text[0] != '%') {
        *at = text + 1;
        return (unsigned char)text[0];
    }
    int high = hex_digit(text[1]);
    int low = high < 0 ? -1 : hex_digit(text[2]);
    *at = text + 3;
    return low < 0 ? -1 : high << 4 | low;
}

/* True for "." and "..", with or without parameters behind a semicolon: some servers drop those
 * before they look at dots. */
static bool is_dot_segment(const char *segment)
{
    size_t dots = strspn(segment, ".");
    return (dots == 1 || dots == 2) && strchr("/;", segment[dots]) != NULL;
}

/* Decodes a path for comparison. -EINVAL for one that two servers could read differently: encoded
 * slashes, backslashes, percent signs, control characters; dot segments that libcurl leaves in. */
static int decode_path(const char *path, char out[URL_MAX + 2])
{
    size_t length = 0;
    for (const char *at = path; *at != '\0' && length < URL_MAX;) {
        bool encoded = *at == '%';
        int c = next_character(&at);
        if (c < ' ' || c == 0x7f || (encoded && strchr("/\\%", c) != NULL)) {
            return -EINVAL;
        }
        out[length++] = (char)c;
    }
    out[length] = '\0';
    for (const char *slash = strchr(out, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        if (is_dot_segment(slash + 1)) {
            return -EINVAL;
        }
    }
    return 0;
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
static bool prefix_allows(const char *prefix, const struct url *url, const char *path)
{
    struct url allowed;
    char allowed_path[URL_MAX + 2];
    const char *why = NULL;
    if (strlen(prefix) > URL_MAX || url_parse(prefix, &allowed, &why) != 0) {
        return false;
    }
    bool allows = strcmp(allowed.scheme, url->scheme) == 0 &&
                  strcmp(allowed.host, url->host) == 0 && strcmp(allowed.port, url->port) == 0 &&
                  strcmp(allowed.zone, url->zone) == 0 &&
                  decode_path(allowed.path, allowed_path) == 0 && path_begins(path, allowed_path);
    url_done(&allowed);
    return allows;
}

static int judge_prefix(char *const *prefixes, const struct url *url, const struct reason *why)
{
    char path[URL_MAX + 2];
    if (prefixes == NULL || *prefixes == NULL) {
        return 0;
    }
    if (decode_path(url->path, path) != 0) {
        return refuse(why, "the url's path has encoded slashes, percent signs or dot segments; "
                           "expected a plain path, since allowed_prefixes is set");
    }
    for (char *const *prefix = prefixes; *prefix != NULL; prefix++) {
        if (prefix_allows(*prefix, url, path)) {
            return 0;
        }
    }
    char allowed[256];
    join(prefixes, allowed, sizeof allowed);
    return refuse(why, "the url is not below an allowed prefix; expected %s", allowed);
}

static int judge_parsed(const struct url_policy *policy, const struct url *url,
                        const struct reason *why)
{
    int error = judge_scheme(policy->schemes, url, why);
    if (error != 0) {
        return error;
    }
    if (url->host[0] == '\0' || !is_plain(url->host)) {
        return refuse(why, "the url has no proper host; expected such as https://HOST/PATH");
    }
    return judge_prefix(policy->allowed_prefixes, url, why);
}

int url_policy_judge(const struct url_policy *policy, const char *url, char *why, size_t why_size)
{
    struct reason reason = {why, why_size};
    struct url parsed;
    const char *parser_says = "";
    int error = judge_spelling(url, &reason);
    if (error != 0) {
        return error;
    }
    error = url_parse(url, &parsed, &parser_says);
    if (error == -ENOMEM) {
        (void)refuse(&reason, "the url cannot be judged: out of memory"); /* no fault of the url */
        return -ENOMEM;
    }
    if (error != 0) {
        return refuse(&reason, "the url cannot be read (%s); expected such as https://HOST/PATH",
                      parser_says);
    }
    error = judge_parsed(policy, &parsed, &reason);
    url_done(&parsed);
    return error;
}
