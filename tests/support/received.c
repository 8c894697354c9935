/* SPDX-License-Identifier: Apache-2.0 */
#include "support/received.h"

#include <stdlib.h>
#include <string.h>

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

const uint8_t received_hash[SHA256_SIZE] = {
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};

struct request received_request(enum command command)
{
    struct request request = {.command = command};
    if (command == COMMAND_UPGRADE) {
        request.url = text_of("https://updates.example/hostos.tar.zst");
        memcpy(request.sha256, received_hash, sizeof received_hash);
    } else if (command == COMMAND_NOTIFY) {
        request.message = text_of("Update finished.");
        request.count = 10;
    }
    return request;
}
