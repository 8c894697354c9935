/* SPDX-License-Identifier: Apache-2.0 */
/* [install] allowed_hashes: a file of SHA-256 lines. Blank lines and lines that begin with # are
 * left out; what follows the digest and a blank is not looked at, so that a list by sha256sum can
 * be used. Any other line makes the file unusable, and nothing is allowed.
 */
#ifndef HOST_INSTALL_ALLOWED_H
#define HOST_INSTALL_ALLOWED_H

#include <stdint.h>

#include "host/steps/install_failure.h"

/* 0: allowed. -1: not, or not known; `failure` says why. An empty path allows every hash. */
MUST_CHECK int install_allowed_check(const char *path, const uint8_t sha256[SHA256_SIZE],
                                     struct install_failure *failure);

#endif
