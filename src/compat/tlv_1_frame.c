/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/tlv_1_frame.h"
#include "wire/version.h"

#include <stdio.h>

enum { TYPE_TEXT_MAX = 24 };

/* Such as "REQUEST" or "type 0x0033". */
static const char *type_text(unsigned type, char buffer[TYPE_TEXT_MAX])
{
    const char *name = frame_type_name(type);
    if (name != NULL) {
        return name;
    }
    (void)snprintf(buffer, TYPE_TEXT_MAX, "type 0x%04x", type);
    return buffer;
}

int tlv_1_refuse_type(unsigned type, const char *expected, struct refusal *refusal)
{
    char buffer[TYPE_TEXT_MAX];
    return refusal_set(refusal, ERROR_MALFORMED, "a frame is %s; expected %s",
                       type_text(type, buffer), expected);
}

int tlv_1_refuse_version(struct wire_version version, struct wire_version agreed,
                         struct refusal *refusal)
{
    return refusal_set(refusal, ERROR_MALFORMED,
                       "a frame's header says version %u.%u; expected %u.%u, which was agreed",
                       version.major, version.minor, agreed.major, agreed.minor);
}

static int refuse_cut(size_t length, size_t expected, struct refusal *refusal)
{
    return refusal_set(refusal, ERROR_MALFORMED,
                       "the stream ended inside a frame, after %zu bytes; expected %zu", length,
                       expected);
}

int tlv_1_refuse_large(enum error_code code, uint32_t length, uint32_t limit,
                       struct refusal *refusal)
{
    return refusal_set(refusal, code, "a frame's payload has %u bytes; expected at most %u", length,
                       limit);
}

enum framing tlv_1_take_header(const uint8_t *bytes, size_t length, bool eof, bool first,
                               struct frame_header *ret, struct refusal *refusal)
{
    int error = 0;
    if (!frame_begins(bytes, length)) {
        error = refusal_set(refusal, ERROR_MALFORMED,
                            "a frame's magic is wrong; expected the bytes " FRAME_MAGIC);
    } else if (first && length > FRAME_MAJOR_AT && bytes[FRAME_MAJOR_AT] == 0) {
        error = refusal_set(refusal, ERROR_UNSUPPORTED_VERSION,
                            "the first frame's header says major 0; expected a major from 1 on");
    } else if (length >= FRAME_HEADER_SIZE) {
        frame_header_decode(bytes, ret);
        return FRAMING_WHOLE;
    } else if (eof) {
        error = refuse_cut(length, FRAME_HEADER_SIZE, refusal);
    }
    return error < 0 ? FRAMING_REFUSED : FRAMING_MORE;
}

enum framing tlv_1_take_payload(const struct frame_header *header, size_t length, bool eof,
                                size_t *frame_length, struct refusal *refusal)
{
    size_t whole = FRAME_HEADER_SIZE + (size_t)header->length; /* judged: far from overflow */
    if (length >= whole) {
        *frame_length = whole;
        return FRAMING_WHOLE;
    }
    if (eof) {
        (void)refuse_cut(length, whole, refusal); /* its result is for decoders */
        return FRAMING_REFUSED;
    }
    return FRAMING_MORE;
}

struct writer tlv_1_writer_of(const struct reply *reply)
{
    return (struct writer){.bytes = reply->bytes, .size = reply->size, .length = reply->length};
}

struct wire_version tlv_1_header_version(struct wire_version agreed)
{
    return agreed.major != 0 ? agreed : wire_versions_spoken.pair[0];
}
