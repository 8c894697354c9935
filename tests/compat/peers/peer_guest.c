/* SPDX-License-Identifier: Apache-2.0 */
#include "peer_guest.h"

#include "peer_json.h"
#include "peer_link.h"
#include "peer_tlv_0.h"

enum { READ_ONCE = 4096, REQUEST_ID = 0x01020304 };

const struct peer_guest peer_guests[] = {
    {.name = "json-0 2022", .speaks = PEER_GUEST_JSON_0},
    {.name = "json-1 2023, one read", .speaks = PEER_GUEST_JSON_1},
    {.name = "json-1, reads to the end", .speaks = PEER_GUEST_JSON_1, .reads_to_end = true},
    {.name = "json-1 2026, half-closes",
     .speaks = PEER_GUEST_JSON_1,
     .half_closes = true,
     .reads_to_end = true},
    {.name = "tlv 0.9", .speaks = PEER_GUEST_TLV_0},
    {.name = "tlv 1.0", .speaks = PEER_GUEST_TLV_1, .versions = {{{1, 0}}}},
    {.name = "tlv 1.7", .speaks = PEER_GUEST_TLV_1, .versions = {{{1, 7}}}},
    {.name = "tlv 2.0 and 1.0", .speaks = PEER_GUEST_TLV_1, .versions = {{{2, 0}, {1, 0}}}},
    {.name = "tlv 2.0 only", .speaks = PEER_GUEST_TLV_1, .versions = {{{2, 0}}}},
};
const size_t peer_guests_count = sizeof peer_guests / sizeof peer_guests[0];

/* The request in one dialect; the TLV 1 one carries the version that was agreed. */
static bool encode(const struct peer_guest *guest, struct peer_version agreed,
                   const struct peer_request *request, struct octets *out)
{
    octets_clear(out);
    switch (guest->speaks) {
    case PEER_GUEST_JSON_0:
        return peer_json_0_request(out, PEER_GUEST_CID, request);
    case PEER_GUEST_JSON_1:
        return peer_json_1_request(out, PEER_GUEST_CID, request);
    case PEER_GUEST_TLV_0:
        return peer_tlv_0_request(out, request);
    case PEER_GUEST_TLV_1:
        break;
    }
    peer_tlv_1_request(out, agreed, REQUEST_ID, request);
    return true;
}

bool peer_guest_can_ask(const struct peer_guest *guest, enum peer_command command)
{
    struct octets ignored;
    struct peer_request request = {.command = command, .url = "", .message = ""};
    struct peer_version version = {1, 0};
    request.hash = "0000000000000000000000000000000000000000000000000000000000000000";
    return encode(guest, version, &request, &ignored);
}

static void read_tlv_1(const struct peer_link *link, struct octets *out)
{
    octets_clear(out);
    if (peer_link_read(link, PEER_TLV_1_HEADER, out) == PEER_LINK_DATA) {
        size_t length = peer_tlv_1_payload(out->bytes);
        if (length < OCTETS_MAX - PEER_TLV_1_HEADER) {
            (void)peer_link_read(link, length, out); /* what is there is compared */
        }
    }
}

static void read_tlv_0(const struct peer_link *link, struct octets *out)
{
    octets_clear(out);
    if (peer_link_read(link, PEER_TLV_0_HEADER, out) == PEER_LINK_DATA &&
        peer_tlv_0_is_ours(out->bytes)) {
        size_t length = peer_tlv_0_payload(out->bytes);
        if (length < OCTETS_MAX - PEER_TLV_0_HEADER) {
            (void)peer_link_read(link, length, out); /* what is there is compared */
        }
    }
}

/* True: the stream ends here. */
static bool at_end(const struct peer_link *link)
{
    struct octets more = {.length = 0};
    return peer_link_read_once(link, 1, &more) == PEER_LINK_EOF;
}

/* What HELLO is answered with. False: no version was agreed on. */
static bool greet(const struct peer_guest *guest, const struct peer_link *link,
                  struct peer_heard *ret, struct peer_version *agreed)
{
    struct octets hello;
    struct peer_frame frame;
    octets_clear(&hello);
    peer_tlv_1_hello(&hello, &guest->versions, "peer_guest");
    if (!peer_link_write(link, &hello)) {
        return false;
    }
    read_tlv_1(link, &ret->greeting);
    if (!peer_tlv_1_read(ret->greeting.bytes, ret->greeting.length, &frame) ||
        frame.type != PEER_TLV_1_WELCOME) {
        ret->ended = at_end(link);
        return false;
    }
    *agreed = frame.version;
    return true;
}

static void hear(const struct peer_guest *guest, const struct peer_link *link,
                 struct peer_heard *ret)
{
    if (guest->speaks == PEER_GUEST_TLV_1) {
        read_tlv_1(link, &ret->answer);
        peer_link_half_close(link);
    } else if (guest->speaks == PEER_GUEST_TLV_0) {
        read_tlv_0(link, &ret->answer);
    } else if (guest->reads_to_end) {
        ret->ended = peer_link_read_to_end(link, &ret->answer) == PEER_LINK_EOF;
        return;
    } else {
        (void)peer_link_read_once(link, READ_ONCE, &ret->answer); /* what is there is compared */
    }
    ret->ended = at_end(link);
}

bool peer_guest_ask(const struct peer_guest *guest, const char *path,
                    const struct peer_request *request, struct peer_heard *ret)
{
    struct octets out;
    struct peer_version agreed = {0, 0};
    struct peer_link link = peer_link_connect(path);
    octets_clear(&ret->greeting);
    octets_clear(&ret->answer);
    ret->ended = false;
    bool asked = link.fd >= 0 &&
                 (guest->speaks != PEER_GUEST_TLV_1 || greet(guest, &link, ret, &agreed)) &&
                 encode(guest, agreed, request, &out) && peer_link_write(&link, &out);
    if (asked) {
        if (guest->half_closes) {
            peer_link_half_close(&link);
        }
        hear(guest, &link, ret);
    }
    peer_link_close(&link);
    return ret->greeting.length > 0 || ret->answer.length > 0;
}
