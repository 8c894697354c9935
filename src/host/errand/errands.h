/* SPDX-License-Identifier: Apache-2.0 */
/* The errands: attach-hsm, detach-hsm and start-upgrade-guest-vm. They take a program outside the
 * daemon and may hang, so one thread does them, one after the other, behind a short queue. Callers
 * ask and are rung; they never wait for it. An errand that was begun goes on when its guest is gone.
 *
 * Threads  submit and the tickets: any thread.  new, start, stop, free: main thread.
 * Lock     one, rank 6 (ranks: main.c). The work runs with no lock held.
 * Errors   0 or -errno; refusals are values that the guest is told. Each end is logged, once.
 * Owner    a ticket is one reference, see ticket.h.
 */
#ifndef HOST_ERRANDS_H
#define HOST_ERRANDS_H

#include "host/conf/conf.h"
#include "host/ticket.h"
#include "wire/attributes.h"

struct errands;

enum { ERRANDS_QUEUE = 4 /* that wait behind the one under way; more are refused with `busy` */ };

MUST_CHECK int errands_new(const struct conf *conf, const char *config_path,
                           struct ticket_bell bell, struct errands **ret);
MUST_CHECK int errands_start(struct errands *errands);
/* From the next errand on. */
void errands_configure(struct errands *errands, const struct conf *conf);
/* Those that wait end as `shutting_down`. The one under way may take `limit_ms` more; then its
 * program is ended, or its unit left alone. Joins the thread: every errand has ended afterwards. */
void errands_stop(struct errands *errands, int64_t limit_ms);
struct errands *errands_free(struct errands *errands);

/* ERROR_NONE and a ticket, or the code with one line in `why`. */
MUST_CHECK enum error_code errands_submit(struct errands *errands, enum command command,
                                          uint32_t cid, struct ticket **ret,
                                          char why[TICKET_TEXT_MAX]);

#endif
