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

#include "compat/dialect.h"
#include "host/conf/conf.h"
#include "host/console.h"
#include "host/operation.h"
#include "host/pending.h"
#include "host/upgrade/upgrade.h"
#include "wire/attributes.h"
#include "wire/message.h"

#include <stdatomic.h>

/* The HostOS version: what the file of [version] file holds, trimmed.
 *
 * Threads  any; the file is read at every call, so a new version is told at once.
 * Errors   0 or -errno; -ENODATA: nothing but blanks; -EFBIG: more than HOSTOS_VERSION_MAX bytes;
 *          -EILSEQ: not UTF-8.
 */
MUST_CHECK int version_file_read(const char *path, char ret[HOSTOS_VERSION_MAX + 1]);

/* What is wrong with the file, for a person. */
const char *version_file_explain(int error);

/* What commands work on. */
struct command_parts {
    _Atomic(const struct conf *) conf; /* replaced by a reload; an earlier one stays readable */
    struct console *console;
    struct upgrade *upgrade;
    struct operations *operations;
    atomic_bool stopping; /* no new work */
};

/* Where the texts of one answer stand. */
struct command_scratch {
    char text[ANSWER_TEXT_MAX];
    struct pending_view view;
};

/* Runs the request of the guest with this CID. With *ticket not NULL afterwards the answer is not
 * known yet: it comes when the ticket's work has ended. */
void command_run(struct command_parts *parts, const struct request *request, uint32_t cid,
                 struct command_scratch *scratch, struct answer *answer, struct pending **pending);

/* The answer to work that has ended; its text points into the view. */
struct answer command_ended(const struct pending_view *view);

#endif
