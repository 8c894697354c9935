/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and answers of both JSON generations in words.
 *
 * Threads  pure functions, but for the callback.
 */
#ifndef COMPAT_EXPLAIN_JSON_H
#define COMPAT_EXPLAIN_JSON_H

#include "compat/explain.h"

/* True if the bytes can begin a JSON object, white space in front of it included. */
bool explain_json_claims(const uint8_t *bytes, size_t length);

/* As explain_frame. */
enum explained explain_json(const struct explainer *explainer, uint64_t offset,
                            const uint8_t *bytes, size_t length, bool eof, size_t *taken);

#endif
