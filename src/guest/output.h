/* SPDX-License-Identifier: Apache-2.0 */
/* A response in the form that --output asks for.
 *
 * Threads  pure function.
 */
#ifndef GUEST_OUTPUT_H
#define GUEST_OUTPUT_H

#include "guest/options.h"

/* 0 and the line with its newline, or nothing at all, to be freed by the caller; or -ENOMEM. */
MUST_CHECK int output_format(const struct answer *response, enum output_format format, char **ret);

#endif
