/* SPDX-License-Identifier: Apache-2.0 */
#include "octets.h"

#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void octets_clear(struct octets *octets)
{
    octets->length = 0;
}

void octets_add(struct octets *octets, const void *bytes, size_t length)
{
    if (length > OCTETS_MAX - octets->length) {
        fprintf(stderr, "octets: %zu bytes and %zu more are too many\n", octets->length, length);
        abort();
    }
    if (length > 0) {
        memcpy(octets->bytes + octets->length, bytes, length);
    }
    octets->length += length;
}

void octets_add_text(struct octets *octets, const char *text)
{
    octets_add(octets, text, strlen(text));
}

void octets_add_number(struct octets *octets, uint64_t number, size_t width)
{
    for (size_t i = 0; i < width; i++) {
        uint8_t byte = (uint8_t)(number >> 8 * (width - 1 - i));
        octets_add(octets, &byte, 1);
    }
}

void octets_add_hash(struct octets *octets, const char *hash)
{
    for (size_t i = 0; i < PEER_HASH_BYTES; i++) {
        char digits[3] = {hash[2 * i], hash[2 * i + 1], '\0'};
        octets_add_number(octets, strtoul(digits, NULL, 16), 1);
    }
}

uint64_t octets_number(const uint8_t *bytes, size_t width)
{
    uint64_t number = 0;
    for (size_t i = 0; i < width; i++) {
        number = number << 8 | bytes[i];
    }
    return number;
}
