/* SPDX-License-Identifier: Apache-2.0 */
/* One field of a message, on the wire and in memory. The rows are in layout.c. A decoded text points
 * into the payload. */
#ifndef WIRE_FIELD_H
#define WIRE_FIELD_H

#include "wire/protocol_error.h"
#include "wire/tlv.h"

enum field_type {                  /* on the wire; in memory */
                  FIELD_FLAG,      /* u8, 0 or 1; bool */
                  FIELD_COMMAND,   /* u16; enum command */
                  FIELD_KIND,      /* u16, enum payload_kind or unknown; uint16_t */
                  FIELD_PHASE,     /* u16, enum phase or unknown; uint16_t */
                  FIELD_CODE,      /* u16, enum error_code or unknown; uint16_t */
                  FIELD_U32,       /* u32; uint32_t */
                  FIELD_U64,       /* u64; uint64_t */
                  FIELD_SHA256,    /* 32 bytes; uint8_t[32] */
                  FIELD_TEXT,      /* UTF-8 without NUL; struct text */
                  FIELD_PRINTABLE, /* ASCII from space to tilde; struct text */
                  FIELD_VERSION,   /* major u8, minor u8; struct wire_version */
                  FIELD_VERSIONS,  /* 1 to 16 versions, falling majors; struct wire_versions */
                  FIELD_RELEASE,   /* major, minor, patch, u32 each; struct release_version */
};
enum { FIELD_LAST = FIELD_RELEASE };

enum field_presence {
    FIELD_MANDATORY,
    FIELD_IF_MARKED, /* present if the bool at `mark` in the message is true */
    FIELD_IF_SET,    /* absent if it is false, or has no bytes or no pairs */
};

struct field {
    enum field_type type;
    enum field_presence presence;
    const char *name;
    size_t member; /* offset in the message's struct */
    size_t mark;   /* offset, of FIELD_IF_MARKED */
    uint16_t tag;
    uint16_t min; /* of an integer */
    uint16_t max; /* bytes of a text, value of a flag; 0: what the type holds */
};

const char *field_type_name(enum field_type type);
size_t field_type_width(enum field_type type); /* bytes on the wire; 0: it varies */

/* Sets the member of `message`. `code`: the error for a value outside min and max (a wrong width or
 * encoding is always malformed). 0, or -EBADMSG with *protocol_error set. */
MUST_CHECK int field_decode(const struct field *field, const struct tlv *tlv, enum error_code code,
                            void *message, struct protocol_error *protocol_error);

/* Writes the field, or nothing when it is absent. -EINVAL: a value that the protocol does not allow.
 * -EMSGSIZE: a text over its limit. A full buffer sets writer->full. */
MUST_CHECK int field_encode(const struct field *field, const void *message, struct writer *writer);

#endif
