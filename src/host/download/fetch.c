/* SPDX-License-Identifier: Apache-2.0 */
#include "host/download/fetch.h"

#include "host/download/address_guard.h"
#include "host/watchdog.h"
#include "wire/clock.h"
#include "wire/number.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
    BUFFER_SIZE = 512 << 10,  /* one read from the socket at most */
    HEAD_MAX = 256 << 10,     /* bytes of headers and trailers: more is an attack */
    POLL_MAX_MS = 1000,       /* libcurl's own timers may need it sooner, and say so */
    STRONG_AFTER_SECONDS = 1, /* RFC 9110, 8.8.2.2: a Last-Modified this much before Date */
};

struct exchange {
    const struct fetch *fetch;
    CURL *easy;
    struct stall_detector stall;
    bool connected;
    bool has_head;
    bool declined;
    size_t head_bytes;
    bool opened;       /* a socket was opened for some address */
    bool unjudged;     /* the guard failed to judge an address */
    char refusal[192]; /* why the guard refused the last address; "" if it did not */
    char problem[CURL_ERROR_SIZE];
};

void fetch_library_init(void)
{
    /* Fails only without memory; every request then reports a failure. */
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* --- the head of a response --- */

enum field_state { FIELD_ABSENT, FIELD_TAKEN, FIELD_UNUSABLE };

/* FIELD_UNUSABLE: repeated or too long. */
static enum field_state take_field(CURL *easy, const char *name, char *out, size_t size)
{
    struct curl_header *field = NULL;
    out[0] = '\0';
    if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &field) != CURLHE_OK) {
        return FIELD_ABSENT;
    }
    if (field->amount != 1 || strlen(field->value) >= size) {
        return FIELD_UNUSABLE;
    }
    memcpy(out, field->value, strlen(field->value) + 1);
    return FIELD_TAKEN;
}

/* A date is strong if it is so much earlier than the response that no second change can share it. */
static bool is_strong_date(CURL *easy, const char *modified)
{
    char date[RESPONSE_FIELD_MAX];
    if (take_field(easy, "Date", date, sizeof date) != FIELD_TAKEN) {
        return false;
    }
    time_t answered = curl_getdate(date, NULL);
    time_t changed = curl_getdate(modified, NULL);
    return answered >= 0 && changed >= 0 && answered - changed >= STRONG_AFTER_SECONDS;
}

static void take_validator(CURL *easy, char out[RESPONSE_VALIDATOR_MAX])
{
    enum field_state etag = take_field(easy, "ETag", out, RESPONSE_VALIDATOR_MAX);
    if (etag == FIELD_TAKEN && response_is_strong_etag(out)) {
        return;
    }
    /* A weak ETag says that bytes may differ, so the date is not used either. */
    if (etag != FIELD_ABSENT ||
        take_field(easy, "Last-Modified", out, RESPONSE_VALIDATOR_MAX) != FIELD_TAKEN ||
        !is_strong_date(easy, out)) {
        out[0] = '\0';
    }
}

static void take_length(CURL *easy, struct response *response)
{
    char text[RESPONSE_FIELD_MAX];
    if (take_field(easy, "Transfer-Encoding", text, sizeof text) == FIELD_ABSENT &&
        take_field(easy, "Content-Length", text, sizeof text) == FIELD_TAKEN) {
        response->has_length = decimal_parse(text, 0, INT64_MAX, &response->length) == 0;
    }
}

static void take_head(CURL *easy, int status, struct response *ret)
{
    struct response response = {.status = status};
    take_length(easy, &response);
    take_validator(easy, response.validator);
    (void)take_field(easy, "Content-Range", response.content_range,
                     sizeof response.content_range); /* "" is refused where one is needed */
    (void)take_field(easy, "Location", response.location, sizeof response.location);
    if (take_field(easy, "Content-Encoding", response.content_encoding,
                   sizeof response.content_encoding) == FIELD_UNUSABLE) {
        (void)snprintf(response.content_encoding, sizeof response.content_encoding, "(several)");
    }
    *ret = response;
}

/* --- callbacks of libcurl --- */

/* The sink's result in the form that libcurl expects. */
static size_t count_taken(struct exchange *exchange, int error, size_t length)
{
    exchange->declined = exchange->declined || error != 0;
    return error != 0 ? CURL_WRITEFUNC_ERROR : length;
}

static int status_of(CURL *easy)
{
    long status = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status); /* stays 0 */
    return (int)status;
}

/* One line; the blank line ends the head. 1xx heads precede the final one. */
static size_t on_header(char *line, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    const struct fetch_sink *sink = &exchange->fetch->sink;
    size_t length = size * count;
    exchange->head_bytes += length;
    exchange->stall.bytes += length;
    if (exchange->head_bytes > HEAD_MAX || !response_is_one_line(line, length)) {
        return CURL_WRITEFUNC_ERROR;
    }
    int status = status_of(exchange->easy);
    if ((line[0] != '\r' && line[0] != '\n') || exchange->has_head || status < 200) {
        return length;
    }
    struct response response;
    take_head(exchange->easy, status, &response);
    exchange->has_head = true;
    return count_taken(exchange, sink->head(sink->context, &response), length);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    const struct fetch_sink *sink = &exchange->fetch->sink;
    size_t length = size * count;
    exchange->stall.bytes += length;
    int64_t before = clock_ms();
    int error = sink->body(sink->context, bytes, length);
    exchange->stall.began_ms += clock_ms() - before; /* our own time does not count */
    return count_taken(exchange, error, length);
}

static curl_socket_t on_open_socket(void *context, curlsocktype purpose,
                                    struct curl_sockaddr *address)
{
    struct exchange *exchange = context;
    uint32_t refused = exchange->fetch->conf->upgrade.refused_addresses;
    (void)purpose; /* there is only one */
    int error = address_guard_check(&address->addr, (socklen_t)address->addrlen, refused,
                                    exchange->refusal, sizeof exchange->refusal);
    if (error != 0) {
        exchange->unjudged = exchange->unjudged || error != -EACCES;
        return CURL_SOCKET_BAD;
    }
    exchange->opened = true;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Connected, TLS included: the stall rule applies from here on, connect_seconds before. */
static int on_connected(void *context, char *remote_address, char *local_address, int remote_port,
                        int local_port)
{
    struct exchange *exchange = context;
    (void)remote_address;
    (void)local_address;
    (void)remote_port;
    (void)local_port;
    exchange->connected = true;
    exchange->stall = (struct stall_detector){
        .window_ms = exchange->fetch->conf->upgrade.stall_ms,
        .bytes_per_second = exchange->fetch->conf->upgrade.stall_bytes_per_second,
        .began_ms = clock_ms(),
    };
    return CURL_PREREQFUNC_OK;
}

/* --- the stall rule --- */

int64_t stall_detector_left(const struct stall_detector *detector, int64_t now_ms)
{
    int64_t left = detector->began_ms + detector->window_ms - now_ms;
    return left > 0 ? left : 1;
}

bool stall_detector_stalled(struct stall_detector *detector, int64_t now_ms)
{
    int64_t took = now_ms - detector->began_ms;
    if (took < detector->window_ms) {
        return false;
    }
    /* The bytes of one window times 1000 are far from overflow. */
    bool stalled = detector->bytes * 1000 < detector->bytes_per_second * (uint64_t)took;
    detector->began_ms = now_ms;
    detector->bytes = 0;
    return stalled;
}

/* --- options --- */

struct number_option {
    CURLoption option;
    long value;
};

struct text_option {
    CURLoption option;
    const char *value;
};

static const struct number_option numbers[] = {
    {CURLOPT_NOSIGNAL, 1},
    {CURLOPT_FOLLOWLOCATION, 0},
    {CURLOPT_NETRC, CURL_NETRC_IGNORED},
    {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1}, /* one stream: HTTP/2 only adds windows */
    {CURLOPT_HTTP09_ALLOWED, 0},
    {CURLOPT_BUFFERSIZE, BUFFER_SIZE},
    {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
    {CURLOPT_QUICK_EXIT, 1}, /* a stop does not wait for a name server */
};

static const struct text_option texts[] = {
    {CURLOPT_PROTOCOLS_STR, "http,https"},
    {CURLOPT_PROXY, ""}, /* none, whatever the environment says */
    {CURLOPT_NOPROXY, "*"},
    {CURLOPT_USERAGENT, "vsock_host/" VSOCK_VERSION},
};

static bool set_constants(CURL *easy)
{
    CURLcode code = CURLE_OK;
    for (size_t i = 0; code == CURLE_OK && i < sizeof numbers / sizeof numbers[0]; i++) {
        code = curl_easy_setopt(easy, numbers[i].option, numbers[i].value);
    }
    for (size_t i = 0; code == CURLE_OK && i < sizeof texts / sizeof texts[0]; i++) {
        code = curl_easy_setopt(easy, texts[i].option, texts[i].value);
    }
    return code == CURLE_OK;
}

static bool set_callbacks(struct exchange *exchange)
{
    CURL *easy = exchange->easy;
    return curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->problem) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQDATA, exchange) == CURLE_OK;
}

static bool set_range(CURL *easy, uint64_t from)
{
    char range[32];
    (void)snprintf(range, sizeof range, "%" PRIu64 "-", from);
    return from == 0 || curl_easy_setopt(easy, CURLOPT_RANGE, range) == CURLE_OK;
}

static bool set_authorities(CURL *easy, const char *ca_file)
{
    return ca_file[0] == '\0' || (curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file) == CURLE_OK &&
                                  curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK);
}

static bool set_request(CURL *easy, const struct fetch *fetch, struct curl_slist *headers)
{
    const struct conf *conf = fetch->conf;
    return headers != NULL && curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_URL, fetch->url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)conf->upgrade.connect_ms) ==
               CURLE_OK &&
           set_range(easy, fetch->from) && set_authorities(easy, conf->upgrade.ca_file);
}

/* NULL when memory is short. */
static struct curl_slist *make_headers(const struct fetch *fetch)
{
    char line[RESPONSE_VALIDATOR_MAX + 16];
    struct curl_slist *headers = curl_slist_append(NULL, "Accept-Encoding: identity");
    if (headers == NULL || fetch->if_range == NULL) {
        return headers;
    }
    (void)snprintf(line, sizeof line, "If-Range: %s", fetch->if_range);
    struct curl_slist *longer = curl_slist_append(headers, line);
    if (longer == NULL) {
        curl_slist_free_all(headers);
    }
    return longer;
}

/* --- the loop --- */

static int get_wait_ms(const struct exchange *exchange)
{
    int64_t wait = POLL_MAX_MS;
    if (exchange->connected) {
        int64_t left = stall_detector_left(&exchange->stall, clock_ms());
        wait = left < wait ? left : wait;
    }
    return (int)wait;
}

static CURLMcode run_transfers(struct exchange *exchange, CURLM *multi, int *running)
{
    const struct fetch_sink *sink = &exchange->fetch->sink;
    CURLMcode code = curl_multi_perform(multi, running);
    int64_t before = clock_ms();
    if (code == CURLM_OK && !exchange->declined && exchange->has_head) {
        exchange->declined = sink->pause(sink->context) != 0;
    }
    exchange->stall.began_ms += clock_ms() - before; /* our own time does not count */
    return code;
}

static CURLcode read_outcome(CURLM *multi)
{
    int left = 0;
    const CURLMsg *message = curl_multi_info_read(multi, &left);
    return message != NULL && message->msg == CURLMSG_DONE ? message->data.result
                                                           : CURLE_ABORTED_BY_CALLBACK;
}

/* libcurl names what failed, the errno says why. */
static void set_detail(const struct exchange *exchange, const char *reason,
                       struct fetch_result *ret)
{
    long error = 0;
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_OS_ERRNO, &error); /* stays 0 */
    (void)snprintf(ret->detail, sizeof ret->detail, "%s%s%s",
                   exchange->problem[0] != '\0' ? exchange->problem : reason,
                   error != 0 ? ": " : "", error != 0 ? strerror((int)error) : "");
}

static void set_end(const struct exchange *exchange, CURLcode code, struct fetch_result *ret)
{
    if (exchange->declined) {
        ret->end = FETCH_DECLINED;
    } else if (code == CURLE_OK && exchange->has_head) {
        ret->end = FETCH_DONE;
    } else if (!exchange->has_head && exchange->refusal[0] != '\0' && !exchange->opened) {
        ret->end = exchange->unjudged ? FETCH_NO_ANSWER : FETCH_REFUSED_ADDRESS;
        (void)snprintf(ret->detail, sizeof ret->detail, "%s", exchange->refusal);
    } else {
        ret->end = exchange->has_head ? FETCH_BROKEN : FETCH_NO_ANSWER;
        set_detail(exchange, curl_easy_strerror(code), ret);
    }
}

static void run_loop(struct exchange *exchange, CURLM *multi, struct fetch_result *ret)
{
    struct curl_waitfd stop = {.fd = exchange->fetch->stop_fd, .events = CURL_WAIT_POLLIN};
    int running = 1;
    for (;;) {
        CURLMcode code = run_transfers(exchange, multi, &running);
        if (code != CURLM_OK || running == 0 || exchange->declined) {
            set_end(exchange, code == CURLM_OK ? read_outcome(multi) : CURLE_FAILED_INIT, ret);
            return;
        }
        if (exchange->connected && stall_detector_stalled(&exchange->stall, clock_ms())) {
            ret->end = exchange->has_head ? FETCH_STALLED : FETCH_NO_ANSWER;
            set_detail(exchange, "the server is silent or too slow", ret);
            return;
        }
        stop.revents = 0;
        watchdog_expect("downloading", WATCHDOG_DISK_MS);
        (void)curl_multi_poll(multi, &stop, 1, get_wait_ms(exchange),
                              NULL); /* run_transfers reports errors */
        if (stop.revents != 0) {
            ret->end = FETCH_STOPPED;
            return;
        }
    }
}

static void run_request(struct exchange *exchange, CURLM *multi, struct fetch_result *ret)
{
    CURL *easy = exchange->easy;
    struct curl_slist *headers = make_headers(exchange->fetch);
    if (set_constants(easy) && set_callbacks(exchange) &&
        set_request(easy, exchange->fetch, headers) &&
        curl_multi_add_handle(multi, easy) == CURLM_OK) {
        run_loop(exchange, multi, ret);
        (void)curl_multi_remove_handle(multi, easy); /* it was added */
    } else {
        set_detail(exchange, "libcurl refused the options of the request", ret);
    }
    curl_slist_free_all(headers);
}

void fetch_run(const struct fetch *fetch, struct fetch_result *ret)
{
    struct exchange exchange = {.fetch = fetch, .easy = curl_easy_init()};
    CURLM *multi = curl_multi_init();
    *ret = (struct fetch_result){.end = FETCH_NO_ANSWER};
    if (exchange.easy != NULL && multi != NULL) {
        run_request(&exchange, multi, ret);
    } else {
        (void)snprintf(ret->detail, sizeof ret->detail, "out of memory");
    }
    curl_easy_cleanup(exchange.easy); /* NULL is taken */
    (void)curl_multi_cleanup(multi);  /* NULL or empty */
}
