/* SPDX-License-Identifier: Apache-2.0 */
/* One try to get an image, or the rest of it, from one url: the redirects, each judged and counted,
 * and what the answers mean for the file.
 *
 * Threads  blocks its caller.
 * Errors   0: the store has the whole file. Else -errno, with the reason in the store's failure.
 */
#ifndef HOST_ATTEMPT_H
#define HOST_ATTEMPT_H

#include "host/download/store.h"
#include "wire/attributes.h"

struct attempt {
    struct store *store;
    const char *url;     /* as asked for */
    bool others;         /* there are other mirrors: one whose file differs from what is there is
                            given up, instead of beginning anew with it */
    bool *range_refused; /* a 416 has come in this download */
};

MUST_CHECK int attempt_run(const struct attempt *attempt);

#endif
