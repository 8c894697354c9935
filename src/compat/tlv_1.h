/* SPDX-License-Identifier: Apache-2.0 */
/* TLV wire 1.x: HELLO and WELCOME agree on a version, then REQUEST, PROGRESS, RESPONSE and ERROR.
 *
 * Source   docs/protocol.md, "Frames", "Messages" and "Session".
 */
#ifndef COMPAT_TLV_1_H
#define COMPAT_TLV_1_H

#include "compat/dialect.h"

extern const struct dialect dialect_tlv_1;

#endif
