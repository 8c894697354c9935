/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/json_guest.h"

#include "compat/json_0.h"
#include "compat/json_1.h"
#include "compat/json_frame.h"

#include <errno.h>

int json_guest_write(struct json *cid, struct json *message, struct reply *out)
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

enum framing json_guest_frame(struct client_session *session, const uint8_t *bytes, size_t length,
                              bool eof, size_t *frame_length, struct refusal *refusal)
{
    size_t end = 0;
    enum json_frame frame = json_frame(&session->scan, bytes, length, &end);
    size_t read = frame == JSON_FRAME_WHOLE ? end : length;
    int error = 0;
    if (frame == JSON_FRAME_FOREIGN) {
        error = refusal_set(refusal, ERROR_MALFORMED, "the answer is no JSON");
    } else if (frame == JSON_FRAME_DEEP) {
        error = refusal_set(refusal, ERROR_MALFORMED,
                            "the answer is nested too deep; expected at most %d levels",
                            JSON_DEPTH_MAX);
    } else if (read > JSON_ANSWER_MAX) {
        error = refusal_set(refusal, ERROR_MALFORMED,
                            "the answer is longer than any may be; expected at most %d bytes",
                            JSON_ANSWER_MAX);
    } else if (frame == JSON_FRAME_WHOLE) {
        *frame_length = end;
        return FRAMING_WHOLE;
    } else if (eof && length > 0) {
        error = refusal_set(refusal, ERROR_MALFORMED,
                            "the stream ended inside the answer, after %zu bytes", length);
    }
    return error < 0 ? FRAMING_REFUSED : FRAMING_MORE;
}

int json_guest_parse(const uint8_t *frame, size_t length, struct json **ret,
                     struct refusal *refusal)
{
    const char *why = "";
    if (json_parse(frame, length, ret, &why) < 0) {
        return refusal_set(refusal, ERROR_MALFORMED, "the answer has %s", why);
    }
    return 0;
}

struct text json_guest_keep(struct text text, uint8_t *frame)
{
    if (text.length > 0) {
        memcpy(frame, text.bytes, text.length); /* decoded, and so no longer than the frame */
    }
    return (struct text){(const char *)frame, text.length};
}

static int refuse_probe(struct refusal *refusal)
{
    return refusal_set(refusal, ERROR_MALFORMED,
                       "the answer to GetVsockProtocol is none that a known host gives");
}

/* json-1 answers with its version, or with an error. */
static int read_newer(const struct answer *answer, uint8_t *frame, struct json_probe *ret,
                      struct refusal *refusal)
{
    if (answer->type == ANSWER_ERROR) {
        ret->error = *answer;
        ret->error.message = json_guest_keep(answer->message, frame);
        return 0;
    }
    if (answer->kind != PAYLOAD_HOSTOS_VSOCK_VERSION) {
        return refuse_probe(refusal);
    }
    ret->dialect = &dialect_json_1;
    ret->version = answer->vsock_version;
    return 0;
}

int json_guest_read_probe(uint8_t *frame, size_t length, struct json_probe *ret,
                          struct refusal *refusal)
{
    struct json *value = NULL;
    struct answer answer;
    int error = json_guest_parse(frame, length, &value, refusal);
    if (error < 0) {
        return error;
    }
    *ret = (struct json_probe){.dialect = NULL};
    if (json_0_read_answer(value, &answer, refusal) == 0) {
        ret->dialect = &dialect_json_0;
    } else {
        error = json_1_read_answer(value, &answer, refusal);
        error = error < 0 ? error : read_newer(&answer, frame, ret, refusal);
    }
    (void)json_free(value);
    return error;
}
