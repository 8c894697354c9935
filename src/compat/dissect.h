/* SPDX-License-Identifier: Apache-2.0 */
/* Captured bytes as text, frame by frame and field by field, for `vsock_guest decode`. Everything
 * that comes from the capture is checked and escaped. */
#ifndef COMPAT_DISSECT_H
#define COMPAT_DISSECT_H

#include "compat/dialect.h"

enum { DISSECT_LINE_MAX = 1024 };

/* Where the lines go, without their newlines. */
struct dissector {
    void (*line)(void *context, const char *line);
    void *context;
};

enum dissected {
    DISSECTED_MORE,  /* the frame is not complete */
    DISSECTED_SOUND, /* *taken bytes were a valid frame */
    DISSECTED_WRONG, /* *taken bytes were a frame; a line says what is wrong with it */
    DISSECTED_LOST,  /* a line says why; the start of the next frame is not known */
};

/* `offset`: of bytes[0] in the capture. `eof`: no more bytes follow; then never DISSECTED_MORE. At
 * least one byte is there. */
enum dissected dissect_frame(const struct dissector *dissector, uint64_t offset,
                             const uint8_t *bytes, size_t length, bool eof, size_t *taken);

#endif
