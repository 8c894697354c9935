/* SPDX-License-Identifier: Apache-2.0 */
#include "peer_host_talk.h"

#include "peer_json.h"
#include "peer_tlv_0.h"

#include <string.h>

enum {
    READ_ONCE = 4096,
    MAJOR_AT = 4,
    CODE_MALFORMED = 1,
    CODE_UNSUPPORTED_VERSION = 2,
};

static struct peer_request request_of(const struct peer_talk *talk, enum peer_command command)
{
    struct peer_request request = talk->setup->arguments;
    request.command = command;
    return request;
}

static bool same(const struct octets *a, const struct octets *b)
{
    return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

/* The one encoding of a command in the host's dialect. TLV 1 takes version and id from the frame
 * that it is compared with. */
static bool encode(const struct peer_talk *talk, enum peer_command command,
                   const struct octets *model, struct octets *out)
{
    struct peer_request request = request_of(talk, command);
    octets_clear(out);
    switch (talk->setup->habit->speaks) {
    case PEER_HOST_TLV_1:
        if (model->length < PEER_TLV_1_HEADER) {
            return false;
        }
        peer_tlv_1_request(out, (struct peer_version){model->bytes[4], model->bytes[5]},
                           (uint32_t)octets_number(model->bytes + 8, 4), &request);
        return true;
    case PEER_HOST_TLV_0:
        return peer_tlv_0_request(out, &request);
    case PEER_HOST_JSON_1:
        return peer_json_1_request(out, PEER_HOST_CID, &request);
    case PEER_HOST_JSON_0:
    case PEER_HOST_ACCEPTS_ALL:
        return peer_json_0_request(out, PEER_HOST_CID, &request);
    case PEER_HOST_SILENT:
    case PEER_HOST_JUNK:
        break;
    }
    return false;
}

/* The command that these bytes ask for, to the byte; PEER_NONE for none. */
static enum peer_command recognise(const struct peer_talk *talk, const struct octets *bytes)
{
    for (int command = 1; command < PEER_COMMANDS; command++) {
        struct octets expected;
        if (encode(talk, (enum peer_command)command, bytes, &expected) && same(bytes, &expected)) {
            return (enum peer_command)command;
        }
    }
    return PEER_NONE;
}

static bool fails_here(const struct peer_talk *talk, bool at_answer)
{
    const struct peer_failure *failure = &talk->setup->failure;
    return failure->kind != PEER_FAILURE_NONE && failure->connection == talk->number &&
           (failure->kind == PEER_FAILURE_ANSWER) == at_answer;
}

/* Reads a piece of the request, and leaves in the way that the test asks for. */
static void fail(struct peer_talk *talk)
{
    struct octets piece = {.length = 0};
    (void)peer_link_read(&talk->link, talk->setup->failure.bytes,
                         &piece); /* what is there counts */
    enum peer_command command = recognise(talk, &piece);
    if (command != PEER_NONE) {
        peer_host_count_request(talk->host, command);
    } else if (piece.length > 0) {
        peer_host_count_cut(talk->host);
    }
    if (talk->setup->failure.kind == PEER_FAILURE_SILENT) {
        (void)peer_link_pause(&talk->link, PEER_LINK_PATIENCE_MS); /* until the test stops it */
        return;
    }
    if (talk->setup->failure.kind == PEER_FAILURE_END) {
        peer_link_half_close(&talk->link);
    }
    if (talk->setup->failure.kind != PEER_FAILURE_RESET) {
        octets_clear(&piece);
        (void)peer_link_read_to_end(&talk->link, &piece); /* the guest's end is waited for */
    }
}

/* The first word of a connection may be late. */
static void say(struct peer_talk *talk, const struct octets *words)
{
    if (!talk->spoke && !peer_link_pause(&talk->link, talk->setup->habit->delay_ms)) {
        return;
    }
    talk->spoke = true;
    (void)peer_link_write(&talk->link, words); /* a guest that has gone is met at the next read */
}

/* False: the answer was cut, and the connection ends. */
static bool answer(struct peer_talk *talk, struct octets *words)
{
    bool cut = fails_here(talk, true);
    if (cut && words->length > talk->setup->failure.bytes) {
        words->length = talk->setup->failure.bytes;
    }
    if (words->length > 0) {
        say(talk, words);
    }
    return !cut;
}

/* --- JSON --- */

static bool read_json(struct peer_talk *talk, struct octets *ret)
{
    if (!talk->setup->habit->reads_to_end) {
        return peer_link_read_once(&talk->link, READ_ONCE, ret) == PEER_LINK_DATA;
    }
    talk->link.deadline_ms = peer_link_now_ms() + talk->setup->drop_ms;
    return peer_link_read_to_end(&talk->link, ret) == PEER_LINK_EOF && ret->length > 0;
}

static void json_answer(const struct peer_talk *talk, enum peer_command command, struct octets *out)
{
    bool accepts = talk->setup->habit->speaks == PEER_HOST_ACCEPTS_ALL || command != PEER_NONE;
    if (talk->setup->habit->speaks != PEER_HOST_JSON_1) {
        octets_add_text(out, accepts ? PEER_JSON_0_ACCEPTED : PEER_JSON_0_INVALID);
    } else if (accepts) {
        peer_json_1_ok(out, command);
    } else {
        peer_json_1_error(out, "the request cannot be parsed");
    }
}

/* Says nothing, whatever the guest does, until the test stops the host. */
static void hang(const struct peer_talk *talk)
{
    (void)peer_link_pause(&talk->link, PEER_LINK_PATIENCE_MS); /* how it ends is the same */
}

static void talk_json(struct peer_talk *talk)
{
    struct octets request = {.length = 0};
    struct octets words = {.length = 0};
    if (fails_here(talk, false)) {
        fail(talk);
        return;
    }
    if (!read_json(talk, &request)) {
        return;
    }
    if (!peer_json_is_utf_8(request.bytes, request.length)) {
        hang(talk);
        return;
    }
    enum peer_command command = recognise(talk, &request);
    if (command != PEER_NONE) {
        peer_host_count_request(talk->host, command);
    } else {
        peer_host_count_strange(talk->host);
    }
    json_answer(talk, command, &words);
    (void)answer(talk, &words); /* the connection ends in any case */
}

/* --- TLV 0.9 --- */

static void tlv_0_answer(struct peer_talk *talk, const struct octets *request, struct octets *out)
{
    enum peer_command command = recognise(talk, request);
    if (command != PEER_NONE) {
        peer_host_count_request(talk->host, command);
        peer_tlv_0_ok(out, command);
        return;
    }
    peer_host_count_strange(talk->host);
    peer_tlv_0_error(out, peer_tlv_0_is_ours(request->bytes) ? "malformed: not a request"
                                                             : "unsupported version");
}

/* It answers what is not its own from the header, and closes with the rest unread. */
static void talk_tlv_0(struct peer_talk *talk)
{
    struct octets request = {.length = 0};
    struct octets words = {.length = 0};
    if (fails_here(talk, false)) {
        fail(talk);
        return;
    }
    if (peer_link_read(&talk->link, PEER_TLV_0_HEADER, &request) != PEER_LINK_DATA) {
        return;
    }
    size_t length = peer_tlv_0_payload(request.bytes);
    if (peer_tlv_0_is_ours(request.bytes) &&
        (length > OCTETS_MAX / 2 ||
         peer_link_read(&talk->link, length, &request) != PEER_LINK_DATA)) {
        peer_host_count_cut(talk->host);
        return;
    }
    tlv_0_answer(talk, &request, &words);
    (void)answer(talk, &words); /* the connection ends in any case */
}

/* --- TLV 1 and 2 --- */

/* The version that is in the header of an error before WELCOME: the highest one. */
static void refuse(struct peer_talk *talk, unsigned code, const char *message)
{
    const struct peer_versions *ours = &talk->setup->habit->versions;
    struct octets words = {.length = 0};
    peer_host_count_strange(talk->host);
    peer_tlv_1_error(&words, ours->pair[0], 0, code, message,
                     code == CODE_UNSUPPORTED_VERSION ? ours : NULL);
    say(talk, &words);
    peer_link_half_close(&talk->link);
    octets_clear(&words);
    (void)peer_link_read_to_end(&talk->link, &words); /* the guest's end is waited for */
}

/* The bytes that tell the wire. A guest of 0.9 sends less than a header of ours, and waits. False: it
 * is none of ours; that was dealt with. */
static bool read_magic(struct peer_talk *talk, struct octets *ret)
{
    if (peer_link_read(&talk->link, 1, ret) != PEER_LINK_DATA) {
        return false;
    }
    if (ret->bytes[0] != 'V') {
        refuse(talk, CODE_MALFORMED, "no frame: expected VSCK");
        return false;
    }
    if (peer_link_read(&talk->link, MAJOR_AT, ret) != PEER_LINK_DATA) {
        return false;
    }
    if (ret->bytes[MAJOR_AT] == 0) {
        refuse(talk, CODE_UNSUPPORTED_VERSION, "no common major");
        return false;
    }
    return true;
}

/* One frame. False: the stream ended, or it is none; that was dealt with. */
static bool read_frame(struct peer_talk *talk, struct octets *ret)
{
    octets_clear(ret);
    if (!read_magic(talk, ret) ||
        peer_link_read(&talk->link, PEER_TLV_1_HEADER - ret->length, ret) != PEER_LINK_DATA) {
        return false;
    }
    size_t length = peer_tlv_1_payload(ret->bytes);
    return length <= OCTETS_MAX / 2 && peer_link_read(&talk->link, length, ret) == PEER_LINK_DATA;
}

static bool greet(struct peer_talk *talk, struct peer_version *agreed)
{
    struct octets hello;
    struct peer_frame frame;
    if (!read_frame(talk, &hello)) {
        return false;
    }
    if (!peer_tlv_1_read(hello.bytes, hello.length, &frame) || frame.type != PEER_TLV_1_HELLO) {
        refuse(talk, CODE_MALFORMED, "the first frame is no HELLO");
        return false;
    }
    *agreed = peer_tlv_1_agree(&frame, &talk->setup->habit->versions);
    if (agreed->major == 0) {
        refuse(talk, CODE_UNSUPPORTED_VERSION, "no common major");
        return false;
    }
    octets_clear(&hello);
    peer_tlv_1_welcome(&hello, *agreed);
    say(talk, &hello);
    return true;
}

/* False: the connection ends. */
static bool serve_frame(struct peer_talk *talk, struct peer_version agreed)
{
    struct octets request;
    if (fails_here(talk, false)) {
        fail(talk);
        return false;
    }
    if (!read_frame(talk, &request)) {
        if (request.length > 0) {
            peer_host_count_cut(talk->host);
        }
        return false;
    }
    enum peer_command command = recognise(talk, &request);
    if (command == PEER_NONE || request.bytes[4] != agreed.major ||
        request.bytes[5] != agreed.minor) {
        refuse(talk, CODE_MALFORMED, "no request of this version");
        return false;
    }
    peer_host_count_request(talk->host, command);
    uint32_t id = (uint32_t)octets_number(request.bytes + 8, 4);
    octets_clear(&request);
    peer_tlv_1_response(&request, agreed, id, command);
    return answer(talk, &request);
}

static void talk_tlv_1(struct peer_talk *talk)
{
    struct peer_version agreed = {0, 0};
    bool going = greet(talk, &agreed);
    while (going) {
        going = serve_frame(talk, agreed);
    }
}

/* --- neither --- */

static void talk_junk(struct peer_talk *talk)
{
    struct octets words = {.length = 0};
    octets_add_text(&words, "SSH-2.0-OpenSSH_9.2\r\n");
    say(talk, &words);
    octets_clear(&words);
    (void)peer_link_read_to_end(&talk->link, &words); /* the guest's end is waited for */
}

void peer_host_talk(struct peer_talk *talk)
{
    switch (talk->setup->habit->speaks) {
    case PEER_HOST_JSON_0:
    case PEER_HOST_JSON_1:
    case PEER_HOST_ACCEPTS_ALL:
        talk_json(talk);
        break;
    case PEER_HOST_TLV_0:
        talk_tlv_0(talk);
        break;
    case PEER_HOST_TLV_1:
        talk_tlv_1(talk);
        break;
    case PEER_HOST_JUNK:
        talk_junk(talk);
        break;
    case PEER_HOST_SILENT:
        hang(talk);
        break;
    }
}
