/* SPDX-License-Identifier: Apache-2.0 */
/* A host's bytes at the guest. The first byte of an input says what the guest waits for; the rest
 * is the stream. */
#include "compat/dialect.h"
#include "fuzz/fuzz.h"
#include "support/drive.h"
#include "support/golden.h"
#include "wire/codec.h"
#include "wire/payload_text.h"
#include "wire/utf8.h"

enum { AGREED = 0x80, COMMAND = 0x0f, REQUEST_ID = 0x01020304 };

static struct client_session begin(uint8_t choice)
{
    struct client_session session = guest_agreed((enum command)(choice & COMMAND), REQUEST_ID);
    if ((choice & COMMAND) > COMMAND_LAST || (choice & COMMAND) == COMMAND_NONE) {
        session.command = COMMAND_UPGRADE;
    }
    if (!(choice & AGREED)) {
        session.agreed = (struct wire_version){0, 0};
    }
    return session;
}

/* A payload that decodes can be shown, and is encoded to something that decodes to the same. */
static void check_answer(unsigned type, const uint8_t *data, size_t size)
{
    static uint8_t first[2 * FRAME_BYTES_MAX];
    static uint8_t second[2 * FRAME_BYTES_MAX];
    struct writer writer = {.bytes = first, .size = sizeof(first)};
    struct writer again = {.bytes = second, .size = sizeof(second)};
    struct wire_version version = {1, 0};
    struct answer answer;
    struct refusal refusal;
    char line[256];
    if (codec_decode_answer(type, data, size, &answer, &refusal) < 0) {
        return;
    }
    (void)payload_text(&answer, line, sizeof(line));
    FUZZ_CHECK(utf8_valid(line, strlen(line)));
    FUZZ_CHECK(codec_encode_answer(version, 1, &answer, &writer) == 0);
    FUZZ_CHECK(codec_decode_answer(type, first + FRAME_HEADER_SIZE,
                                   writer.length - FRAME_HEADER_SIZE, &answer, &refusal) == 0);
    FUZZ_CHECK(codec_encode_answer(version, 1, &answer, &again) == 0);
    FUZZ_CHECK(writer.length == again.length && memcmp(first, second, again.length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned types[] = {FRAME_ERROR, FRAME_PROGRESS, FRAME_RESPONSE};
    struct drive whole;
    struct drive split;
    if (size < 1) {
        return 0;
    }
    struct client_session session = begin(data[0]);
    drive_guest(&session, data + 1, size - 1, DRIVE_WHOLE, &whole);
    FUZZ_CHECK(utf8_valid(session.host, strlen(session.host)));
    session = begin(data[0]);
    drive_guest(&session, data + 1, size - 1, fuzz_chunk(size), &split);
    FUZZ_CHECK(drive_equal(&whole, &split));

    uint8_t *payload = exact_copy(data + 1, size - 1);
    for (size_t i = 0; i < sizeof(types) / sizeof(types)[0]; i++) {
        check_answer(types[i], payload, size - 1);
    }
    free(payload);
    return 0;
}
