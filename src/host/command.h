/* SPDX-License-Identifier: Apache-2.0 */
/* Runs each command: a typed request in; out a typed answer, or pending work whose end is the answer.
 *
 * Threads  any worker; the parts lock for themselves.
 * Owner    the answer's texts point into the scratch or into constant memory.
 */
#ifndef HOST_COMMAND_H
#define HOST_COMMAND_H

#include "compat/dialect.h"
#include "host/conf/conf.h"
#include "host/console.h"
#include "host/operation.h"
#include "host/pending.h"
#include "host/upgrade/upgrade.h"
#include "wire/message.h"

#include <stdatomic.h>

/* What commands work on. */
struct command_parts {
    _Atomic(const struct conf *) conf; /* replaced by a reload; an earlier one stays readable */
    struct console *console;
    struct upgrade *upgrade;
    struct operations *operations;
    atomic_bool stopping; /* no new work */
};

/* Holds the texts of one answer. */
struct command_scratch {
    char text[ANSWER_TEXT_MAX];
    struct pending_view view;
};

/* Runs the request of the guest with this CID. *pending not NULL afterwards: the answer comes when that
 * work has ended. */
void command_run(struct command_parts *parts, const struct request *request, uint32_t cid,
                 struct command_scratch *scratch, struct answer *answer, struct pending **pending);

/* The answer to work that has ended; its text points into the view. */
struct answer command_answer_ended(const struct pending_view *view);

#endif
