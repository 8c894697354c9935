/* SPDX-License-Identifier: Apache-2.0 */
#include "support/heard.h"

#include <stdlib.h>

static void begin(struct heard *heard)
{
    *heard = (struct heard){.protocol_error = {.code = ERROR_NONE}};
    server_init(&heard->session, HEARD_LIMIT, HEARD_CID);
}

static void decode(const uint8_t *bytes, size_t length, struct heard *heard)
{
    uint8_t room[ANSWER_BYTES_MAX];
    struct reply reply = {room, sizeof room, 0};
    heard->frame = exact_copy(bytes, length);
    heard->length = length;
    (void)server_decode(&heard->session, heard->frame, length, &heard->request,
                        &heard->protocol_error, &reply); /* request and refusal tell */
}

/* True: it is whole, or refused. */
static bool take(const uint8_t *bytes, size_t length, bool eof, struct heard *heard)
{
    size_t frame = 0;
    uint8_t *given = exact_copy(bytes, length);
    enum framing framing =
        server_frame(&heard->session, given, length, eof, &frame, &heard->protocol_error);
    if (framing == FRAMING_WHOLE) {
        decode(given, frame, heard);
    }
    free(given);
    return framing != FRAMING_MORE;
}

static void end(struct heard *heard)
{
    heard->dialect = server_dialect_name(&heard->session);
    heard->closes = server_closes_after_answer(&heard->session);
}

void heard_whole(const void *bytes, size_t length, struct heard *ret)
{
    begin(ret);
    if (!take(bytes, length, false, ret)) {
        (void)take(bytes, length, true, ret); /* what is not there then is not whole */
    }
    end(ret);
}

void heard_split(const void *bytes, size_t length, size_t chunk, struct heard *ret)
{
    bool done = false;
    begin(ret);
    for (size_t given = chunk; !done && given < length + chunk; given += chunk) {
        done = take(bytes, given < length ? given : length, false, ret);
    }
    end(ret);
}

void heard_free(struct heard *heard)
{
    free(heard->frame);
    heard->frame = NULL;
}
