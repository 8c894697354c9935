/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of TLV wire 0.9 in words.
 *
 * Threads  pure functions, but for the callback.
 */
#ifndef COMPAT_EXPLAIN_TLV_0_H
#define COMPAT_EXPLAIN_TLV_0_H

#include "compat/explain.h"

/* True if the bytes can begin such a frame: it takes five to know. */
bool explain_tlv_0_claims(const uint8_t *bytes, size_t length);

/* As explain_frame. */
enum explained explain_tlv_0(const struct explainer *explainer, uint64_t offset,
                             const uint8_t *bytes, size_t length, bool eof, size_t *taken);

#endif
