/* SPDX-License-Identifier: Apache-2.0 */
#include "support/received.h"

#include <stdlib.h>

static void begin(struct received *received)
{
    *received = (struct received){.protocol_error = {.code = ERROR_NONE}};
    server_init(&received->session, RECEIVED_LIMIT, RECEIVED_CID);
}

static void decode(const uint8_t *bytes, size_t length, struct received *received)
{
    uint8_t room[ANSWER_BYTES_MAX];
    struct reply reply = {room, sizeof room, 0};
    received->frame = exact_copy(bytes, length);
    received->length = length;
    (void)server_decode(&received->session, received->frame, length, &received->request,
                        &received->protocol_error, &reply); /* request and refusal tell */
}

/* True: it is whole, or refused. */
static bool take(const uint8_t *bytes, size_t length, bool eof, struct received *received)
{
    size_t frame = 0;
    uint8_t *given = exact_copy(bytes, length);
    enum framing framing =
        server_frame(&received->session, given, length, eof, &frame, &received->protocol_error);
    if (framing == FRAMING_WHOLE) {
        decode(given, frame, received);
    }
    free(given);
    return framing != FRAMING_MORE;
}

static void end(struct received *received)
{
    received->dialect = server_dialect_name(&received->session);
    received->closes = server_closes_after_answer(&received->session);
}

void received_whole(const void *bytes, size_t length, struct received *ret)
{
    begin(ret);
    if (!take(bytes, length, false, ret)) {
        (void)take(bytes, length, true, ret); /* what is not there then is not whole */
    }
    end(ret);
}

void received_split(const void *bytes, size_t length, size_t chunk, struct received *ret)
{
    bool done = false;
    begin(ret);
    for (size_t given = chunk; !done && given < length + chunk; given += chunk) {
        done = take(bytes, given < length ? given : length, false, ret);
    }
    end(ret);
}

void received_free(struct received *received)
{
    free(received->frame);
    received->frame = NULL;
}
