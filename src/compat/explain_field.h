/* SPDX-License-Identifier: Apache-2.0 */
/* One field of a TLV payload in words.
 *
 * Threads  pure functions, but for the callback.
 */
#ifndef COMPAT_EXPLAIN_FIELD_H
#define COMPAT_EXPLAIN_FIELD_H

#include "compat/explain.h"
#include "wire/field.h"

/* `row` NULL: the field is not known; `skipped` then says what a receiver does with it. */
void explain_field(const struct explainer *explainer, const struct field *row,
                   const struct tlv *tlv, bool skipped);

#endif
