/* SPDX-License-Identifier: Apache-2.0 */
/* Any message of wire 1.x by its frame type, so that a test can go through all of them. */
#ifndef TESTS_MESSAGE_H
#define TESTS_MESSAGE_H

#include "support/golden_message.h"
#include "wire/codec.h"

/* As the codec_encode_ and codec_decode_ function of message->type. */
MUST_CHECK int message_encode(const struct golden_message *message, struct writer *writer);

/* Decodes a frame whose header is right. 0 or -EBADMSG. */
MUST_CHECK int message_decode(const uint8_t *frame, size_t length, struct golden_message *ret,
                              struct protocol_error *protocol_error);

bool message_equal(const struct golden_message *a, const struct golden_message *b);

/* A message of each layout with every field that it can have: `index` from 0 on. False behind the
 * last one. */
bool message_full(size_t index, struct golden_message *ret);

#endif
