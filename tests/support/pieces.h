/* SPDX-License-Identifier: Apache-2.0 */
/* A message's payload in pieces, to be put together in another way and judged by the decoder. */
#ifndef TESTS_PIECES_H
#define TESTS_PIECES_H

#include "support/message.h"

enum { PIECES_MAX = 16, PIECES_ROOM = 70000 };

struct pieces {
    struct golden_message message;
    uint8_t frame[PIECES_ROOM]; /* as encoded; the pieces point into it */
    struct tlv piece[PIECES_MAX];
    size_t count;
};

struct judgement {
    enum error_code code; /* ERROR_NONE: it was taken */
    bool same;            /* and says what the message said before */
    char text[PROTOCOL_ERROR_TEXT_MAX];
};

/* The pieces of message_full(index); false behind the last one. */
bool pieces_take(size_t index, struct pieces *ret);
void pieces_remove(struct pieces *pieces, size_t at);
void pieces_insert(struct pieces *pieces, size_t at, struct tlv piece);

/* Puts the pieces, and `extra` behind them, into a frame of its exact size, and decodes it. */
struct judgement pieces_judge(const struct pieces *pieces, const void *extra, size_t extra_length);

/* The code alone, with nothing behind the pieces. */
enum error_code pieces_code(const struct pieces *pieces);

const struct layout *pieces_layout(const struct pieces *pieces);

#endif
