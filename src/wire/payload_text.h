/* SPDX-License-Identifier: Apache-2.0 */
/* A response as one line for people and scripts: the payload and value forms that vsock_guest
 * prints, and vsock_host --status.
 *
 * Threads  pure functions.
 */
#ifndef WIRE_PAYLOAD_TEXT_H
#define WIRE_PAYLOAD_TEXT_H

#include "wire/message.h"

/* Both write a line without its newline, strings escaped, cut to fit `size`, and return the length
 * that is needed, as snprintf does. A phase or code without a name is shown as its number. */
size_t payload_text(const struct answer *response, char *out, size_t size);
size_t payload_value(const struct answer *response, char *out, size_t size);

#endif
