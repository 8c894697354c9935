/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/dialect.h"

#include "wire/text.h"

#include <errno.h>
#include <stdio.h>

struct writer reply_writer(const struct reply *reply)
{
    return (struct writer){.bytes = reply->bytes, .size = reply->size, .length = reply->length};
}

enum framing framing_await(size_t length, size_t whole, bool eof, size_t *frame_length,
                           struct protocol_error *protocol_error)
{
    if (length >= whole) {
        *frame_length = whole;
        return FRAMING_WHOLE;
    }
    if (!eof) {
        return FRAMING_MORE;
    }
    (void)protocol_error_set(protocol_error, ERROR_MALFORMED, /* its result is for decoders */
                             "the stream ended inside a frame, after %zu bytes; expected %zu",
                             length, whole);
    return FRAMING_REFUSED;
}

struct text answer_error_line(const struct answer *error, char out[ANSWER_LINE_MAX])
{
    int length = snprintf(out, ANSWER_LINE_MAX, "%s", error_name(error->code));
    size_t used = (size_t)length;
    if (error->message.length > 0) {
        used = (size_t)(stpcpy(out + used, ": ") - out);
        size_t kept = utf8_cut(error->message.bytes, error->message.length, ANSWER_LINE_MAX - used);
        memcpy(out + used, error->message.bytes, kept);
        used += kept;
    }
    return (struct text){out, used};
}

struct answer answer_error_of_line(struct text line)
{
    struct answer error = {.type = ANSWER_ERROR, .code = ERROR_INTERNAL, .message = line};
    for (unsigned code = ERROR_NONE + 1; code <= ERROR_LAST; code++) {
        const char *name = error_name(code);
        size_t length = strlen(name);
        if (line.length >= length + 2 && memcmp(line.bytes, name, length) == 0 &&
            memcmp(line.bytes + length, ": ", 2) == 0) {
            error.code = (uint16_t)code;
            error.message = (struct text){line.bytes + length + 2, line.length - length - 2};
        }
    }
    return error;
}

int request_check_texts(const struct request *request)
{
    if (!utf8_valid(request->url.bytes, request->url.length) ||
        !utf8_valid(request->message.bytes, request->message.length)) {
        return -EINVAL;
    }
    return request->url.length > URL_MAX || request->message.length > NOTIFY_MAX ? -EMSGSIZE : 0;
}

int answer_judge_kind(enum command command, const struct answer *answer,
                      struct protocol_error *protocol_error)
{
    enum payload_kind expected = command_answer(command);
    if (answer->type == ANSWER_RESPONSE && answer->kind != expected) {
        return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                  "the answer to %s is %s; expected %s", command_name(command),
                                  payload_name(answer->kind), payload_name(expected));
    }
    return 0;
}
