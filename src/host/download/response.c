/* SPDX-License-Identifier: Apache-2.0 */
#include "host/download/response.h"

#include "wire/attributes.h"
#include "wire/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Digits up to `end`, which is taken too; '\0' as the end is left alone. */
static bool take_number(const char **at, char end, uint64_t *ret)
{
    const char *text = *at;
    uint64_t value = 0;
    if (*text < '0' || *text > '9') {
        return false;
    }
    for (; *text >= '0' && *text <= '9'; text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        if (value > (UINT64_MAX - 1 - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    if (*text != end) {
        return false;
    }
    *at = end == '\0' ? text : text + 1;
    *ret = value;
    return true;
}

static bool take_total(const char **at, uint64_t *ret)
{
    if (strcmp(*at, "*") == 0) {
        *ret = CONTENT_RANGE_UNKNOWN;
        return true;
    }
    return take_number(at, '\0', ret);
}

int content_range_parse(const char *value, struct content_range *ret)
{
    static const char unit[] = "bytes ";
    struct content_range range;
    if (strncasecmp(value, unit, strlen(unit)) != 0) {
        return -EINVAL;
    }
    const char *at = value + strlen(unit);
    if (!take_number(&at, '-', &range.first) || !take_number(&at, '/', &range.last) ||
        !take_total(&at, &range.total) || range.last < range.first || range.total <= range.last) {
        return -EINVAL;
    }
    *ret = range;
    return 0;
}

static void set_verdict(struct response_judgement *ret, enum response_verdict verdict,
                        const char *format, ...) PRINTF_LIKE(3, 4);

static void set_verdict(struct response_judgement *ret, enum response_verdict verdict,
                        const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    ret->verdict = verdict;
    (void)vsnprintf(ret->text, sizeof ret->text, format, arguments);
    va_end(arguments);
}

static bool has_encoding(const struct response *response)
{
    return response->content_encoding[0] != '\0' &&
           strcasecmp(response->content_encoding, "identity") != 0;
}

static void judge_encoding(const struct response *response, struct response_judgement *ret)
{
    char shown[RESPONSE_FIELD_MAX];
    (void)escape_text(text_of(response->content_encoding), ESCAPE_LINE, shown, sizeof shown);
    set_verdict(ret, RESPONSE_REFUSED, "the server sends the content encoding %s; expected none",
                shown);
}

static bool has_changed(const struct response_asked *asked, const struct response *response)
{
    return asked->same_url && asked->validator[0] != '\0' && response->validator[0] != '\0' &&
           strcmp(asked->validator, response->validator) != 0;
}

static void judge_total(const struct response_asked *asked, const struct content_range *range,
                        struct response_judgement *ret)
{
    bool known = range->total != CONTENT_RANGE_UNKNOWN;
    if (asked->total == 0) {
        ret->total = known ? range->total : 0;
        ret->verdict = RESPONSE_REST;
    } else if (known ? range->total == asked->total : range->last < asked->total) {
        ret->total = asked->total;
        ret->verdict = RESPONSE_REST;
    } else {
        uint64_t has = known ? range->total : range->last + 1;
        set_verdict(ret, asked->same_url ? RESPONSE_START_AGAIN : RESPONSE_OTHER_FILE,
                    "the server's file has %" PRIu64 " bytes; expected %" PRIu64, has,
                    asked->total);
    }
}

static void judge_rest(const struct response_asked *asked, const struct response *response,
                       struct response_judgement *ret)
{
    struct content_range range;
    if (asked->from == 0) {
        set_verdict(ret, RESPONSE_TRY_AGAIN,
                    "the server answered 206 to a request for the whole file");
    } else if (content_range_parse(response->content_range, &range) != 0 ||
               range.first != asked->from ||
               (response->has_length && response->length != range.last - range.first + 1)) {
        char shown[RESPONSE_FIELD_MAX];
        (void)escape_text(text_of(response->content_range), ESCAPE_LINE, shown, sizeof shown);
        set_verdict(ret, RESPONSE_START_AGAIN,
                    "the server answered with the range \"%s\"; expected from byte %" PRIu64, shown,
                    asked->from);
    } else if (has_changed(asked, response)) {
        set_verdict(ret, RESPONSE_START_AGAIN, "the server's file has changed");
    } else {
        judge_total(asked, &range, ret);
    }
}

static void judge_redirect(const struct response *response, struct response_judgement *ret)
{
    if (response->location[0] == '\0') {
        set_verdict(ret, RESPONSE_REFUSED, "the server answered %d, a redirect without a Location",
                    response->status);
    } else {
        ret->verdict = RESPONSE_REDIRECT;
    }
}

static void judge_other(const struct response_asked *asked, const struct response *response,
                        struct response_judgement *ret)
{
    enum response_verdict verdict = RESPONSE_REFUSED;
    if (response->status == 416 && asked->from > 0) {
        verdict = RESPONSE_RANGE_REFUSED;
    } else if (response->status >= 500 && response->status <= 599) {
        verdict = RESPONSE_TRY_AGAIN;
    }
    set_verdict(ret, verdict, "the server answered %d; expected 200%s", response->status,
                asked->from > 0 ? " or 206" : "");
}

void response_judge(const struct response_asked *asked, const struct response *response,
                    struct response_judgement *ret)
{
    *ret = (struct response_judgement){.verdict = RESPONSE_REFUSED};
    switch (response->status) {
    case 200:
    case 206:
        if (has_encoding(response)) {
            judge_encoding(response, ret);
        } else if (response->status == 206) {
            judge_rest(asked, response, ret);
        } else {
            ret->verdict = RESPONSE_WHOLE;
            ret->total = response->has_length ? response->length : 0;
        }
        break;
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        judge_redirect(response, ret);
        break;
    default:
        judge_other(asked, response, ret);
        break;
    }
}

bool response_is_strong_etag(const char *etag)
{
    size_t length = strlen(etag);
    if (length < 2 || length >= RESPONSE_VALIDATOR_MAX || etag[0] != '"' ||
        etag[length - 1] != '"') {
        return false;
    }
    for (size_t i = 1; i + 1 < length; i++) {
        if (etag[i] <= ' ' || etag[i] > '~' || etag[i] == '"') {
            return false;
        }
    }
    return true;
}

bool response_is_one_line(const char *line, size_t length)
{
    const char *found = length > 0 ? memchr(line, '\r', length) : NULL;
    return found == NULL || (line + length - found == 2 && found[1] == '\n');
}
