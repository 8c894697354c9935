/* SPDX-License-Identifier: Apache-2.0 */
/* What no single line can get wrong: lists that are too short once all files are read, and keys
 * that do not fit each other.
 *
 * Errors   0 or -EINVAL with one line in `problem`, which names both keys of two.
 */
#ifndef HOST_CONF_CHECK_H
#define HOST_CONF_CHECK_H

#include "host/conf/conf_mention.h"

/* A limit of connections per CID that no file gave is cut to the limit of all connections. */
MUST_CHECK int conf_check(struct conf *conf, struct conf_mentions *mentions,
                          char problem[CONF_PROBLEM_MAX]);

#endif
