/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded cursor that writes into a caller's buffer.
 *
 * A writer that had no room once stays `full`: the encoders write on, look at it once, at the end,
 * and then throw away what was written.
 *
 * Threads  values.
 * Owner    the buffer is the caller's.
 */
#ifndef WIRE_WRITER_H
#define WIRE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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
