/* SPDX-License-Identifier: Apache-2.0 */
/* TLV wire 1.x: HELLO and WELCOME agree on a version, then REQUEST, PROGRESS, RESPONSE and ERROR.
 *
 * Source   docs/protocol.md, "Frames", "Messages" and "Session".
 */
#ifndef COMPAT_TLV_1_H
#define COMPAT_TLV_1_H

#include "compat/dialect.h"
#include "wire/cursor.h"
#include "wire/frame.h"

/* TLV wire 1.x, what its two sides share: from bytes to a frame whose header may be judged.
 *
 * Threads  pure functions.
 * Errors   the refusals are malformed, but where something else is said; the functions that make
 *          one return -EBADMSG.
 */

extern const struct dialect dialect_tlv_1;

#endif
