/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/field.h"

#include "wire/text.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

static_assert(sizeof(enum command) == sizeof(uint32_t),
              "a command is loaded and stored as 32 bits");
static_assert(sizeof(struct wire_version) == 2, "a version is its two bytes on the wire");
static_assert(sizeof(bool) == sizeof(uint8_t), "a flag is loaded and stored as 8 bits");

/* How one type is read and written. `member` is of the type's kind in memory. */
struct type_row {
    const char *name;
    size_t width;  /* on the wire; 0: it varies */
    size_t memory; /* of an integer: bytes in memory */
    int (*decode)(const struct field *field, const struct tlv *tlv, enum error_code code,
                  void *member, struct protocol_error *protocol_error);
    int (*encode)(const struct field *field, const void *member, struct writer *writer);
    bool (*is_set)(const void *member); /* where FIELD_IF_SET is used */
};
static const struct type_row types[FIELD_LAST + 1];

/* The largest value of an integer, or the most bytes of a text. */
static uint64_t upper_limit(const struct field *field)
{
    size_t width = types[field->type].width;
    if (field->max != 0) {
        return field->max;
    }
    return width == 0 ? UINT16_MAX : UINT64_MAX >> (64 - 8 * width);
}

static bool in_range(const struct field *field, uint64_t number)
{
    return number >= field->min && number <= upper_limit(field);
}

static uint64_t integer_load(const void *member, size_t size)
{
    return size == 1   ? *(const uint8_t *)member
           : size == 2 ? *(const uint16_t *)member
           : size == 4 ? *(const uint32_t *)member
                       : *(const uint64_t *)member;
}

static void integer_store(uint64_t number, void *member, size_t size)
{
    if (size == 1) {
        *(uint8_t *)member = (uint8_t)number;
    } else if (size == 2) {
        *(uint16_t *)member = (uint16_t)number;
    } else if (size == 4) {
        *(uint32_t *)member = (uint32_t)number;
    } else {
        *(uint64_t *)member = number;
    }
}

static int decode_integer(const struct field *field, const struct tlv *tlv, enum error_code code,
                          void *member, struct protocol_error *protocol_error)
{
    uint64_t number = integer_read(tlv->value, tlv->length);
    if (!in_range(field, number)) {
        return protocol_error_set(protocol_error, code,
                                  "field %u (%s) is %" PRIu64 "; expected %u to %" PRIu64,
                                  field->tag, field->name, number, field->min, upper_limit(field));
    }
    integer_store(number, member, types[field->type].memory);
    return 0;
}

static int encode_integer(const struct field *field, const void *member, struct writer *writer)
{
    uint64_t number = integer_load(member, types[field->type].memory);
    size_t width = types[field->type].width;
    if (!in_range(field, number)) {
        return -EINVAL;
    }
    tlv_put_header(writer, field->tag, width);
    writer_put_integer(writer, width, number);
    return 0;
}

static bool flag_is_set(const void *member)
{
    return *(const bool *)member;
}

/* A digest and a version are the same bytes on the wire and in memory. */
static int decode_bytes(const struct field *field, const struct tlv *tlv, enum error_code code,
                        void *member, struct protocol_error *protocol_error)
{
    (void)field;
    (void)code;
    (void)protocol_error; /* every value is allowed */
    memcpy(member, tlv->value, tlv->length);
    return 0;
}

static int encode_bytes(const struct field *field, const void *member, struct writer *writer)
{
    size_t width = types[field->type].width;
    tlv_put_header(writer, field->tag, width);
    writer_put(writer, member, width);
    return 0;
}

static bool text_valid(enum field_type type, struct text text)
{
    if (type == FIELD_TEXT) {
        return utf8_valid(text.bytes, text.length);
    }
    for (size_t i = 0; i < text.length; i++) {
        if (text.bytes[i] < ' ' || text.bytes[i] > '~') {
            return false;
        }
    }
    return true;
}

static int decode_text(const struct field *field, const struct tlv *tlv, enum error_code code,
                       void *member, struct protocol_error *protocol_error)
{
    struct text text = {(const char *)tlv->value, tlv->length};
    if (!text_valid(field->type, text)) {
        return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                  "field %u (%s) holds a byte that is not allowed; expected %s",
                                  field->tag, field->name, types[field->type].name);
    }
    if (!in_range(field, text.length)) {
        return protocol_error_set(protocol_error, code,
                                  "field %u (%s) has %u bytes; expected at most %u", field->tag,
                                  field->name, tlv->length, field->max);
    }
    *(struct text *)member = text;
    return 0;
}

static int encode_text(const struct field *field, const void *member, struct writer *writer)
{
    const struct text *text = member;
    if (!in_range(field, text->length)) {
        return -EMSGSIZE;
    }
    if (!text_valid(field->type, *text)) {
        return -EINVAL;
    }
    tlv_put_header(writer, field->tag, text->length);
    writer_put(writer, text->bytes, text->length);
    return 0;
}

static bool text_is_set(const void *member)
{
    return ((const struct text *)member)->length > 0;
}

/* Majors strictly falling, the last one above 0. */
static bool versions_valid(const struct wire_versions *versions)
{
    unsigned above = UINT8_MAX + 1;
    for (size_t i = 0; i < versions->count; i++) {
        if (versions->pair[i].major >= above) {
            return false;
        }
        above = versions->pair[i].major;
    }
    return versions->count >= 1 && above >= 1;
}

static int decode_versions(const struct field *field, const struct tlv *tlv, enum error_code code,
                           void *member, struct protocol_error *protocol_error)
{
    struct wire_versions versions = {.count = tlv->length / 2};
    (void)code; /* a bad list is malformed in every message */
    if (tlv->length % 2 != 0 || versions.count < 1 || versions.count > WIRE_VERSIONS_MAX) {
        return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                  "field %u (%s) has %u bytes; expected 1 to %d pairs of bytes",
                                  field->tag, field->name, tlv->length, WIRE_VERSIONS_MAX);
    }
    memcpy(versions.pair, tlv->value, tlv->length);
    if (!versions_valid(&versions)) {
        return protocol_error_set(
            protocol_error, ERROR_MALFORMED,
            "field %u (%s) is out of order; expected strictly falling majors from 1 on", field->tag,
            field->name);
    }
    *(struct wire_versions *)member = versions;
    return 0;
}

static int encode_versions(const struct field *field, const void *member, struct writer *writer)
{
    const struct wire_versions *versions = member;
    if (versions->count > WIRE_VERSIONS_MAX || !versions_valid(versions)) {
        return -EINVAL;
    }
    tlv_put_header(writer, field->tag, 2 * versions->count);
    writer_put(writer, versions->pair, 2 * versions->count);
    return 0;
}

static bool versions_is_set(const void *member)
{
    return ((const struct wire_versions *)member)->count > 0;
}

static int decode_release(const struct field *field, const struct tlv *tlv, enum error_code code,
                          void *member, struct protocol_error *protocol_error)
{
    (void)field;
    (void)code;
    (void)protocol_error; /* every value is allowed */
    *(struct release_version *)member =
        (struct release_version){integer_read_32(tlv->value), integer_read_32(tlv->value + 4),
                                 integer_read_32(tlv->value + 8)};
    return 0;
}

static int encode_release(const struct field *field, const void *member, struct writer *writer)
{
    const struct release_version *release = member;
    tlv_put_header(writer, field->tag, types[field->type].width);
    writer_put_integer(writer, sizeof release->major, release->major);
    writer_put_integer(writer, sizeof release->minor, release->minor);
    writer_put_integer(writer, sizeof release->patch, release->patch);
    return 0;
}

#define INTEGER(bytes, type) (bytes), sizeof(type), decode_integer, encode_integer
static const struct type_row types[FIELD_LAST + 1] = {
    [FIELD_FLAG] = {"u8", INTEGER(1, bool), flag_is_set},
    [FIELD_COMMAND] = {"u16", INTEGER(2, enum command), NULL},
    [FIELD_KIND] = {"u16", INTEGER(2, uint16_t), NULL},
    [FIELD_PHASE] = {"u16", INTEGER(2, uint16_t), NULL},
    [FIELD_CODE] = {"u16", INTEGER(2, uint16_t), NULL},
    [FIELD_U32] = {"u32", INTEGER(4, uint32_t), NULL},
    [FIELD_U64] = {"u64", INTEGER(8, uint64_t), NULL},
    [FIELD_SHA256] = {"32 bytes", SHA256_SIZE, 0, decode_bytes, encode_bytes, NULL},
    [FIELD_TEXT] = {"UTF-8 without NUL", 0, 0, decode_text, encode_text, text_is_set},
    [FIELD_PRINTABLE] = {"printable ASCII", 0, 0, decode_text, encode_text, text_is_set},
    [FIELD_VERSION] = {"major u8, minor u8", 2, 0, decode_bytes, encode_bytes, NULL},
    [FIELD_VERSIONS] = {"pairs of major u8, minor u8", 0, 0, decode_versions, encode_versions,
                        versions_is_set},
    [FIELD_RELEASE] = {"major, minor, patch: u32 each", 12, 0, decode_release, encode_release,
                       NULL},
};

const char *field_type_name(enum field_type type)
{
    return types[type].name;
}

size_t field_type_width(enum field_type type)
{
    return types[type].width;
}

int field_decode(const struct field *field, const struct tlv *tlv, enum error_code code,
                 void *message, struct protocol_error *protocol_error)
{
    const struct type_row *type = &types[field->type];
    if (type->width != 0 && tlv->length != type->width) {
        return protocol_error_set(protocol_error, ERROR_MALFORMED,
                                  "field %u (%s) has %u bytes; expected %zu", field->tag,
                                  field->name, tlv->length, type->width);
    }
    int error = type->decode(field, tlv, code, (char *)message + field->member, protocol_error);
    if (error == 0 && field->presence == FIELD_IF_MARKED) {
        *(bool *)((char *)message + field->mark) = true;
    }
    return error;
}

int field_encode(const struct field *field, const void *message, struct writer *writer)
{
    const struct type_row *type = &types[field->type];
    const void *member = (const char *)message + field->member;
    if (field->presence == FIELD_IF_MARKED && !flag_is_set((const char *)message + field->mark)) {
        return 0;
    }
    if (field->presence == FIELD_IF_SET && !type->is_set(member)) {
        return 0;
    }
    return type->encode(field, member, writer);
}
