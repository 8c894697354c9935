/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of each message (docs/protocol.md, "Messages"): the table behind the encoder, the
 * decoder and vsock_guest decode. */
#ifndef WIRE_LAYOUT_H
#define WIRE_LAYOUT_H

#include "wire/field.h"
#include "wire/frame.h"

enum {
    LAYOUT_SELECTOR_TAG = 2,
    HELLO_PAYLOAD_MAX = 127, /* so that every byte of a HELLO is below 0x80 */
    HELLO_AGENT_MAX = 64,
};

struct hello {
    struct wire_versions versions;
    struct text agent; /* empty: absent */
};

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
    enum error_code range;    /* the error for a value outside a field's limits */
    const struct field *rows; /* `count` of them */
    size_t count;
};

/* The layout of a frame type. In a REQUEST and a RESPONSE field 2, the command or the payload kind,
 * selects it. NULL: not known to this release. */
const struct layout *layout_find(unsigned frame_type, unsigned selector);

bool layout_needs_selector(unsigned frame_type);

const struct field *layout_row(const struct layout *layout, unsigned tag);

/* The functions below return 0, or -EBADMSG with *protocol_error set. */

/* Reads field 2, u16. */
MUST_CHECK int layout_selector(unsigned frame_type, const uint8_t *payload, size_t length,
                               uint16_t *ret, struct protocol_error *protocol_error);

/* Reads a payload into `message`, whose optional members are empty; on an error the message is half
 * written. Of several errors malformed is reported first, then the first one in the payload. */
MUST_CHECK int layout_decode(const struct layout *layout, const uint8_t *payload, size_t length,
                             void *message, struct protocol_error *protocol_error);

/* Checks the TLV stream alone, not what its tags mean. */
MUST_CHECK int layout_check_stream(const uint8_t *payload, size_t length,
                                   struct protocol_error *protocol_error);

/* 0, -EINVAL or -EMSGSIZE as field_encode. */
MUST_CHECK int layout_encode(const struct layout *layout, const void *message,
                             struct writer *writer);

#endif
