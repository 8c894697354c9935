/* SPDX-License-Identifier: Apache-2.0 */
/* Every rule of a payload broken on purpose, in every message, and every limit from both sides. */
#include "support/golden.h"
#include "support/message.h"
#include "support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { PIECES_MAX = 16, ROOM = 70000 };

/* A payload in pieces, to be put together in another way. */
struct pieces {
    struct golden_message message;
    uint8_t frame[ROOM]; /* as encoded; the pieces point into it */
    struct tlv piece[PIECES_MAX];
    size_t count;
};

static bool take_apart(size_t index, struct pieces *ret)
{
    struct writer writer = {.bytes = ret->frame, .size = sizeof(ret->frame)};
    if (!message_full(index, &ret->message)) {
        return false;
    }
    CU_ASSERT_EQUAL_FATAL(message_encode(&ret->message, &writer), 0);
    struct tlv_reader reader =
        tlv_reader_of(ret->frame + FRAME_HEADER_SIZE, writer.length - FRAME_HEADER_SIZE);
    ret->count = 0;
    while (tlv_next(&reader, &ret->piece[ret->count]) == TLV_FIELD) {
        ret->count++;
    }
    return true;
}

static void remove_piece(struct pieces *pieces, size_t at)
{
    pieces->count--;
    memmove(&pieces->piece[at], &pieces->piece[at + 1],
            (pieces->count - at) * sizeof(pieces->piece[0]));
}

static void insert_piece(struct pieces *pieces, size_t at, struct tlv piece)
{
    memmove(&pieces->piece[at + 1], &pieces->piece[at],
            (pieces->count - at) * sizeof(pieces->piece[0]));
    pieces->piece[at] = piece;
    pieces->count++;
}

static char last_text[REFUSAL_TEXT_MAX];

/* Puts the pieces and `extra` behind them into a frame of its exact size, and decodes it. Returns
 * the code of its refusal, or ERROR_NONE. */
static enum error_code judge(const struct pieces *pieces, const void *extra, size_t extra_length,
                             struct golden_message *decoded)
{
    static uint8_t room[ROOM];
    struct writer writer = {.bytes = room, .size = sizeof(room)};
    struct refusal refusal = {0};
    last_text[0] = '\0';
    writer_put(&writer, pieces->frame, FRAME_HEADER_SIZE);
    for (size_t i = 0; i < pieces->count; i++) {
        tlv_put_header(&writer, pieces->piece[i].tag, pieces->piece[i].length);
        writer_put(&writer, pieces->piece[i].value, pieces->piece[i].length);
    }
    writer_put(&writer, extra, extra_length);
    CU_ASSERT_FALSE_FATAL(writer.full);
    uint8_t *frame = exact_copy(room, writer.length);
    int error = message_decode(frame, writer.length, decoded, &refusal);
    if (error < 0) {
        CU_ASSERT_TRUE(strlen(refusal.text) > 0);
        memcpy(last_text, refusal.text, sizeof(last_text));
        CU_ASSERT_PTR_NULL(strchr(refusal.text, '\n'));
        CU_ASSERT_EQUAL(refusal.closes, refusal.code == ERROR_MALFORMED);
    } else if (extra_length == 0) {
        /* Its texts point into the frame: what it says must be looked at before that goes. */
        CU_ASSERT_EQUAL(decoded->type, pieces->message.type);
    }
    free(frame);
    CU_ASSERT_EQUAL(error, refusal.code == ERROR_NONE ? 0 : -EBADMSG);
    return refusal.code;
}

static enum error_code judge_pieces(const struct pieces *pieces)
{
    struct golden_message decoded;
    return judge(pieces, NULL, 0, &decoded);
}

static const struct layout *layout_of(const struct golden_message *message)
{
    unsigned selector =
        message->type == FRAME_REQUEST ? message->request.command : message->answer.kind;
    return layout_find(message->type, selector);
}

static struct pieces whole;
static struct pieces broken;

#define FOR_EACH_MESSAGE \
    for (size_t message_index = 0; take_apart(message_index, &whole); message_index++)

static void test_whole(void)
{
    size_t count = 0;
    FOR_EACH_MESSAGE
    {
        CU_ASSERT_EQUAL(whole.count, layout_of(&whole.message)->count);
        CU_ASSERT_EQUAL(judge_pieces(&whole), ERROR_NONE);
        count++;
    }
    CU_ASSERT_EQUAL(count, 4 + COMMAND_LAST + PAYLOAD_LAST + 1);
}

static void test_missing(void)
{
    FOR_EACH_MESSAGE
    {
        const struct layout *layout = layout_of(&whole.message);
        for (size_t i = 0; i < whole.count; i++) {
            broken = whole;
            remove_piece(&broken, i);
            bool mandatory = layout->rows[i].presence == FIELD_MANDATORY;
            CU_ASSERT_EQUAL(judge_pieces(&broken), mandatory ? ERROR_MALFORMED : ERROR_NONE);
        }
    }
}

static void test_width(void)
{
    FOR_EACH_MESSAGE
    {
        const struct layout *layout = layout_of(&whole.message);
        for (size_t i = 0; i < whole.count; i++) {
            if (field_type_width(layout->rows[i].type) == 0) {
                continue;
            }
            static uint8_t wider[64];
            broken = whole;
            broken.piece[i].length--;
            CU_ASSERT_EQUAL(judge_pieces(&broken), ERROR_MALFORMED);
            broken.piece[i].length += 2;
            broken.piece[i].value = wider;
            CU_ASSERT_EQUAL(judge_pieces(&broken), ERROR_MALFORMED);
            broken.piece[i].length = 0;
            CU_ASSERT_EQUAL(judge_pieces(&broken), ERROR_MALFORMED);
        }
    }
}

static void test_order(void)
{
    FOR_EACH_MESSAGE
    {
        for (size_t i = 0; i < whole.count; i++) {
            broken = whole;
            insert_piece(&broken, i, whole.piece[i]); /* repeated */
            CU_ASSERT_EQUAL(judge_pieces(&broken), ERROR_MALFORMED);
            if (i > 0) {
                broken = whole;
                broken.piece[i] = whole.piece[i - 1]; /* swapped */
                broken.piece[i - 1] = whole.piece[i];
                CU_ASSERT_EQUAL(judge_pieces(&broken), ERROR_MALFORMED);
            }
        }
        broken = whole;
        insert_piece(&broken, broken.count, (struct tlv){0x7fff, 0, NULL});
        insert_piece(&broken, broken.count, (struct tlv){0x7fff, 0, NULL}); /* skipped, repeated */
        CU_ASSERT_EQUAL(judge_pieces(&broken), ERROR_MALFORMED);
    }
}

/* A tag that no message has, at every place where it can stand. */
static void test_unknown_tags(void)
{
    FOR_EACH_MESSAGE
    {
        for (size_t i = 0; i <= whole.count; i++) {
            unsigned below = i > 0 ? whole.piece[i - 1].tag + 1U : 0;
            unsigned above = i < whole.count ? whole.piece[i].tag : below + 3;
            for (unsigned tag = below; tag < above; tag++) {
                broken = whole;
                insert_piece(&broken, i,
                             (struct tlv){(uint16_t)tag, 2, (const uint8_t *)"\x01\x02"});
                CU_ASSERT_EQUAL(judge_pieces(&broken),
                                tag % 2 == 0 ? ERROR_UNSUPPORTED_FIELD : ERROR_NONE);
            }
        }
    }
}

static void test_end(void)
{
    struct golden_message decoded;
    FOR_EACH_MESSAGE
    {
        CU_ASSERT_EQUAL(judge(&whole, "\x7f", 1, &decoded), ERROR_MALFORMED);
        CU_ASSERT_EQUAL(judge(&whole, "\x7f\x01", 2, &decoded), ERROR_MALFORMED);
        CU_ASSERT_EQUAL(judge(&whole, "\x7f\x01\0", 3, &decoded), ERROR_MALFORMED);
        CU_ASSERT_EQUAL(judge(&whole, "\x7f\x01\0\0", 4, &decoded), ERROR_NONE);
        CU_ASSERT_EQUAL(judge(&whole, "\x7f\x01\0\x01", 4, &decoded), ERROR_MALFORMED);
        CU_ASSERT_EQUAL(judge(&whole, "\x7f\x01\x7f\x7f", 4, &decoded), ERROR_MALFORMED);
    }
}

/* Texts: what is not UTF-8, and what is not ASCII where that is asked for. */
static void test_texts(void)
{
    static const char *const bad[] = {"\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                      "\xe2\x82"};
    FOR_EACH_MESSAGE
    {
        const struct layout *layout = layout_of(&whole.message);
        for (size_t i = 0; i < whole.count; i++) {
            enum field_type type = layout->rows[i].type;
            if (type != FIELD_TEXT && type != FIELD_PRINTABLE) {
                continue;
            }
            broken = whole;
            for (size_t j = 0; j < sizeof(bad) / sizeof(bad)[0]; j++) {
                broken.piece[i].value = (const uint8_t *)bad[j];
                broken.piece[i].length = (uint16_t)strlen(bad[j]);
                CU_ASSERT_EQUAL(judge_pieces(&broken), ERROR_MALFORMED);
            }
            broken.piece[i].value = (const uint8_t *)"a\0b";
            broken.piece[i].length = 3;
            CU_ASSERT_EQUAL(judge_pieces(&broken), ERROR_MALFORMED);
            broken.piece[i].value = (const uint8_t *)"\x1b\x7f";
            broken.piece[i].length = 2;
            CU_ASSERT_EQUAL(judge_pieces(&broken),
                            type == FIELD_PRINTABLE ? ERROR_MALFORMED : ERROR_NONE);
        }
    }
}

/* Malformed comes first, whatever else is wrong; else the first in the payload. */
static void test_precedence(void)
{
    struct golden_message decoded;
    struct tlv even = {0x7ffe, 0, NULL};
    CU_ASSERT_TRUE_FATAL(take_apart(1 + COMMAND_UPGRADE, &whole));
    CU_ASSERT_EQUAL_FATAL(whole.count, 4);

    broken = whole;
    insert_piece(&broken, 2, (struct tlv){5, 0, NULL});
    broken.piece[2].tag = 0; /* even, but out of order */
    CU_ASSERT_EQUAL(judge_pieces(&broken), ERROR_MALFORMED);

    broken = whole;
    broken.piece[3].value = (const uint8_t *)"\x02"; /* progress 2 */
    CU_ASSERT_EQUAL(judge_pieces(&broken), ERROR_INVALID_ARGUMENT);
    insert_piece(&broken, 4, even);
    CU_ASSERT_EQUAL(judge_pieces(&broken), ERROR_INVALID_ARGUMENT);
    CU_ASSERT_EQUAL(judge(&broken, "\0", 1, &decoded), ERROR_MALFORMED);
    remove_piece(&broken, 2); /* the digest is missing */
    CU_ASSERT_EQUAL(judge_pieces(&broken), ERROR_MALFORMED);
    CU_ASSERT_STRING_EQUAL(last_text, "field 6 (sha256) is missing; upgrade needs it");
    broken.piece[1].length = 1; /* and before it the url is not UTF-8 */
    broken.piece[1].value = (const uint8_t *)"\xff";
    CU_ASSERT_EQUAL(judge(&broken, "\0", 1, &decoded), ERROR_MALFORMED);
    CU_ASSERT_STRING_EQUAL(last_text, "field 4 (url) holds bytes that it must not; expected UTF-8 "
                                      "without NUL");

    broken = whole;
    insert_piece(&broken, 1, (struct tlv){0, 0, NULL});
    broken.piece[1].tag = 3;                             /* skipped */
    broken.piece[0].value = (const uint8_t *)"\x12\x34"; /* no such command */
    CU_ASSERT_EQUAL(judge_pieces(&broken), ERROR_UNKNOWN_COMMAND);
    CU_ASSERT_EQUAL(judge(&broken, "\0", 1, &decoded), ERROR_MALFORMED);

    broken = whole;
    insert_piece(&broken, 0, (struct tlv){0, 0, NULL});
    remove_piece(&broken, 4);
    remove_piece(&broken, 3); /* an even tag first, then the digest is missing */
    CU_ASSERT_EQUAL(judge_pieces(&broken), ERROR_MALFORMED);
}

static char long_text[UINT16_MAX + 2];

static int encode_request(const struct request *request)
{
    static uint8_t room[ROOM];
    struct writer writer = {.bytes = room, .size = sizeof(room)};
    int error = codec_encode_request((struct wire_version){1, 0}, 1, request, &writer);
    CU_ASSERT_EQUAL(writer.length > 0, error == 0);
    return error;
}

static void test_request_limits(void)
{
    struct request upgrade = {.command = COMMAND_UPGRADE, .url = {long_text, URL_MAX}};
    struct request notify = {.command = COMMAND_NOTIFY, .message = {long_text, NOTIFY_MAX}};
    CU_ASSERT_EQUAL(encode_request(&upgrade), 0);
    CU_ASSERT_EQUAL(encode_request(&notify), 0);
    upgrade.url.length++;
    notify.message.length++;
    CU_ASSERT_EQUAL(encode_request(&upgrade), -EMSGSIZE);
    CU_ASSERT_EQUAL(encode_request(&notify), -EMSGSIZE);
    notify.message = text_of("\xff");
    CU_ASSERT_EQUAL(encode_request(&notify), -EINVAL);
    notify.message = (struct text){"a\0", 2};
    CU_ASSERT_EQUAL(encode_request(&notify), -EINVAL);
    notify.message = (struct text){NULL, 0};
    CU_ASSERT_EQUAL(encode_request(&notify), 0);
    CU_ASSERT_EQUAL(encode_request(&(struct request){.command = COMMAND_NONE}), -EINVAL);
    CU_ASSERT_EQUAL(encode_request(&(struct request){.command = (enum command)9}), -EINVAL);
    uint8_t room[64];
    struct writer writer = {.bytes = room, .size = sizeof(room)};
    struct request query = {.command = COMMAND_GET_HOSTOS_VERSION};
    CU_ASSERT_EQUAL(codec_encode_request((struct wire_version){1, 0}, 0, &query, &writer), -EINVAL);
}

static enum error_code judge_text(size_t index, size_t piece, size_t length)
{
    CU_ASSERT_TRUE_FATAL(take_apart(index, &whole));
    whole.piece[piece].value = (const uint8_t *)long_text;
    whole.piece[piece].length = (uint16_t)length;
    return judge_pieces(&whole);
}

static void test_text_limits(void)
{
    CU_ASSERT_EQUAL(judge_text(1 + COMMAND_UPGRADE, 1, URL_MAX), ERROR_NONE);
    CU_ASSERT_EQUAL(judge_text(1 + COMMAND_UPGRADE, 1, URL_MAX + 1), ERROR_INVALID_ARGUMENT);
    CU_ASSERT_EQUAL(judge_text(1 + COMMAND_UPGRADE, 1, 0), ERROR_NONE);
    CU_ASSERT_EQUAL(judge_text(1 + COMMAND_NOTIFY, 1, NOTIFY_MAX), ERROR_NONE);
    CU_ASSERT_EQUAL(judge_text(1 + COMMAND_NOTIFY, 1, NOTIFY_MAX + 1), ERROR_INVALID_ARGUMENT);
    CU_ASSERT_EQUAL(judge_text(0, 1, HELLO_AGENT_MAX), ERROR_NONE);
    CU_ASSERT_EQUAL(judge_text(0, 1, HELLO_AGENT_MAX + 1), ERROR_MALFORMED);
    CU_ASSERT_EQUAL(judge_text(1, 1, UINT16_MAX), ERROR_NONE); /* a WELCOME's agent has no limit */
}

static int encode_hello(const struct hello *hello)
{
    uint8_t room[256];
    struct writer writer = {.bytes = room, .size = sizeof(room)};
    int error = codec_encode_hello(hello, &writer);
    CU_ASSERT_EQUAL(writer.length > 0, error == 0);
    return error;
}

static void test_hello_limits(void)
{
    struct hello hello = {.versions = {1, {{127, 127}}}, .agent = {long_text, HELLO_AGENT_MAX}};
    CU_ASSERT_EQUAL(encode_hello(&hello), 0);
    hello.agent.length++;
    CU_ASSERT_EQUAL(encode_hello(&hello), -EMSGSIZE);
    hello.agent = text_of("tab\there");
    CU_ASSERT_EQUAL(encode_hello(&hello), -EINVAL);
    hello.agent = (struct text){NULL, 0};
    CU_ASSERT_EQUAL(encode_hello(&hello), 0);
    hello.versions.pair[0] = (struct wire_version){1, 128};
    CU_ASSERT_EQUAL(encode_hello(&hello), -EINVAL);
    hello.versions.pair[0] = (struct wire_version){128, 0};
    CU_ASSERT_EQUAL(encode_hello(&hello), -EINVAL);
    hello.versions.pair[0] = (struct wire_version){0, 9};
    CU_ASSERT_EQUAL(encode_hello(&hello), -EINVAL);
    hello.versions = (struct wire_versions){2, {{1, 0}, {1, 1}}};
    CU_ASSERT_EQUAL(encode_hello(&hello), -EINVAL);
    hello.versions = (struct wire_versions){2, {{1, 0}, {2, 0}}};
    CU_ASSERT_EQUAL(encode_hello(&hello), -EINVAL);
    hello.versions.count = 0;
    CU_ASSERT_EQUAL(encode_hello(&hello), -EINVAL);
    hello.versions.count = WIRE_VERSIONS_MAX + 1;
    CU_ASSERT_EQUAL(encode_hello(&hello), -EINVAL);
}

static enum error_code judge_versions(size_t index, size_t piece, const void *bytes, size_t length)
{
    CU_ASSERT_TRUE_FATAL(take_apart(index, &whole));
    whole.piece[piece].value = bytes;
    whole.piece[piece].length = (uint16_t)length;
    return judge_pieces(&whole);
}

static void test_version_lists(void)
{
    static const size_t where[][2] = {{0, 0}, {COMMAND_LAST + 3, 2}}; /* HELLO, ERROR */
    uint8_t list[2 * (WIRE_VERSIONS_MAX + 1)] = {0};
    for (size_t i = 0; i <= WIRE_VERSIONS_MAX; i++) {
        list[2 * i] = (uint8_t)(WIRE_VERSIONS_MAX + 1 - i);
    }
    for (size_t i = 0; i < 2; i++) {
        size_t message = where[i][0];
        size_t piece = where[i][1];
        CU_ASSERT_EQUAL(judge_versions(message, piece, list, 2), ERROR_NONE);
        CU_ASSERT_EQUAL(judge_versions(message, piece, list, sizeof(list) - 2), ERROR_NONE);
        CU_ASSERT_EQUAL(judge_versions(message, piece, list, sizeof(list)), ERROR_MALFORMED);
        CU_ASSERT_EQUAL(judge_versions(message, piece, list, 0), ERROR_MALFORMED);
        CU_ASSERT_EQUAL(judge_versions(message, piece, list, 1), ERROR_MALFORMED);
        CU_ASSERT_EQUAL(judge_versions(message, piece, list, 3), ERROR_MALFORMED);
        CU_ASSERT_EQUAL(judge_versions(message, piece, "\x02\0\x02\0", 4), ERROR_MALFORMED);
        CU_ASSERT_EQUAL(judge_versions(message, piece, "\x01\0\x02\0", 4), ERROR_MALFORMED);
        CU_ASSERT_EQUAL(judge_versions(message, piece, "\x01\0\0\0", 4), ERROR_MALFORMED);
        CU_ASSERT_EQUAL(judge_versions(message, piece, "\0\x09", 2), ERROR_MALFORMED);
        /* Only a HELLO has to be 7-bit clean. */
        CU_ASSERT_EQUAL(judge_versions(message, piece, "\x01\x80", 2),
                        i == 0 ? ERROR_MALFORMED : ERROR_NONE);
    }
}

/* A HELLO's payload: 127 bytes, filled with a field that is skipped. */
static void test_hello_payload(void)
{
    static const uint8_t filling[HELLO_PAYLOAD_MAX];
    CU_ASSERT_TRUE_FATAL(take_apart(0, &whole));
    size_t used = 2 * TLV_HEADER_SIZE + 2 + strlen("guest") + TLV_HEADER_SIZE;
    insert_piece(&whole, 2, (struct tlv){5, (uint16_t)(HELLO_PAYLOAD_MAX - used), filling});
    CU_ASSERT_EQUAL(judge_pieces(&whole), ERROR_NONE);
    whole.piece[2].length++;
    CU_ASSERT_EQUAL(judge_pieces(&whole), ERROR_MALFORMED);
    whole.piece[2] = (struct tlv){5, 1, (const uint8_t *)"\x7f"};
    CU_ASSERT_EQUAL(judge_pieces(&whole), ERROR_NONE);
    whole.piece[2] = (struct tlv){5, 1, (const uint8_t *)"\x80"};
    CU_ASSERT_EQUAL(judge_pieces(&whole), ERROR_MALFORMED);
}

static int encode_answer(uint32_t id, const struct answer *answer)
{
    static uint8_t room[2 * ROOM];
    struct writer writer = {.bytes = room, .size = sizeof(room)};
    int error = codec_encode_answer((struct wire_version){1, 0}, id, answer, &writer);
    CU_ASSERT_EQUAL(writer.length > 0, error == 0);
    return error;
}

static void test_answer_limits(void)
{
    struct answer response = {.kind = PAYLOAD_NONE};
    CU_ASSERT_EQUAL(encode_answer(0, &response), -EINVAL);
    CU_ASSERT_EQUAL(encode_answer(1, &response), 0);
    response.kind = PAYLOAD_LAST + 1;
    CU_ASSERT_EQUAL(encode_answer(1, &response), -EINVAL);
    /* The kind takes 6 bytes of the largest payload, and this field's header 4. */
    response = (struct answer){.kind = PAYLOAD_HOSTOS_VERSION,
                               .hostos_version = {long_text, FRAME_PAYLOAD_MAX - 6 - 4}};
    CU_ASSERT_EQUAL(encode_answer(1, &response), 0);
    response.hostos_version.length++;
    CU_ASSERT_EQUAL(encode_answer(1, &response), -EMSGSIZE);
    response.hostos_version.length = UINT16_MAX + 1;
    CU_ASSERT_EQUAL(encode_answer(1, &response), -EMSGSIZE);
    response.hostos_version = text_of("\x80");
    CU_ASSERT_EQUAL(encode_answer(1, &response), -EINVAL);

    struct answer error = answer_error(ERROR_NONE, "none");
    CU_ASSERT_EQUAL(encode_answer(0, &error), -EINVAL);
    error.code = 4711;
    CU_ASSERT_EQUAL(encode_answer(0, &error), 0);
}

static void test_values(void)
{
    CU_ASSERT_TRUE_FATAL(take_apart(1 + COMMAND_UPGRADE, &whole));
    whole.piece[3].value = (const uint8_t *)"\0";
    CU_ASSERT_EQUAL(judge_pieces(&whole), ERROR_NONE);
    whole.piece[3].value = (const uint8_t *)"\xff";
    CU_ASSERT_EQUAL(judge_pieces(&whole), ERROR_INVALID_ARGUMENT);

    CU_ASSERT_TRUE_FATAL(take_apart(COMMAND_LAST + 3, &whole));
    CU_ASSERT_EQUAL_FATAL(whole.message.type, FRAME_ERROR);
    whole.piece[0].value = (const uint8_t *)"\xff\xff";
    CU_ASSERT_EQUAL(judge_pieces(&whole), ERROR_NONE); /* a code that is not known */
    whole.piece[0].value = (const uint8_t *)"\0\0";
    CU_ASSERT_EQUAL(judge_pieces(&whole), ERROR_MALFORMED);

    CU_ASSERT_TRUE_FATAL(take_apart(COMMAND_LAST + 4 + PAYLOAD_UPGRADE_STATUS, &whole));
    whole.piece[0].value = (const uint8_t *)"\0\x04"; /* kind 4 */
    CU_ASSERT_EQUAL(judge_pieces(&whole), ERROR_MALFORMED);
}

static const struct unit_test tests[] = {
    {"whole messages are taken", test_whole},
    {"a field is missing", test_missing},
    {"a field has another width", test_width},
    {"fields out of order, repeated", test_order},
    {"unknown tags: even refused, odd skipped", test_unknown_tags},
    {"bytes left over, lengths past the end", test_end},
    {"texts that are none", test_texts},
    {"malformed comes first", test_precedence},
    {"requests: limits of the encoder", test_request_limits},
    {"texts: limits of the decoder", test_text_limits},
    {"HELLO: limits of the encoder", test_hello_limits},
    {"version lists", test_version_lists},
    {"HELLO: limits of the payload", test_hello_payload},
    {"answers: limits of the encoder", test_answer_limits},
    {"values at their limits", test_values},
};

int main(void)
{
    memset(long_text, 'x', sizeof(long_text));
    return unit_main("wire limits", tests, sizeof(tests) / sizeof(tests)[0]);
}
