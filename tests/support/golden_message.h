/* SPDX-License-Identifier: Apache-2.0 */
/* What the frames of tests/golden/tlv-1 say, as tests/golden/README.md tells it. */
#ifndef TESTS_GOLDEN_MESSAGE_H
#define TESTS_GOLDEN_MESSAGE_H

#include "wire/layout.h"

enum { GOLDEN_ID = 0x01020304 };

struct golden_message {
    const char *name; /* of the file, without ".hex" */
    enum frame_type type;
    struct wire_version version; /* of the header */
    uint32_t id;
    /* By type: */
    struct hello hello;
    struct welcome welcome;
    struct request request;
    struct answer answer; /* ERROR, PROGRESS, RESPONSE */
};

extern const struct golden_message golden_messages[];
extern const size_t golden_messages_count;

#endif
