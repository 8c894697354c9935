/* SPDX-License-Identifier: Apache-2.0 */
/* Which fields each message has: the one table that the encoder, the decoder, vsock_guest decode
 * and docs/protocol.md agree with.
 *
 * Threads  constant tables and pure functions.
 * Source   docs/protocol.md, "Messages".
 */
#ifndef WIRE_LAYOUT_H
#define WIRE_LAYOUT_H

#include "wire/field.h"
#include "wire/frame.h"

enum {
    LAYOUT_SELECTOR_TAG = 2,
    HELLO_PAYLOAD_MAX = 127, /* so that every byte of a HELLO is below 0x80 */
    HELLO_AGENT_MAX = 64,
};

/* What a HELLO says. */
struct hello {
    struct wire_versions versions;
    struct text agent; /* empty: absent */
};

/* What a WELCOME says. */
struct welcome {
    struct wire_version version;
    struct text agent; /* empty: absent */
    bool has_request_limit;
    uint32_t request_limit; /* bytes of a REQUEST's payload */
};

/* The fields of a message, in the order of their tags. Members are offsets into struct hello,
 * struct welcome, struct request (REQUEST) or struct answer (ERROR, PROGRESS, RESPONSE). */
struct layout {
    const char *name;         /* such as "upgrade", "HostOSVersion" or "HELLO" */
    enum error_code range;    /* what a value outside a field's limits is called */
    const struct field *rows; /* `count` of them */
    size_t count;
};

/* The layout of a frame type; in a REQUEST and a RESPONSE field 2, the command or the payload kind,
 * selects it. NULL for what this release does not know. */
const struct layout *layout_find(unsigned frame_type, unsigned selector);

/* True for the two frame types whose field 2 selects the layout. */
bool layout_needs_selector(unsigned frame_type);

/* The row of a tag, or NULL. */
const struct field *layout_row(const struct layout *layout, unsigned tag);

/* Field 2, u16, of a payload. 0 or -EBADMSG with *refusal set. */
MUST_CHECK int layout_selector(unsigned frame_type, const uint8_t *payload, size_t length,
                               uint16_t *ret, struct protocol_error *protocol_error);

/* Reads a whole payload into `message`, whose optional members the caller has emptied. -EBADMSG
 * with *refusal set, the message then being half written. When more than one thing is wrong,
 * malformed comes first, and then what comes first in the payload. */
MUST_CHECK int layout_decode(const struct layout *layout, const uint8_t *payload, size_t length,
                             void *message, struct protocol_error *protocol_error);

/* Judges the TLV stream alone, whatever its tags mean. */
MUST_CHECK int layout_check_stream(const uint8_t *payload, size_t length,
                                   struct protocol_error *protocol_error);

/* Writes a payload. 0, -EINVAL or -EMSGSIZE as field_encode. */
MUST_CHECK int layout_encode(const struct layout *layout, const void *message,
                             struct writer *writer);

#endif
