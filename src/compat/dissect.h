/* SPDX-License-Identifier: Apache-2.0 */
/* Captured bytes in words, frame by frame and field by field; `vsock_guest decode` shows them.
 * Nothing that the bytes hold is taken on trust, and all of it is escaped.
 *
 * Threads  pure functions, but for the callback.
 */
#ifndef COMPAT_DISSECT_H
#define COMPAT_DISSECT_H

#include "compat/dialect.h"
#include "wire/field.h"

enum { DISSECT_LINE_MAX = 1024 };

/* Where the lines go, without their newlines. */
struct dissector {
    void (*line)(void *context, const char *line);
    void *context;
};

enum dissected {
    EXPLAINED_MORE,  /* the frame goes on behind the bytes that are there */
    EXPLAINED_SOUND, /* *taken bytes were a frame as it should be */
    EXPLAINED_WRONG, /* *taken bytes were a frame; a line says what is wrong with it */
    EXPLAINED_LOST,  /* a line says why; where the next frame begins cannot be told */
};

/* `offset`: of bytes[0] in the capture. `eof`: no more bytes follow; then never EXPLAINED_MORE. At
 * least one byte is there. */
enum dissected dissect_frame(const struct dissector *dissector, uint64_t offset,
                             const uint8_t *bytes, size_t length, bool eof, size_t *taken);

/* One field of a TLV payload in words.
 *
 * Threads  pure functions, but for the callback.
 */

/* Requests and answers of both JSON generations in words.
 *
 * Threads  pure functions, but for the callback.
 */

/* Frames of TLV wire 0.9 in words.
 *
 * Threads  pure functions, but for the callback.
 */

/* Frames of TLV wire 1.x, and of later majors as far as the invariants go, in words.
 *
 * Threads  pure functions, but for the callback.
 */

#endif
