/* SPDX-License-Identifier: Apache-2.0 */
/* A response as one line: what vsock_guest --output and vsock_host --status print. */
#ifndef WIRE_PAYLOAD_TEXT_H
#define WIRE_PAYLOAD_TEXT_H

#include "wire/message.h"

/* Both write a line without a newline, with strings escaped, cut to `size`, and return the needed
 * length, as snprintf does. A phase or code without a name is printed as a number. */
size_t payload_text(const struct answer *response, char *out, size_t size);
size_t payload_value(const struct answer *response, char *out, size_t size);

#endif
