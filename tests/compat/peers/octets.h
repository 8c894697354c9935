/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that grow. One too many is a mistake of the test, and ends it. */
#ifndef PEERS_OCTETS_H
#define PEERS_OCTETS_H

#include <stddef.h>
#include <stdint.h>

enum { OCTETS_MAX = 32768 };

struct octets {
    size_t length;
    uint8_t bytes[OCTETS_MAX];
};

void octets_clear(struct octets *octets);
void octets_add(struct octets *octets, const void *bytes, size_t length);
void octets_add_text(struct octets *octets, const char *text);
/* Big-endian, `width` bytes. */
void octets_add_number(struct octets *octets, uint64_t number, size_t width);
/* 32 bytes from 64 hex digits. */
void octets_add_hash(struct octets *octets, const char *hash);

/* Big-endian. */
uint64_t octets_number(const uint8_t *bytes, size_t width);

#endif
