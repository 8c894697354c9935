/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of TLV wire 1.x, and of later majors as far as the invariants go, in words.
 *
 * Threads  pure functions, but for the callback.
 */
#ifndef COMPAT_EXPLAIN_TLV_1_H
#define COMPAT_EXPLAIN_TLV_1_H

#include "compat/explain.h"

/* True if the bytes can begin such a frame. */
bool explain_tlv_1_claims(const uint8_t *bytes, size_t length);

/* As explain_frame. */
enum explained explain_tlv_1(const struct explainer *explainer, uint64_t offset,
                             const uint8_t *bytes, size_t length, bool eof, size_t *taken);

#endif
