/* SPDX-License-Identifier: Apache-2.0 */
#include "peer_tlv_1.h"

#include <string.h>

enum { FIELD_HEADER = 4, LENGTH_AT = 12 };

size_t peer_tlv_1_payload(const uint8_t *header)
{
    return octets_number(header + LENGTH_AT, 4);
}

/* The tags rise and the lengths add up. */
static bool fields_are_sound(const uint8_t *payload, size_t length)
{
    uint64_t last = 0;
    size_t at = 0;
    while (length - at >= FIELD_HEADER) {
        uint64_t tag = octets_number(payload + at, 2);
        uint64_t size = octets_number(payload + at + 2, 2);
        if (tag <= last || size > length - at - FIELD_HEADER) {
            return false;
        }
        last = tag;
        at += FIELD_HEADER + size;
    }
    return at == length;
}

bool peer_tlv_1_read(const uint8_t *bytes, size_t length, struct peer_frame *ret)
{
    if (length < PEER_TLV_1_HEADER || memcmp(bytes, "VSCK", 4) != 0 ||
        peer_tlv_1_payload(bytes) != length - PEER_TLV_1_HEADER) {
        return false;
    }
    *ret = (struct peer_frame){
        .version = {bytes[4], bytes[5]},
        .type = (uint16_t)octets_number(bytes + 6, 2),
        .id = (uint32_t)octets_number(bytes + 8, 4),
        .payload = bytes + PEER_TLV_1_HEADER,
        .length = length - PEER_TLV_1_HEADER,
    };
    return fields_are_sound(ret->payload, ret->length);
}

const uint8_t *peer_tlv_1_field(const struct peer_frame *frame, unsigned tag, size_t *ret_length)
{
    size_t at = 0;
    while (at < frame->length) {
        size_t size = octets_number(frame->payload + at + 2, 2);
        if (octets_number(frame->payload + at, 2) == tag) {
            *ret_length = size;
            return frame->payload + at + FIELD_HEADER;
        }
        at += FIELD_HEADER + size;
    }
    return NULL;
}

static struct peer_version common(const uint8_t *pair, const struct peer_versions *ours)
{
    for (size_t i = 0; i < PEER_TLV_1_VERSIONS && ours->pair[i].major != 0; i++) {
        if (ours->pair[i].major == pair[0]) {
            uint8_t minor = pair[1] < ours->pair[i].minor ? pair[1] : ours->pair[i].minor;
            return (struct peer_version){pair[0], minor};
        }
    }
    return (struct peer_version){0, 0};
}

struct peer_version peer_tlv_1_agree(const struct peer_frame *hello,
                                     const struct peer_versions *ours)
{
    struct peer_version agreed = {0, 0};
    size_t length = 0;
    const uint8_t *pairs = peer_tlv_1_field(hello, 2, &length);
    for (size_t i = 0; pairs != NULL && i + 1 < length && agreed.major == 0; i += 2) {
        agreed = common(pairs + i, ours);
    }
    return agreed;
}

/* The header; the payload's length is set when the frame is ended. */
static size_t begin(struct octets *out, struct peer_version version, unsigned type, uint32_t id)
{
    size_t start = out->length;
    octets_add_text(out, "VSCK");
    octets_add_number(out, version.major, 1);
    octets_add_number(out, version.minor, 1);
    octets_add_number(out, type, 2);
    octets_add_number(out, id, 4);
    octets_add_number(out, 0, 4);
    return start;
}

static void end(struct octets *out, size_t start)
{
    size_t whole = out->length;
    out->length = start + LENGTH_AT;
    octets_add_number(out, whole - start - PEER_TLV_1_HEADER, 4);
    out->length = whole;
}

static void add_number(struct octets *out, unsigned tag, uint64_t number, size_t width)
{
    octets_add_number(out, tag, 2);
    octets_add_number(out, width, 2);
    octets_add_number(out, number, width);
}

static void add_text(struct octets *out, unsigned tag, const char *text)
{
    octets_add_number(out, tag, 2);
    octets_add_number(out, strlen(text), 2);
    octets_add_text(out, text);
}

static void add_hash(struct octets *out, unsigned tag, const char *hash)
{
    octets_add_number(out, tag, 2);
    octets_add_number(out, PEER_HASH_BYTES, 2);
    octets_add_hash(out, hash);
}

static void add_versions(struct octets *out, unsigned tag, const struct peer_versions *versions)
{
    size_t count = 0;
    while (count < PEER_TLV_1_VERSIONS && versions->pair[count].major != 0) {
        count++;
    }
    octets_add_number(out, tag, 2);
    octets_add_number(out, 2 * count, 2);
    for (size_t i = 0; i < count; i++) {
        octets_add_number(out, versions->pair[i].major, 1);
        octets_add_number(out, versions->pair[i].minor, 1);
    }
}

void peer_tlv_1_hello(struct octets *out, const struct peer_versions *versions, const char *agent)
{
    size_t start = begin(out, versions->pair[0], PEER_TLV_1_HELLO, 0);
    add_versions(out, 2, versions);
    add_text(out, 3, agent);
    end(out, start);
}

void peer_tlv_1_welcome(struct octets *out, struct peer_version version)
{
    size_t start = begin(out, version, PEER_TLV_1_WELCOME, 0);
    add_number(out, 2, (uint64_t)version.major << 8 | version.minor, 2);
    add_text(out, 3, "peer_host");
    end(out, start);
}

void peer_tlv_1_error(struct octets *out, struct peer_version version, uint32_t id, unsigned code,
                      const char *message, const struct peer_versions *versions)
{
    size_t start = begin(out, version, PEER_TLV_1_ERROR, id);
    add_number(out, 2, code, 2);
    add_text(out, 4, message);
    if (versions != NULL) {
        add_versions(out, 5, versions);
    }
    end(out, start);
}

void peer_tlv_1_request(struct octets *out, struct peer_version version, uint32_t id,
                        const struct peer_request *request)
{
    size_t start = begin(out, version, PEER_TLV_1_REQUEST, id);
    add_number(out, 2, request->command, 2);
    if (request->command == PEER_UPGRADE) {
        add_text(out, 4, request->url);
        add_hash(out, 6, request->hash);
    } else if (request->command == PEER_NOTIFY) {
        add_text(out, 8, request->message);
        add_number(out, 10, request->count, 4);
    }
    end(out, start);
}

void peer_tlv_1_response(struct octets *out, struct peer_version version, uint32_t id,
                         enum peer_command command)
{
    size_t start = begin(out, version, PEER_TLV_1_RESPONSE, id);
    if (command == PEER_GET_VSOCK_VERSION) {
        add_number(out, 2, 1, 2);
        octets_add(out, "\x00\x04\x00\x0c\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00", 16);
    } else if (command == PEER_GET_HOSTOS_VERSION) {
        add_number(out, 2, 2, 2);
        add_text(out, 6, "1.2.3");
    } else if (command == PEER_GET_UPGRADE_STATUS) {
        add_number(out, 2, 3, 2);
        add_number(out, 8, 0, 2);
        add_number(out, 10, 0, 8);
        add_number(out, 12, 0, 8);
        add_number(out, 16, 0, 2);
    } else {
        add_number(out, 2, 0, 2);
    }
    end(out, start);
}
