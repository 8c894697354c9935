/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded cursors over a caller's bytes, and big-endian integers. A reader compares every length with
 * what is left and never adds to a length of the peer's. A writer without room stays `full`: the
 * encoder checks that once, at the end, and discards what was written. */
#ifndef WIRE_CURSOR_H
#define WIRE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

struct writer {
    uint8_t *bytes;
    size_t size;
    size_t length;
    bool full;
};

/* Room for the next `length` bytes, which the caller fills, or NULL. */
static inline uint8_t *writer_take(struct writer *writer, size_t length)
{
    if (length > writer->size - writer->length) {
        writer->full = true;
        return NULL;
    }
    uint8_t *taken = writer->bytes + writer->length;
    writer->length += length;
    return taken;
}

/* Writes `number` big-endian into `width` bytes, 1 to 8. */
static inline void integer_write(uint8_t *bytes, size_t width, uint64_t number)
{
    for (size_t i = width; i-- > 0; number >>= 8) {
        bytes[i] = (uint8_t)number;
    }
}

static inline void writer_put_integer(struct writer *writer, size_t width, uint64_t number)
{
    uint8_t *bytes = writer_take(writer, width);
    if (bytes != NULL) {
        integer_write(bytes, width, number);
    }
}

static inline void writer_put(struct writer *writer, const void *bytes, size_t length)
{
    uint8_t *taken = writer_take(writer, length);
    if (taken != NULL && length > 0) {
        memcpy(taken, bytes, length);
    }
}

#endif
