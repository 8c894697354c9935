/* SPDX-License-Identifier: Apache-2.0 */
/* Where a JSON object ends. Every stream is looked at whole, and split at each of its bytes. */
#include "compat/json_envelope.h"
#include "support/golden.h"
#include "support/unit.h"

#include <stdlib.h>

struct sample {
    const char *bytes;
    enum json_frame frame;
    size_t end; /* of JSON_FRAME_WHOLE */
    bool cid_is_text;
};

static const struct sample samples[] = {
    {"{}", JSON_FRAME_WHOLE, 2, false},
    {" \t\r\n{}", JSON_FRAME_WHOLE, 6, false},
    {"{}{}", JSON_FRAME_WHOLE, 2, false},
    {"{} x", JSON_FRAME_WHOLE, 2, false},
    {"{\"a\":{\"b\":[1,{}]}}}", JSON_FRAME_WHOLE, 18, false},
    {"{\"}\":\"]\"}", JSON_FRAME_WHOLE, 9, false},
    {"{\"\\\"}\":\"\\\\\"}x", JSON_FRAME_WHOLE, 12, false},
    {"{\"\\\\\\\"}\":1}", JSON_FRAME_WHOLE, 11, false},
    {"{]", JSON_FRAME_WHOLE, 2, false}, /* the parser's to judge */
    {"", JSON_FRAME_MORE, 0, false},
    {"   ", JSON_FRAME_MORE, 0, false},
    {"{", JSON_FRAME_MORE, 0, false},
    {"{\"}", JSON_FRAME_MORE, 0, false},
    {"{\"a\\\"}", JSON_FRAME_MORE, 0, false},
    {"{[}", JSON_FRAME_MORE, 0, false},
    {"[]", JSON_FRAME_FOREIGN, 0, false},
    {" [1]", JSON_FRAME_FOREIGN, 0, false},
    {"\"{}\"", JSON_FRAME_FOREIGN, 0, false},
    {"\v{}", JSON_FRAME_FOREIGN, 0, false},
    {"\xef\xbb\xbf{}", JSON_FRAME_FOREIGN, 0, false},
    {"{\"sender_cid\":\"3\"}", JSON_FRAME_WHOLE, 18, true},
    {"{\"sender_cid\" :\n\t\"", JSON_FRAME_MORE, 0, true},
    {"{\"a\":[1,{}],\"sender_cid\":\"", JSON_FRAME_MORE, 0, true},
    {"{\"sender_cid\":\"3\",\"sender_cid\":3}", JSON_FRAME_WHOLE, 33, true},
    {"{\"sender_cid\":3}", JSON_FRAME_WHOLE, 16, false},
    {"{\"sender_cid\":", JSON_FRAME_MORE, 0, false},
    {"{\"sender_cid\":3,\"a\":\"b\"}", JSON_FRAME_WHOLE, 24, false},
    {"{\"sender_cid2\":\"3\"}", JSON_FRAME_WHOLE, 19, false},
    {"{\"xsender_cid\":\"3\"}", JSON_FRAME_WHOLE, 19, false},
    {"{\"sender_ci\":\"3\"}", JSON_FRAME_WHOLE, 17, false},
    {"{\"sender\\_cid\":\"3\"}", JSON_FRAME_WHOLE, 19, false},
    {"{\"message\":\"sender_cid\",\"a\":\"b\"}", JSON_FRAME_WHOLE, 32, false},
    {"{\"message\":\"\\\"sender_cid\\\":\\\"3\"}", JSON_FRAME_WHOLE, 32, false},
    {"{\"a\":{\"sender_cid\":\"3\"}}", JSON_FRAME_WHOLE, 24, false}, /* not the sender's */
};

static void check(const struct sample *sample, size_t first)
{
    size_t length = strlen(sample->bytes);
    struct framing_scan scan = {0};
    size_t end = 0;
    uint8_t *part = exact_copy(sample->bytes, first);
    uint8_t *whole = exact_copy(sample->bytes, length);
    enum json_frame frame = json_frame(&scan, part, first, &end);
    if (frame == JSON_FRAME_MORE) {
        CHECK_EQUAL(scan.seen, first); /* each byte is looked at once */
        frame = json_frame(&scan, whole, length, &end);
    }
    CHECK_EQUAL(frame, sample->frame);
    CHECK_EQUAL(end, sample->end);
    CHECK_EQUAL(json_frame_cid_is_text(&scan), sample->cid_is_text);
    free(part);
    free(whole);
}

UNIT_TEST(test_samples, "ends, splits and the sender's CID")
{
    CHECK_EACH(i, samples, "%s", samples[i].bytes) {
        for (size_t first = 0; first <= strlen(samples[i].bytes); first++) {
            CHECK_ROW("first = %zu", first);
            check(&samples[i], first);
        }
    }
}

/* "{" and levels of "[" in it; *length bytes. */
static uint8_t *nest(size_t levels, size_t *length)
{
    uint8_t *bytes = exact_room(2 * levels);
    memset(bytes, '[', levels);
    memset(bytes + levels, ']', levels);
    bytes[0] = '{';
    bytes[2 * levels - 1] = '}';
    *length = 2 * levels;
    return bytes;
}

UNIT_TEST(test_depth, "depth")
{
    for (size_t levels = 1; levels <= JSON_DEPTH_MAX + 1; levels += JSON_DEPTH_MAX / 4) {
        CHECK_ROW("levels = %zu", levels);
        size_t length = 0;
        size_t end = 0;
        struct framing_scan scan = {0};
        uint8_t *bytes = nest(levels, &length);
        bool fits = levels <= JSON_DEPTH_MAX;
        CHECK_EQUAL(json_frame(&scan, bytes, length, &end),
                    fits ? JSON_FRAME_WHOLE : JSON_FRAME_DEEP);
        CHECK_EQUAL(end, fits ? length : 0);
        free(bytes);
    }
}

UNIT_MAIN("compat JSON frames")
