/* SPDX-License-Identifier: Apache-2.0 */
/* Connects, negotiates, sends one command and receives its answer. One thread. */
#ifndef GUEST_ASK_H
#define GUEST_ASK_H

#include "compat/client.h"
#include "guest/screen.h"
#include "wire/address.h"
#include "wire/attributes.h"

#include <stdint.h>

enum { LOCAL_CID_DEFAULT = 3 }; /* the first guest's */

/* This machine's CID, which JSON requests carry, from /dev/vsock (vsock(7)). -EAFNOSUPPORT: no device;
 * -EADDRNOTAVAIL: the kernel does not know it yet. */
MUST_CHECK int local_cid_read(const char *device, uint32_t *ret);

/* `value`: VSOCK_LOCAL_CID, or NULL for the default. -EINVAL: not a number below 2^32 - 1. */
MUST_CHECK int local_cid_parse(const char *value, uint32_t *ret);

/* True when an upgrade in this phase has ended; an unknown phase has not. */
bool follow_has_ended(unsigned phase);

struct asking {
    const struct options *options;
    struct screen *screen;
    int64_t trying_since_ms; /* 0: no try has failed */
    bool noted;
    struct client client;
    struct client_outcome outcome;
};

/* The outcome's texts are valid until client_done(&asking->client). */
void ask_run(struct asking *asking, const struct options *options, struct screen *screen,
             int stop_fd, int64_t deadline_ms);

#endif
