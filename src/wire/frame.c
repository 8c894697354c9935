/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/frame.h"
#include "wire/reader.h"
#include "wire/writer.h"

enum { MINOR_AT = 5, TYPE_AT = 6, ID_AT = 8, LENGTH_AT = 12 };

bool frame_begins(const uint8_t *bytes, size_t length)
{
    return memcmp(bytes, FRAME_MAGIC, length < FRAME_MAGIC_SIZE ? length : FRAME_MAGIC_SIZE) == 0;
}

void frame_header_decode(const uint8_t bytes[FRAME_HEADER_SIZE], struct frame_header *ret)
{
    ret->version = (struct wire_version){bytes[FRAME_MAJOR_AT], bytes[MINOR_AT]};
    ret->type = integer_read_16(bytes + TYPE_AT);
    ret->id = integer_read_32(bytes + ID_AT);
    ret->length = integer_read_32(bytes + LENGTH_AT);
}

void frame_header_encode(const struct frame_header *header, uint8_t out[FRAME_HEADER_SIZE])
{
    memcpy(out, FRAME_MAGIC, FRAME_MAGIC_SIZE);
    out[FRAME_MAJOR_AT] = header->version.major;
    out[MINOR_AT] = header->version.minor;
    integer_write(out + TYPE_AT, sizeof(header->type), header->type);
    integer_write(out + ID_AT, sizeof(header->id), header->id);
    integer_write(out + LENGTH_AT, sizeof(header->length), header->length);
}

const char *frame_type_name(unsigned type)
{
    static const struct {
        enum frame_type type;
        const char *name;
    } names[] = {
        {FRAME_HELLO, "HELLO"},     {FRAME_WELCOME, "WELCOME"},   {FRAME_ERROR, "ERROR"},
        {FRAME_REQUEST, "REQUEST"}, {FRAME_PROGRESS, "PROGRESS"}, {FRAME_RESPONSE, "RESPONSE"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names)[0]; i++) {
        if (names[i].type == type) {
            return names[i].name;
        }
    }
    return NULL;
}
