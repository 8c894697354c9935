/* SPDX-License-Identifier: Apache-2.0 */
/* One attempt to fetch an image, or the rest of it, from one url. Redirects are judged and counted.
 *
 * Errors   0: the store has the whole file. Else -errno, with the reason in the store's failure.
 */
#ifndef HOST_ATTEMPT_H
#define HOST_ATTEMPT_H

#include "host/download/store.h"
#include "wire/attributes.h"

struct attempt {
    struct store *store;
    const char *url;     /* the requested one */
    bool others;         /* there are other mirrors: one whose file differs from the stored part is
                            dropped, instead of starting over with it */
    bool *range_refused; /* a 416 was received in this download */
};

MUST_CHECK int attempt_run(const struct attempt *attempt);

#endif
