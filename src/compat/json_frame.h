/* SPDX-License-Identifier: Apache-2.0 */
/* Where a JSON object ends, in a stream without framing: brackets outside strings are counted, and
 * each byte is looked at once. Whether it is JSON is not judged here.
 *
 * On its way it notes whether the key sender_cid was followed by a string, by which the two
 * generations of JSON can be told before the object is whole.
 *
 * Threads  pure functions; what was seen is kept in the caller's scan.
 */
#ifndef COMPAT_JSON_FRAME_H
#define COMPAT_JSON_FRAME_H

#include "compat/dialect.h"

/* Brackets within brackets: what reads an object calls itself for each. */
enum { JSON_DEPTH_MAX = 1024 };

enum json_frame {
    JSON_FRAME_MORE,    /* so far it may become one */
    JSON_FRAME_WHOLE,   /* *end is the offset behind the object */
    JSON_FRAME_FOREIGN, /* something else than white space and an object */
    JSON_FRAME_DEEP,    /* deeper than JSON_DEPTH_MAX */
};

/* `bytes` begins at the same byte at each call for one object, with more behind it. */
enum json_frame json_frame(struct framing_scan *scan, const uint8_t *bytes, size_t length,
                           size_t *end);

/* True once sender_cid was seen to be a string. */
bool json_frame_cid_is_text(const struct framing_scan *scan);

bool json_frame_is_blank(uint8_t byte);

#endif
