/* SPDX-License-Identifier: Apache-2.0 */
/* A guest's bytes at the host. The first byte of an input says whether WELCOME was before and which
 * limit requests have; the rest is the stream. */
#include "compat/server.h"
#include "fuzz/fuzz.h"
#include "support/drive.h"
#include "support/golden.h"
#include "wire/codec.h"

enum { AGREED = 0x80, SMALL_LIMIT = 0x40 };

static struct server_session begin(uint8_t choice)
{
    struct server_session session;
    uint32_t limit = choice & SMALL_LIMIT ? 64 : 16384;
    if (choice & AGREED) {
        session = host_agreed();
        session.request_limit = limit;
    } else {
        server_init(&session, limit, 3);
    }
    return session;
}

/* What is said about whatever came of the stream can be sent. */
static void check_answer(const struct server_session *session, const struct drive *drive)
{
    uint8_t bytes[ANSWER_BYTES_MAX];
    struct reply reply = {bytes, sizeof bytes, 0};
    if (drive->count > 0 && drive->event[drive->count - 1].kind == DRIVE_REFUSED) {
        struct answer answer = answer_error(drive->last.code, drive->last.text);
        FUZZ_CHECK(drive->last.code != ERROR_NONE && error_name(drive->last.code) != NULL);
        FUZZ_CHECK(server_answer(session, &answer, &reply) == 0);
        FUZZ_CHECK(reply.length > 0);
    }
}

/* Where the one frame of a connection ends, or 0. What comes later is nobody's, while bytes that come
 * together with an object may make it an error. */
static size_t end_of_frame(const struct server_session *session, const struct drive *drive)
{
    return drive->count == 1 && server_closes_after_answer(session) ? drive->event[0].frame_length
                                                                    : 0;
}

/* A payload that decodes is encoded to something that decodes to the same. */
static void check_request(const uint8_t *data, size_t size)
{
    static uint8_t first[2 * FRAME_BYTES_MAX];
    static uint8_t second[2 * FRAME_BYTES_MAX];
    struct writer writer = {.bytes = first, .size = sizeof first};
    struct writer again = {.bytes = second, .size = sizeof second};
    struct wire_version version = {1, 0};
    struct request request;
    struct protocol_error protocol_error;
    if (codec_decode_request(data, size, &request, &protocol_error) < 0) {
        return;
    }
    FUZZ_CHECK(codec_encode_request(version, 1, &request, &writer) == 0);
    FUZZ_CHECK(codec_decode_request(first + FRAME_HEADER_SIZE, writer.length - FRAME_HEADER_SIZE,
                                    &request, &protocol_error) == 0);
    FUZZ_CHECK(codec_encode_request(version, 1, &request, &again) == 0);
    FUZZ_CHECK(writer.length == again.length && memcmp(first, second, again.length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct drive whole;
    struct drive split;
    if (size < 1) {
        return 0;
    }
    struct server_session session = begin(data[0]);
    drive_host(&session, data + 1, size - 1, DRIVE_WHOLE, &whole);
    check_answer(&session, &whole);
    session = begin(data[0]);
    drive_host(&session, data + 1, size - 1, fuzz_chunk(size), &split);
    size_t end = end_of_frame(&session, &split);
    if (end > 0) {
        session = begin(data[0]);
        drive_host(&session, data + 1, end, DRIVE_WHOLE, &whole);
        whole.left = split.left;
    }
    FUZZ_CHECK(drive_equal(&whole, &split));

    uint8_t *payload = exact_copy(data + 1, size - 1);
    check_request(payload, size - 1);
    free(payload);
    return 0;
}
