/* SPDX-License-Identifier: Apache-2.0 */
#include "host/policy/url_policy.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host/policy/url.h"
#include "wire/escape.h"
#include "wire/message.h"

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
    join(schemes, allowed, sizeof(allowed));
    (void)escape_text(text_of(url->scheme), ESCAPE_LINE, shown, sizeof(shown));
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
    join(prefixes, allowed, sizeof(allowed));
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
