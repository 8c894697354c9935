/* SPDX-License-Identifier: Apache-2.0 */
#include "host/download/attempt.h"

#include "host/download/fetch.h"
#include "host/policy/url_policy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* One request of an attempt. */
struct hop {
    const struct attempt *attempt;
    struct store *store;
    char url[URL_MAX + 1];
    bool failed; /* the failure is set */
    struct response_judgement judgement;
    char location[RESPONSE_LOCATION_MAX];
};

/* The only text for failures that would tell a guest what listens where. */
static const char no_connection[] = "no connection to the server";

static int fail(const struct hop *hop, enum failure_scope scope, const char *text)
{
    return failure_set(hop->store->failure, scope, ERROR_DOWNLOAD_FAILED, "%s", text);
}

/* --- a response --- */

static int begin_body(struct hop *hop, const struct response *response, bool rest)
{
    int error = store_begin(hop->store, hop->url, response->validator, hop->judgement.total, rest);
    hop->failed = error != 0;
    return error;
}

/* 0: take the body. Else handle_response acts on the judgement. */
static int on_head(void *context, const struct response *response)
{
    struct hop *hop = context;
    const struct partial *partial = &hop->store->partial;
    const struct response_asked asked = {
        .from = partial->length,
        .total = partial->total,
        .same_url = partial_is_from(partial, hop->url),
        .validator = partial->validator,
    };
    response_judge(&asked, response, &hop->judgement);
    if (hop->judgement.verdict == RESPONSE_WHOLE || hop->judgement.verdict == RESPONSE_REST) {
        return begin_body(hop, response, hop->judgement.verdict == RESPONSE_REST);
    }
    memcpy(hop->location, response->location, sizeof hop->location);
    return -ECANCELED;
}

static int on_body(void *context, const void *bytes, size_t length)
{
    struct hop *hop = context;
    int error = store_take(hop->store, bytes, length);
    hop->failed = error != 0;
    return error;
}

static int on_pause(void *context)
{
    struct hop *hop = context;
    int error = store_flush(hop->store);
    hop->failed = error != 0;
    return error;
}

/* --- the end of a request --- */

/* Such as "5 of 10 bytes". */
static void describe_progress(const struct partial *partial, char *out, size_t size)
{
    if (partial->total != 0) {
        (void)snprintf(out, size, "%" PRIu64 " of %" PRIu64 " bytes", partial->length,
                       partial->total);
    } else {
        (void)snprintf(out, size, "%" PRIu64 " bytes", partial->length);
    }
}

static int fail_slow(const struct hop *hop, const char *progress)
{
    const struct conf *conf = hop->store->download->conf;
    return failure_set(hop->store->failure, FAILURE_PASSING, ERROR_DOWNLOAD_FAILED,
                       "the server stalled after %s: less than %" PRIu64
                       " bytes per second for %" PRId64 " ms",
                       progress, conf->upgrade.stall_bytes_per_second, conf->upgrade.stall_ms);
}

static int fail_short(const struct hop *hop, const char *progress)
{
    return failure_set(hop->store->failure, FAILURE_PASSING, ERROR_DOWNLOAD_FAILED,
                       "the connection broke after %s", progress);
}

static int end_body(struct hop *hop, enum fetch_end end)
{
    char progress[64];
    struct store *store = hop->store;
    int error = end == FETCH_DONE ? store_end(store) : store_flush(store);
    if (error != 0 || store->whole) {
        return error;
    }
    describe_progress(&store->partial, progress, sizeof progress);
    return end == FETCH_STALLED ? fail_slow(hop, progress) : fail_short(hop, progress);
}

static int set_stopped(const struct hop *hop)
{
    hop->store->failure->scope = FAILURE_STOP;
    return -ECANCELED;
}

static bool takes_body(const struct hop *hop)
{
    return hop->judgement.verdict == RESPONSE_WHOLE || hop->judgement.verdict == RESPONSE_REST;
}

static int end_request(struct hop *hop, const struct fetch_result *result)
{
    if (hop->failed) {
        return hop->store->whole ? 0 : -EPROTO; /* whole: there were too many bytes */
    }
    switch (result->end) {
    case FETCH_STOPPED: {
        int error = takes_body(hop) ? store_flush(hop->store) : 0;
        return error != 0 ? error : set_stopped(hop);
    }
    case FETCH_REFUSED_ADDRESS:
        return fail(hop, FAILURE_MIRROR, no_connection);
    case FETCH_NO_ANSWER:
        return fail(hop, FAILURE_PASSING, no_connection);
    case FETCH_DONE:
    case FETCH_STALLED:
    case FETCH_BROKEN:
    case FETCH_DECLINED:
    default:
        return takes_body(hop) ? end_body(hop, result->end) : 0;
    }
}

static int run_request(struct hop *hop)
{
    struct fetch_result result;
    const struct partial *partial = &hop->store->partial;
    bool same = partial_is_from(partial, hop->url) && partial->validator[0] != '\0';
    const struct fetch fetch = {
        .conf = hop->store->download->conf,
        .url = hop->url,
        .from = partial->length,
        .if_range = same ? partial->validator : NULL,
        .stop_fd = hop->store->download->stop_fd,
        .sink = {.head = on_head, .body = on_body, .pause = on_pause, .context = hop},
    };
    hop->failed = false;
    hop->judgement = (struct response_judgement){.verdict = RESPONSE_REFUSED};
    fetch_run(&fetch, &result);
    int error = end_request(hop, &result);
    if (error != 0 && result.detail[0] != '\0') {
        failure_detail(hop->store->failure, "%s", result.detail);
    }
    return error;
}

/* --- redirects, and responses without a usable body --- */

static int judge_url(const struct hop *hop, bool redirected)
{
    char why[FAILURE_TEXT_MAX / 2];
    const struct conf *conf = hop->store->download->conf;
    const struct url_policy policy = {conf->upgrade.schemes.items,
                                      conf->upgrade.allowed_prefixes.items};
    if (url_policy_judge(&policy, hop->url, why, sizeof why) == 0) {
        return 0;
    }
    return failure_set(hop->store->failure, FAILURE_MIRROR, ERROR_DOWNLOAD_FAILED, "%s%s",
                       redirected ? "the server's redirect is refused: " : "", why);
}

static int follow_redirect(struct hop *hop)
{
    char target[URL_MAX + 1];
    int error = url_redirect(hop->attempt->url, hop->url, hop->location, target, sizeof target);
    if (error != 0) {
        return fail(hop, FAILURE_MIRROR, "the server redirects to a url that cannot be read");
    }
    memcpy(hop->url, target, sizeof hop->url);
    return judge_url(hop, true);
}

static void report_restart(const struct hop *hop)
{
    char shown[URL_MAX + 1];
    char public_text[RESPONSE_TEXT_MAX + 64];
    char journal_text[URL_MAX + RESPONSE_TEXT_MAX + 128];
    const struct download *download = hop->store->download;
    url_show(hop->url, shown, sizeof shown);
    (void)snprintf(public_text, sizeof public_text, "%s; starting over", hop->judgement.text);
    (void)snprintf(journal_text, sizeof journal_text, "%s: %s", shown, public_text);
    download->report_retry(download->context, public_text, journal_text);
}

/* 0: the file is empty, and the same url is asked again. */
static int start_over(const struct hop *hop)
{
    bool refused = hop->judgement.verdict == RESPONSE_RANGE_REFUSED;
    bool other = hop->judgement.verdict == RESPONSE_OTHER_FILE;
    if ((refused && *hop->attempt->range_refused) || (other && hop->attempt->others)) {
        return fail(hop, FAILURE_MIRROR, hop->judgement.text);
    }
    *hop->attempt->range_refused = *hop->attempt->range_refused || refused;
    report_restart(hop);
    return store_restart(hop->store);
}

/* 0: send another request. */
static int handle_response(struct hop *hop, uint32_t *redirects)
{
    uint32_t allowed = hop->store->download->conf->upgrade.max_redirects;
    switch (hop->judgement.verdict) {
    case RESPONSE_REDIRECT:
        if (*redirects >= allowed) {
            return failure_set(hop->store->failure, FAILURE_MIRROR, ERROR_DOWNLOAD_FAILED,
                               "too many redirects; at most %" PRIu32 " are followed", allowed);
        }
        (*redirects)++;
        return follow_redirect(hop);
    case RESPONSE_START_AGAIN:
    case RESPONSE_RANGE_REFUSED:
    case RESPONSE_OTHER_FILE:
        return start_over(hop);
    case RESPONSE_TRY_AGAIN:
        return fail(hop, FAILURE_PASSING, hop->judgement.text);
    case RESPONSE_REFUSED:
    case RESPONSE_WHOLE:
    case RESPONSE_REST:
    default:
        return fail(hop, FAILURE_MIRROR, hop->judgement.text);
    }
}

int attempt_run(const struct attempt *attempt)
{
    struct hop hop = {.attempt = attempt, .store = attempt->store};
    uint32_t redirects = 0;
    (void)snprintf(hop.url, sizeof hop.url, "%s", attempt->url);
    /* Refused only if the configuration has changed since the request. */
    int error = judge_url(&hop, false);
    /* Ends: redirects are counted, and starting over leaves no Range to be refused. */
    while (error == 0) {
        error = run_request(&hop);
        if (error == 0 && takes_body(&hop)) {
            return 0;
        }
        if (error == 0) {
            error = handle_response(&hop, &redirects);
        }
    }
    return error;
}
