/* SPDX-License-Identifier: Apache-2.0 */
/* What the host does for each command: a typed request in, a typed answer out, or a ticket for the
 * upgrade whose end is the answer.
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
#include "host/upgrade/job.h"
#include "wire/message.h"

/* What commands work on. */
struct command_parts {
    const struct conf *conf;
    struct console *console;
    struct job *job;
    atomic_bool stopping; /* no new work */
};

/* Where the texts of one answer stand. */
struct command_scratch {
    char text[ANSWER_TEXT_MAX];
    struct job_view view;
};

/* Runs the request. With *ticket not NULL afterwards the answer is not known yet: it comes when the
 * ticket's upgrade has ended. */
void command_run(struct command_parts *parts, const struct request *request,
                 struct command_scratch *scratch, struct answer *answer,
                 struct job_ticket **ticket);

/* The answer to an upgrade that has ended; its texts point into the view. */
struct answer command_upgrade_answer(const struct job_view *view);

#endif
