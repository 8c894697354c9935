/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/frame.h"

#include "wire/cursor.h"

#include <errno.h>
#include <stdio.h>

const struct wire_versions wire_versions_spoken = {.count = 1, .pair = {{.major = 1, .minor = 0}}};

/* Both lists have falling majors: the higher head is the one that the other side lacks. */
int version_agree(const struct wire_versions *ours, const struct wire_versions *theirs,
                  struct wire_version *ret)
{
    size_t i = 0;
    size_t j = 0;
    while (i < ours->count && j < theirs->count) {
        struct wire_version a = ours->pair[i];
        struct wire_version b = theirs->pair[j];
        if (a.major == b.major) {
            *ret = a.minor < b.minor ? a : b;
            return 0;
        }
        if (a.major > b.major) {
            i++;
        } else {
            j++;
        }
    }
    return -EPROTONOSUPPORT;
}

bool version_was_offered(const struct wire_versions *ours, struct wire_version version)
{
    for (size_t i = 0; i < ours->count; i++) {
        if (ours->pair[i].major == version.major) {
            return version.minor <= ours->pair[i].minor;
        }
    }
    return false;
}

bool version_equal(struct wire_version a, struct wire_version b)
{
    return a.major == b.major && a.minor == b.minor;
}

void versions_format(const struct wire_versions *versions, char out[VERSIONS_TEXT_MAX])
{
    size_t length = 0;
    out[0] = '\0';
    for (size_t i = 0; i < versions->count && i < WIRE_VERSIONS_MAX; i++) {
        int added = snprintf(out + length, VERSIONS_TEXT_MAX - length, "%s%u.%u", i > 0 ? ", " : "",
                             versions->pair[i].major, versions->pair[i].minor);
        length += added > 0 ? (size_t)added : 0;
    }
}

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
    integer_write(out + TYPE_AT, sizeof header->type, header->type);
    integer_write(out + ID_AT, sizeof header->id, header->id);
    integer_write(out + LENGTH_AT, sizeof header->length, header->length);
}

const char *frame_type_name(unsigned type)
{
    static const char *const names[] = {
        [FRAME_HELLO] = "HELLO",     [FRAME_WELCOME] = "WELCOME",   [FRAME_ERROR] = "ERROR",
        [FRAME_REQUEST] = "REQUEST", [FRAME_PROGRESS] = "PROGRESS", [FRAME_RESPONSE] = "RESPONSE",
    };
    return type < sizeof names / sizeof names[0] ? names[type] : NULL;
}
