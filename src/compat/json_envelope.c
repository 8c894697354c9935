/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/json_envelope.h"

#include "wire/number.h"

#include <assert.h>
#include <errno.h>

enum state { STATE_BEFORE, STATE_PLAIN, STATE_STRING, STATE_ESCAPE };

/* What follows the opening quote of the key. */
static const char cid_key[] = "sender_cid\"";

/* Values of scan->key; from KEY_OPENED up to KEY_READ it counts the bytes of cid_key. */
enum {
    KEY_NONE,
    KEY_OPENED,
    KEY_READ = KEY_OPENED + sizeof cid_key - 1,
    KEY_COLON,
    KEY_IS_TEXT, /* stays */
};

bool json_frame_is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

bool json_frame_cid_is_text(const struct framing_scan *scan)
{
    return scan->key == KEY_IS_TEXT;
}

/* Outside strings. */
static uint8_t key_after_plain(const struct framing_scan *scan, uint8_t byte)
{
    if (scan->key == KEY_IS_TEXT || json_frame_is_blank(byte)) {
        return scan->key;
    }
    if (scan->key == KEY_READ && byte == ':') {
        return KEY_COLON;
    }
    if (byte == '"' && scan->key == KEY_COLON) {
        return KEY_IS_TEXT;
    }
    return byte == '"' && scan->depth == 1 ? KEY_OPENED : KEY_NONE;
}

/* Inside strings. */
static uint8_t key_after_character(const struct framing_scan *scan, uint8_t byte)
{
    if (scan->key < KEY_OPENED || scan->key >= KEY_READ) {
        return scan->key;
    }
    return byte == (uint8_t)cid_key[scan->key - KEY_OPENED] ? scan->key + 1 : KEY_NONE;
}

static void take_plain(struct framing_scan *scan, uint8_t byte)
{
    scan->key = key_after_plain(scan, byte);
    if (byte == '"') {
        scan->state = STATE_STRING;
    } else if (byte == '{' || byte == '[') {
        scan->depth++;
    } else if (byte == '}' || byte == ']') {
        scan->depth--;
    }
}

static void take_character(struct framing_scan *scan, uint8_t byte)
{
    scan->key = key_after_character(scan, byte);
    if (byte == '\\') {
        scan->state = STATE_ESCAPE;
    } else if (byte == '"') {
        scan->state = STATE_PLAIN;
    }
}

static void take_byte(struct framing_scan *scan, uint8_t byte)
{
    switch ((enum state)scan->state) {
    case STATE_PLAIN:
        take_plain(scan, byte);
        break;
    case STATE_STRING:
        take_character(scan, byte);
        break;
    case STATE_ESCAPE:
        scan->state = STATE_STRING;
        break;
    case STATE_BEFORE:
        if (byte == '{') {
            scan->state = STATE_PLAIN;
            scan->depth = 1;
        }
        break;
    }
}

enum json_frame json_frame(struct framing_scan *scan, const uint8_t *bytes, size_t length,
                           size_t *end)
{
    while (scan->seen < length) {
        uint8_t byte = bytes[scan->seen];
        if (scan->state == STATE_BEFORE && byte != '{' && !json_frame_is_blank(byte)) {
            return JSON_FRAME_FOREIGN;
        }
        scan->seen++;
        take_byte(scan, byte);
        if (scan->depth > JSON_DEPTH_MAX) {
            return JSON_FRAME_DEEP;
        }
        if (scan->depth == 0 && scan->state == STATE_PLAIN) {
            *end = scan->seen;
            return JSON_FRAME_WHOLE;
        }
    }
    return JSON_FRAME_MORE;
}

const struct dialect *json_find_generation(const struct dialect *const *table, bool cid_is_text)
{
    const struct dialect *found = NULL;
    for (; *table != NULL; table++) {
        const struct json_generation *json = (*table)->json;
        if (json != NULL && json->cid_is_text == cid_is_text) {
            return *table;
        }
        found = json != NULL ? *table : found;
    }
    return found;
}

static int judge_whole(const struct server_session *session, const uint8_t *bytes, size_t length,
                       size_t end, struct protocol_error *protocol_error)
{
    if (end > session->request_limit) {
        return protocol_error_set(protocol_error, ERROR_TOO_LARGE,
                                  "the request has %zu bytes; expected at most %u", end,
                                  session->request_limit);
    }
    for (; end < length; end++) {
        if (!json_frame_is_blank(bytes[end])) {
            return protocol_error_set(
                protocol_error, ERROR_MALFORMED,
                "bytes follow the request's object; expected one object alone");
        }
    }
    return 0;
}

static int judge_part(struct server_session *session, size_t length, bool eof,
                      struct protocol_error *protocol_error)
{
    if (length > session->request_limit) {
        return protocol_error_set(protocol_error, ERROR_TOO_LARGE,
                                  "the request has more than %u bytes; expected at most these",
                                  session->request_limit);
    }
    if (eof) {
        session->dialect = json_find_generation(session->dialects, false);
        return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                  "the stream ended inside an object, after %zu bytes", length);
    }
    return 0;
}

enum framing json_host_frame(struct server_session *session, const uint8_t *bytes, size_t length,
                             bool eof, size_t *frame_length, struct protocol_error *protocol_error)
{
    size_t end = 0;
    size_t max = (size_t)session->request_limit + 1; /* later bytes do not change the result */
    enum json_frame frame = json_frame(&session->scan, bytes, length < max ? length : max, &end);
    int error = 0;
    session->dialect =
        json_find_generation(session->dialects, json_frame_cid_is_text(&session->scan));
    switch (frame) {
    case JSON_FRAME_WHOLE:
        *frame_length = end;
        error = judge_whole(session, bytes, length, end, protocol_error);
        return error < 0 ? FRAMING_REFUSED : FRAMING_WHOLE;
    case JSON_FRAME_MORE:
        error = judge_part(session, length, eof, protocol_error);
        break;
    case JSON_FRAME_FOREIGN:
        error =
            protocol_error_set(protocol_error, ERROR_MALFORMED,
                               "the request is no JSON object; expected one that begins with {");
        break;
    case JSON_FRAME_DEEP:
        error = protocol_error_set(protocol_error, ERROR_MALFORMED,
                                   "the request is nested too deep; expected at most %d levels",
                                   JSON_DEPTH_MAX);
        break;
    }
    return error < 0 ? FRAMING_REFUSED : FRAMING_MORE;
}

int json_host_keep(const char *what, struct text text, size_t max, struct writer *kept,
                   struct text *ret, struct protocol_error *protocol_error)
{
    if (text.length > max) {
        return protocol_error_set(protocol_error, ERROR_INVALID_ARGUMENT,
                                  "%s has %zu bytes; expected at most %zu", what, text.length, max);
    }
    ret->bytes = (const char *)kept->bytes + kept->length;
    ret->length = text.length;
    writer_put(kept, text.bytes, text.length);
    assert(!kept->full); /* a decoded text is never longer than an encoded one */
    return 0;
}

int json_host_sha256(struct text digits, uint8_t ret[SHA256_SIZE],
                     struct protocol_error *protocol_error)
{
    if (sha256_parse(digits, ret) < 0) {
        return protocol_error_set(protocol_error, ERROR_INVALID_ARGUMENT,
                                  "the hash has %zu bytes; expected %d hex digits", digits.length,
                                  SHA256_HEX);
    }
    return 0;
}

/* The CID, and with its type the generation. */
static int read_cid(const struct dialect *const *table, const struct json *cid,
                    struct json_request *ret, struct protocol_error *protocol_error)
{
    struct text ignored;
    uint64_t number = 0;
    ret->dialect = json_find_generation(table, json_get_text(cid, &ignored) == 0);
    if (ret->dialect->json->read_cid(cid, &number) < 0) {
        return protocol_error_set(
            protocol_error, ERROR_MALFORMED,
            "sender_cid is missing or no CID; expected the sender's own, in decimal");
    }
    ret->cid = (uint32_t)number;
    return 0;
}

int json_read_request(const struct dialect *const *table, const uint8_t *frame, size_t length,
                      uint8_t *texts, struct json_request *ret,
                      struct protocol_error *protocol_error)
{
    struct json *document = NULL;
    const char *why = "";
    *ret = (struct json_request){.dialect = json_find_generation(table, false)};
    if (json_parse(frame, length, &document, &why) < 0) {
        return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                  "the request has %s; expected a JSON object", why);
    }
    /* The frame is overwritten only now, when the document holds a copy of it. */
    struct writer kept = {.bytes = texts, .size = length};
    int error = read_cid(table, json_member(document, "sender_cid"), ret, protocol_error);
    if (error == 0) {
        error = ret->dialect->json->read_message(json_member(document, "message"), &kept,
                                                 &ret->request, protocol_error);
    }
    (void)json_free(document);
    return error;
}

enum decoding json_host_decode(struct server_session *session, uint8_t *frame, size_t length,
                               struct request *request, struct protocol_error *protocol_error,
                               struct reply *reply)
{
    struct json_request read;
    (void)reply; /* JSON has no greeting */
    int error = json_read_request(session->dialects, frame, length, frame, &read, protocol_error);
    session->dialect = read.dialect;
    if (error == 0 && read.cid != session->peer_cid) {
        error = protocol_error_set(protocol_error, ERROR_FORBIDDEN,
                                   "sender_cid is %u; expected %u, from which the connection comes",
                                   read.cid, session->peer_cid);
    }
    if (error < 0) {
        return DECODING_REFUSED;
    }
    *request = read.request;
    return DECODING_REQUEST;
}

static int write_request(struct json *cid, struct json *message, struct reply *out)
{
    struct json *request = json_make_object();
    size_t before = out->length;
    json_put(&request, "sender_cid", cid);
    json_put(&request, "message", message);
    int error = json_write(request, out);
    if (error == 0 && out->length - before > JSON_REQUEST_MAX) {
        out->length = before;
        return -EMSGSIZE;
    }
    return error;
}

int json_guest_encode(struct client_session *session, const struct request *request,
                      struct reply *out)
{
    const struct dialect *dialect = session->dialect;
    if ((unsigned)request->command > COMMAND_LAST ||
        (dialect->carries >> request->command & 1U) == 0) {
        return -EOPNOTSUPP;
    }
    int error = request_check_texts(request);
    if (error < 0) {
        return error;
    }
    error = write_request(dialect->json->make_cid(session->local_cid),
                          dialect->json->make_message(request), out);
    if (error == 0) {
        session->command = request->command;
    }
    return error;
}

enum framing json_guest_frame(struct client_session *session, const uint8_t *bytes, size_t length,
                              bool eof, size_t *frame_length, struct protocol_error *protocol_error)
{
    size_t end = 0;
    enum json_frame frame = json_frame(&session->scan, bytes, length, &end);
    size_t read = frame == JSON_FRAME_WHOLE ? end : length;
    int error = 0;
    if (frame == JSON_FRAME_FOREIGN) {
        error = protocol_error_set(protocol_error, ERROR_MALFORMED, "the answer is no JSON");
    } else if (frame == JSON_FRAME_DEEP) {
        error = protocol_error_set(protocol_error, ERROR_MALFORMED,
                                   "the answer is nested too deep; expected at most %d levels",
                                   JSON_DEPTH_MAX);
    } else if (read > JSON_ANSWER_MAX) {
        error = protocol_error_set(
            protocol_error, ERROR_MALFORMED,
            "the answer is longer than any may be; expected at most %d bytes", JSON_ANSWER_MAX);
    } else if (frame == JSON_FRAME_WHOLE) {
        *frame_length = end;
        return FRAMING_WHOLE;
    } else if (eof && length > 0) {
        error = protocol_error_set(protocol_error, ERROR_MALFORMED,
                                   "the stream ended inside the answer, after %zu bytes", length);
    }
    return error < 0 ? FRAMING_REFUSED : FRAMING_MORE;
}

static int parse_answer(const uint8_t *frame, size_t length, struct json **ret,
                        struct protocol_error *protocol_error)
{
    const char *why = "";
    if (json_parse(frame, length, ret, &why) < 0) {
        return protocol_error_set(protocol_error, ERROR_MALFORMED, "the answer has %s", why);
    }
    return 0;
}

/* Copies a text of the answer to its frame. */
static struct text keep_text(struct text text, uint8_t *frame)
{
    if (text.length > 0) {
        memcpy(frame, text.bytes, text.length); /* decoded, and so no longer than the frame */
    }
    return (struct text){(const char *)frame, text.length};
}

int json_guest_decode(struct client_session *session, bool greeting, uint8_t *frame, size_t length,
                      struct answer *answer, struct protocol_error *protocol_error)
{
    (void)greeting; /* there is none */
    struct json *value = NULL;
    struct answer read;
    int error = parse_answer(frame, length, &value, protocol_error);
    if (error < 0) {
        return error;
    }
    error = session->dialect->json->read_answer(value, &read, protocol_error);
    error = error < 0 ? error : answer_judge_kind(session->command, &read, protocol_error);
    if (error == 0) {
        read.message = keep_text(read.message, frame);
        read.hostos_version = keep_text(read.hostos_version, frame + read.message.length);
        *answer = read;
    }
    (void)json_free(value);
    return error;
}

int json_read_answer(const struct dialect *const *table, const struct json *value,
                     const struct dialect **dialect, struct answer *ret,
                     struct protocol_error *protocol_error)
{
    int error = -EBADMSG;
    for (; error < 0 && *table != NULL; table++) {
        if ((*table)->json != NULL) {
            *dialect = *table;
            error = (*table)->json->read_answer(value, ret, protocol_error);
        }
    }
    return error;
}

/* A generation without the command has answers that only it gives; the others answer with their
 * version, or with an error. */
static int judge_probe(const struct dialect *dialect, const struct answer *answer, uint8_t *frame,
                       struct json_probe *ret, struct protocol_error *protocol_error)
{
    if ((dialect->carries >> COMMAND_GET_VSOCK_VERSION & 1U) == 0) {
        ret->dialect = dialect;
    } else if (answer->type == ANSWER_ERROR) {
        ret->error = *answer;
        ret->error.message = keep_text(answer->message, frame);
    } else if (answer->kind == PAYLOAD_HOSTOS_VSOCK_VERSION) {
        ret->dialect = dialect;
        ret->version = answer->vsock_version;
    } else {
        return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                  "the answer to GetVsockProtocol is none that a known host gives");
    }
    return 0;
}

int json_read_probe(const struct dialect *const *table, uint8_t *frame, size_t length,
                    struct json_probe *ret, struct protocol_error *protocol_error)
{
    struct json *value = NULL;
    const struct dialect *dialect = NULL;
    struct answer answer;
    *ret = (struct json_probe){.dialect = NULL};
    int error = parse_answer(frame, length, &value, protocol_error);
    if (error < 0) {
        return error;
    }
    error = json_read_answer(table, value, &dialect, &answer, protocol_error);
    error = error < 0 ? error : judge_probe(dialect, &answer, frame, ret, protocol_error);
    (void)json_free(value);
    return error;
}
