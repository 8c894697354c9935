/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/json_host.h"

#include "compat/json_0.h"
#include "compat/json_1.h"
#include "compat/json_frame.h"
#include "wire/hex.h"

#include <assert.h>
#include <errno.h>

static bool all_blank(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!json_frame_is_blank(bytes[i])) {
            return false;
        }
    }
    return true;
}

static int judge_whole(const struct server_session *session, const uint8_t *bytes, size_t length,
                       size_t end, struct refusal *refusal)
{
    if (end > session->request_limit) {
        return refusal_set(refusal, ERROR_TOO_LARGE,
                           "the request has %zu bytes; expected at most %u", end,
                           session->request_limit);
    }
    if (!all_blank(bytes + end, length - end)) {
        return refusal_set(refusal, ERROR_MALFORMED,
                           "bytes follow the request's object; expected one object alone");
    }
    return 0;
}

static int judge_part(struct server_session *session, size_t length, bool eof,
                      struct refusal *refusal)
{
    if (length > session->request_limit) {
        return refusal_set(refusal, ERROR_TOO_LARGE,
                           "the request has more than %u bytes; expected at most these",
                           session->request_limit);
    }
    if (eof) {
        session->dialect = &dialect_json_1; /* what cannot be parsed */
        return refusal_set(refusal, ERROR_MALFORMED,
                           "the stream ended inside an object, after %zu bytes", length);
    }
    return 0;
}

enum framing json_host_frame(struct server_session *session, const uint8_t *bytes, size_t length,
                             bool eof, size_t *frame_length, struct refusal *refusal)
{
    size_t end = 0;
    size_t most = (size_t)session->request_limit + 1; /* what is further on changes nothing */
    enum json_frame frame = json_frame(&session->scan, bytes, length < most ? length : most, &end);
    int error = 0;
    session->dialect = json_frame_cid_is_text(&session->scan) ? &dialect_json_0 : &dialect_json_1;
    switch (frame) {
    case JSON_FRAME_WHOLE:
        *frame_length = end;
        error = judge_whole(session, bytes, length, end, refusal);
        return error < 0 ? FRAMING_REFUSED : FRAMING_WHOLE;
    case JSON_FRAME_MORE:
        error = judge_part(session, length, eof, refusal);
        break;
    case JSON_FRAME_FOREIGN:
        error = refusal_set(refusal, ERROR_MALFORMED,
                            "the request is no JSON object; expected one that begins with {");
        break;
    case JSON_FRAME_DEEP:
        error = refusal_set(refusal, ERROR_MALFORMED,
                            "the request is nested too deep; expected at most %d levels",
                            JSON_DEPTH_MAX);
        break;
    }
    return error < 0 ? FRAMING_REFUSED : FRAMING_MORE;
}

int json_host_keep(const char *what, struct text text, size_t max, struct writer *kept,
                   struct text *ret, struct refusal *refusal)
{
    if (text.length > max) {
        return refusal_set(refusal, ERROR_INVALID_ARGUMENT,
                           "%s has %zu bytes; expected at most %zu", what, text.length, max);
    }
    ret->bytes = (const char *)kept->bytes + kept->length;
    ret->length = text.length;
    writer_put(kept, text.bytes, text.length);
    assert(!kept->full); /* a decoded text is never longer than an encoded one */
    return 0;
}

int json_host_sha256(struct text digits, uint8_t ret[SHA256_SIZE], struct refusal *refusal)
{
    if (sha256_parse(digits, ret) < 0) {
        return refusal_set(refusal, ERROR_INVALID_ARGUMENT,
                           "the hash has %zu bytes; expected %d hex digits", digits.length,
                           SHA256_HEX);
    }
    return 0;
}

static int refuse_cid(struct refusal *refusal)
{
    return refusal_set(refusal, ERROR_MALFORMED,
                       "sender_cid is missing or no CID; expected the sender's own, in decimal");
}

/* The CID, and with it the generation. */
static int read_cid(const struct json *cid, struct json_request *ret, struct refusal *refusal)
{
    struct text digits;
    uint64_t number = 0;
    ret->older = json_get_text(cid, &digits) == 0;
    int error = ret->older ? json_0_read_number(digits, &number)
                           : json_get_number(cid, UINT32_MAX, &number);
    if (error < 0) {
        return refuse_cid(refusal);
    }
    ret->cid = (uint32_t)number;
    return 0;
}

static int read_document(const struct json *document, struct writer *kept, struct json_request *ret,
                         struct refusal *refusal)
{
    const struct json *message = json_member(document, "message");
    int error = read_cid(json_member(document, "sender_cid"), ret, refusal);
    if (error < 0) {
        return error;
    }
    return ret->older ? json_0_read_message(message, kept, &ret->request, refusal)
                      : json_1_read_message(message, kept, &ret->request, refusal);
}

int json_host_read(const uint8_t *frame, size_t length, uint8_t *texts, struct json_request *ret,
                   struct refusal *refusal)
{
    struct json *document = NULL;
    const char *why = "";
    *ret = (struct json_request){.older = false};
    if (json_parse(frame, length, &document, &why) < 0) {
        return refusal_set(refusal, ERROR_MALFORMED, "the request has %s; expected a JSON object",
                           why);
    }
    /* The document holds all that the frame did. */
    struct writer kept = {.bytes = texts, .size = length};
    int error = read_document(document, &kept, ret, refusal);
    (void)json_free(document);
    return error;
}

enum decoding json_host_decode(struct server_session *session, uint8_t *frame, size_t length,
                               struct request *request, struct refusal *refusal,
                               struct reply *reply)
{
    struct json_request read;
    (void)reply; /* JSON has no greeting */
    int error = json_host_read(frame, length, frame, &read, refusal);
    session->dialect = read.older ? &dialect_json_0 : &dialect_json_1;
    if (error == 0 && read.cid != session->peer_cid) {
        error = refusal_set(refusal, ERROR_FORBIDDEN,
                            "sender_cid is %u; expected %u, from which the connection comes",
                            read.cid, session->peer_cid);
    }
    if (error < 0) {
        return DECODING_REFUSED;
    }
    *request = read.request;
    return DECODING_REQUEST;
}
