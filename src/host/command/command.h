/* SPDX-License-Identifier: Apache-2.0 */
/* What the host does for each command: a typed request in, a typed answer out, or a ticket for the
 * work whose end is the answer.
 *
 * Threads  any worker; the parts behind it lock for themselves.
 * Errors   values of the answer.
 * Owner    the answer's texts point into the scratch or into constant memory.
 */
#ifndef HOST_COMMAND_H
#define HOST_COMMAND_H

#include <stdatomic.h>

#include "compat/dialect.h"
#include "host/conf/conf.h"
#include "host/console/console.h"
#include "host/errand/errands.h"
#include "host/ticket.h"
#include "host/upgrade/job.h"
#include "wire/message.h"

/* What commands work on. */
struct command_parts {
    _Atomic(const struct conf *) conf; /* replaced by a reload; an earlier one stays readable */
    struct console *console;
    struct job *job;
    struct errands *errands;
    atomic_bool stopping; /* no new work */
};

/* Where the texts of one answer stand. */
struct command_scratch {
    char text[ANSWER_TEXT_MAX];
    struct job_view view;
};

/* Runs the request of the guest with this CID. With *ticket not NULL afterwards the answer is not
 * known yet: it comes when the ticket's work has ended. */
void command_run(struct command_parts *parts, const struct request *request, uint32_t cid,
                 struct command_scratch *scratch, struct answer *answer, struct ticket **ticket);

/* The answer to work that has ended; its text points into the view. */
struct answer command_ended(const struct ticket_view *view);

#endif
