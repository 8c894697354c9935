/* SPDX-License-Identifier: Apache-2.0 */
#include "support/pieces.h"

#include "support/check.h"
#include "support/golden.h"

#include <errno.h>
#include <stdlib.h>

bool pieces_take(size_t index, struct pieces *ret)
{
    struct writer writer = {.bytes = ret->frame, .size = sizeof ret->frame};
    if (!message_full(index, &ret->message)) {
        return false;
    }
    REQUIRE_EQUAL(message_encode(&ret->message, &writer), 0);
    struct tlv_reader reader =
        tlv_reader_of(ret->frame + FRAME_HEADER_SIZE, writer.length - FRAME_HEADER_SIZE);
    ret->count = 0;
    while (tlv_next(&reader, &ret->piece[ret->count]) == TLV_FIELD) {
        ret->count++;
    }
    return true;
}

void pieces_remove(struct pieces *pieces, size_t at)
{
    pieces->count--;
    memmove(&pieces->piece[at], &pieces->piece[at + 1],
            (pieces->count - at) * sizeof pieces->piece[0]);
}

void pieces_insert(struct pieces *pieces, size_t at, struct tlv piece)
{
    memmove(&pieces->piece[at + 1], &pieces->piece[at],
            (pieces->count - at) * sizeof pieces->piece[0]);
    pieces->piece[at] = piece;
    pieces->count++;
}

static uint8_t *put_together(const struct pieces *pieces, const void *extra, size_t extra_length,
                             size_t *length)
{
    static uint8_t room[PIECES_ROOM];
    struct writer writer = {.bytes = room, .size = sizeof room};
    writer_put(&writer, pieces->frame, FRAME_HEADER_SIZE);
    for (size_t i = 0; i < pieces->count; i++) {
        tlv_put_header(&writer, pieces->piece[i].tag, pieces->piece[i].length);
        writer_put(&writer, pieces->piece[i].value, pieces->piece[i].length);
    }
    writer_put(&writer, extra, extra_length);
    REQUIRE_FALSE(writer.full);
    *length = writer.length;
    return exact_copy(room, writer.length);
}

struct judgement pieces_judge(const struct pieces *pieces, const void *extra, size_t extra_length)
{
    size_t length = 0;
    uint8_t *frame = put_together(pieces, extra, extra_length, &length);
    struct protocol_error protocol_error = {0};
    struct golden_message decoded;
    struct judgement judgement = {0};
    int error = message_decode(frame, length, &decoded, &protocol_error);
    if (error == 0) {
        judgement.same = message_equal(&decoded, &pieces->message);
    } else {
        CHECK_EQUAL(error, -EBADMSG);
        CHECK_COMPARE(protocol_error.code, !=, ERROR_NONE);
        CHECK_EQUAL(protocol_error.closes, protocol_error.code == ERROR_MALFORMED);
        CHECK_COMPARE(strlen(protocol_error.text), >, 0);
        CHECK_NULL(strchr(protocol_error.text, '\n'));
    }
    judgement.code = protocol_error.code;
    memcpy(judgement.text, protocol_error.text, sizeof judgement.text);
    free(frame);
    return judgement;
}

enum error_code pieces_code(const struct pieces *pieces)
{
    return pieces_judge(pieces, NULL, 0).code;
}

const struct layout *pieces_layout(const struct pieces *pieces)
{
    const struct golden_message *message = &pieces->message;
    unsigned selector =
        message->type == FRAME_REQUEST ? message->request.command : message->answer.kind;
    return layout_find(message->type, selector);
}
