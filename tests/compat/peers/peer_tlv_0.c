/* SPDX-License-Identifier: Apache-2.0 */
#include "peer_tlv_0.h"

#include <string.h>

enum { TYPE_REQUEST = 1, TYPE_OK = 2, TYPE_ERROR = 3, LENGTH_AT = 8 };

size_t peer_tlv_0_payload(const uint8_t *header)
{
    return octets_number(header + LENGTH_AT, 2);
}

bool peer_tlv_0_is_ours(const uint8_t *header)
{
    return memcmp(header, "VSCK\x00\x09", 6) == 0;
}

static size_t begin(struct octets *out, unsigned type)
{
    size_t start = out->length;
    octets_add(out, "VSCK\x00\x09", 6);
    octets_add_number(out, type, 1);
    octets_add_number(out, 0, 3); /* reserved, and the length that end() sets */
    return start;
}

static void end(struct octets *out, size_t start)
{
    size_t whole = out->length;
    out->length = start + LENGTH_AT;
    octets_add_number(out, whole - start - PEER_TLV_0_HEADER, 2);
    out->length = whole;
}

static void add_field(struct octets *out, unsigned tag, size_t length)
{
    octets_add_number(out, tag, 1);
    octets_add_number(out, length, 2);
}

static void add_text(struct octets *out, unsigned tag, const char *text)
{
    add_field(out, tag, strlen(text));
    octets_add_text(out, text);
}

bool peer_tlv_0_request(struct octets *out, const struct peer_request *request)
{
    if (request->command > PEER_NOTIFY) {
        return false;
    }
    size_t start = begin(out, TYPE_REQUEST);
    add_field(out, 1, 1);
    octets_add_number(out, request->command, 1);
    if (request->command == PEER_UPGRADE) {
        add_text(out, 2, request->url);
        add_field(out, 3, PEER_HASH_BYTES);
        octets_add_hash(out, request->hash);
    } else if (request->command == PEER_NOTIFY) {
        add_text(out, 4, request->message);
        add_field(out, 5, 4);
        octets_add_number(out, request->count, 4);
    }
    end(out, start);
    return true;
}

void peer_tlv_0_ok(struct octets *out, enum peer_command command)
{
    size_t start = begin(out, TYPE_OK);
    if (command == PEER_GET_HOSTOS_VERSION) {
        add_text(out, 1, "1.2.3");
    }
    end(out, start);
}

void peer_tlv_0_error(struct octets *out, const char *text)
{
    size_t start = begin(out, TYPE_ERROR);
    add_text(out, 1, text);
    end(out, start);
}
