/* SPDX-License-Identifier: Apache-2.0 */
/* The 16-byte header of a TLV frame, the same in every major from 1 on (docs/protocol.md, "Frames"),
 * and the versions of the TLV wire. */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include "wire/attributes.h"
#include "wire/message.h"

/* The versions that HELLO offers and ERROR unsupported_version lists, the highest first. */
extern const struct wire_versions wire_versions_spoken;

/* The highest major in both lists with the lower of its two minors; -EPROTONOSUPPORT: none. */
MUST_CHECK int version_agree(const struct wire_versions *ours, const struct wire_versions *theirs,
                             struct wire_version *ret);

/* True if a peer may answer the offer `ours` with `version`. */
bool version_was_offered(const struct wire_versions *ours, struct wire_version version);

bool version_equal(struct wire_version a, struct wire_version b);

enum { VERSIONS_TEXT_MAX = WIRE_VERSIONS_MAX * sizeof "255.255, " };

/* "2.0, 1.3" */
void versions_format(const struct wire_versions *versions, char out[VERSIONS_TEXT_MAX]);

#define FRAME_MAGIC "VSCK"

enum {
    FRAME_MAGIC_SIZE = 4,
    FRAME_HEADER_SIZE = 16,
    FRAME_PAYLOAD_MAX = 65536,
    FRAME_REQUEST_MAX = 16384, /* a REQUEST's payload, unless WELCOME has another limit */
    FRAME_MAJOR_AT = 4,        /* offset of the major; 0 there: another header follows */
    FRAME_BYTES_MAX = FRAME_HEADER_SIZE + FRAME_PAYLOAD_MAX,
};

enum frame_type {
    FRAME_HELLO = 0x0001,
    FRAME_WELCOME = 0x0002,
    FRAME_ERROR = 0x0003,
    FRAME_REQUEST = 0x0010,
    FRAME_PROGRESS = 0x0011,
    FRAME_RESPONSE = 0x0012,
};

struct frame_header {
    struct wire_version version;
    uint16_t type; /* enum frame_type, or one that this release does not know */
    uint32_t id;
    uint32_t length; /* of the payload */
};

/* True if the first 4 bytes, or fewer, can begin a frame. */
bool frame_begins(const uint8_t *bytes, size_t length);

/* Does not check the magic: see frame_begins. */
void frame_header_decode(const uint8_t bytes[FRAME_HEADER_SIZE], struct frame_header *ret);
void frame_header_encode(const struct frame_header *header, uint8_t out[FRAME_HEADER_SIZE]);

/* NULL: a type that this release does not know. */
const char *frame_type_name(unsigned type);

#endif
