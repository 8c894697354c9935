/* SPDX-License-Identifier: Apache-2.0 */
/* A response as JSON, for scripts: compact, one line, ASCII alone, so that nothing a host sends can
 * reach a terminal as anything but printable characters.
 *
 * Threads  any.
 */
#ifndef COMPAT_JSON_TEXT_H
#define COMPAT_JSON_TEXT_H

#include "wire/attributes.h"
#include "wire/message.h"

/* 0 and a text to be freed by the caller, or -ENOMEM. A phase or code without a name is a string of
 * its digits; counts above INT64_MAX, which JSON libraries cannot hold, are told as that. */
MUST_CHECK int json_text(const struct answer *response, char **ret);

#endif
