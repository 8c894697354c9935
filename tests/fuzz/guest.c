/* SPDX-License-Identifier: Apache-2.0 */
/* A host's bytes at the guest. The first byte of an input says in which dialect the guest waits for
 * what; the rest is the stream, and a capture to be explained. */
#include "compat/dialects.h"
#include "compat/dissect.h"
#include "compat/json_envelope.h"
#include "fuzz/fuzz.h"
#include "support/drive.h"
#include "support/golden.h"
#include "wire/codec.h"
#include "wire/payload_text.h"
#include "wire/text.h"

enum { AGREED = 0x80, DIALECT = 0x30, COMMAND = 0x0f, REQUEST_ID = 0x01020304 };

static struct client_session begin(uint8_t choice)
{
    static const char *const names[] = {"tlv-1", "tlv-0", "json-1", "json-0"};
    struct client_session session = guest_agreed((enum command)(choice & COMMAND), REQUEST_ID);
    if ((choice & COMMAND) > COMMAND_LAST || (choice & COMMAND) == COMMAND_NONE) {
        session.command = COMMAND_UPGRADE;
    }
    if (!(choice & AGREED)) {
        session.agreed = (struct wire_version){0, 0};
    }
    session.dialect = dialect_find(names[(choice & DIALECT) / 0x10]);
    return session;
}

/* The answer to the question of the search. */
static void check_probe(const uint8_t *data, size_t size)
{
    struct json_probe probe;
    struct protocol_error protocol_error;
    uint8_t *frame = exact_copy(data, size);
    if (json_read_probe(dialects, frame, size, &probe, &protocol_error) == 0) {
        FUZZ_CHECK(utf8_valid(probe.error.message.bytes, probe.error.message.length));
        FUZZ_CHECK((probe.dialect == NULL) == (probe.error.code != ERROR_NONE));
    }
    free(frame);
}

static void check_line(void *context, const char *line)
{
    (void)context;
    FUZZ_CHECK(utf8_valid(line, strlen(line)));
}

/* As vsock_guest decode does it, frame by frame. */
static void check_explained(const uint8_t *data, size_t size)
{
    struct dissector dissector = {.line = check_line};
    enum dissected dissected = DISSECTED_SOUND;
    for (size_t at = 0; at < size && at < GUEST_ANSWER_MAX && dissected != DISSECTED_LOST;) {
        size_t length = size - at < GUEST_ANSWER_MAX ? size - at : GUEST_ANSWER_MAX;
        size_t taken = 0;
        uint8_t *bytes = exact_copy(data + at, length);
        dissected = dissect_frame(&dissector, at, bytes, length, true, &taken);
        free(bytes);
        FUZZ_CHECK(dissected != DISSECTED_MORE);
        FUZZ_CHECK(dissected == DISSECTED_LOST || (taken > 0 && taken <= length));
        at += taken;
    }
}

/* A payload that decodes can be shown, and is encoded to something that decodes to the same. */
static void check_answer(unsigned type, const uint8_t *data, size_t size)
{
    static uint8_t first[2 * FRAME_BYTES_MAX];
    static uint8_t second[2 * FRAME_BYTES_MAX];
    struct writer writer = {.bytes = first, .size = sizeof first};
    struct writer again = {.bytes = second, .size = sizeof second};
    struct wire_version version = {1, 0};
    struct answer answer;
    struct protocol_error protocol_error;
    char line[256];
    if (codec_decode_answer(type, data, size, &answer, &protocol_error) < 0) {
        return;
    }
    (void)payload_text(&answer, line, sizeof line);
    FUZZ_CHECK(utf8_valid(line, strlen(line)));
    FUZZ_CHECK(codec_encode_answer(version, 1, &answer, &writer) == 0);
    FUZZ_CHECK(codec_decode_answer(type, first + FRAME_HEADER_SIZE,
                                   writer.length - FRAME_HEADER_SIZE, &answer,
                                   &protocol_error) == 0);
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

    check_probe(data + 1, size - 1);
    check_explained(data + 1, size - 1);
    uint8_t *payload = exact_copy(data + 1, size - 1);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        check_answer(types[i], payload, size - 1);
    }
    free(payload);
    return 0;
}
