/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded cursor that reads a caller's bytes, and big-endian integers.
 *
 * Every length is compared with what is left; nothing is ever added to a length of the peer's.
 *
 * Threads  values.
 * Owner    the bytes are the caller's; nothing is copied or allocated.
 */
#ifndef WIRE_READER_H
#define WIRE_READER_H

#include <stddef.h>
#include <stdint.h>

struct reader {
    const uint8_t *at;
    size_t left;
};

/* The next `length` bytes, or NULL, with nothing taken, when fewer are left. */
static inline const uint8_t *reader_take(struct reader *reader, size_t length)
{
    if (length > reader->left) {
        return NULL;
    }
    const uint8_t *taken = reader->at;
    reader->at += length;
    reader->left -= length;
    return taken;
}

/* The big-endian integer in `width` bytes, 1 to 8. */
static inline uint64_t integer_read(const uint8_t *bytes, size_t width)
{
    uint64_t number = 0;
    for (size_t i = 0; i < width; i++) {
        number = number << 8 | bytes[i];
    }
    return number;
}

static inline uint16_t integer_read_16(const uint8_t bytes[2])
{
    return (uint16_t)integer_read(bytes, 2);
}

static inline uint32_t integer_read_32(const uint8_t bytes[4])
{
    return (uint32_t)integer_read(bytes, 4);
}

#endif
