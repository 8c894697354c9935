/* SPDX-License-Identifier: Apache-2.0 */
/* A response as a JSON value: the output of `vsock_guest --output json`, and the answer of json-1.
 * */
#ifndef COMPAT_JSON_TEXT_H
#define COMPAT_JSON_TEXT_H

#include "wire/attributes.h"
#include "wire/message.h"

struct json;

/* As the makers of compat/json.h. A phase or code without a name is a string of its digits. */
struct json *json_text_value(const struct answer *response);

/* Compact, one line, ASCII alone, so that nothing a host sends can reach a terminal as anything but
 * printable characters. 0 and a text to be freed by the caller, or -ENOMEM. */
MUST_CHECK int json_text(const struct answer *response, char **ret);

#endif
