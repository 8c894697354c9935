/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a step program in the surroundings that step.h promises.
 *
 * Threads  any.
 * Errors   0 or -errno; no program and no descriptor is left then.
 * Owner    the caller closes the descriptors, and reaps the child.
 */
#ifndef HOST_SPAWN_H
#define HOST_SPAWN_H

#include <sys/types.h>

#include "host/step/step.h"
#include "wire/attributes.h"

struct child {
    pid_t pid;     /* of its session and process group too */
    int pidfd;     /* readable once it has ended; -1: there was no descriptor left for it */
    int output_fd; /* its stdout and stderr, to read without waiting */
    int said_fd;   /* step->said: its stdout alone, likewise; -1 otherwise */
};

MUST_CHECK int spawn_child(const struct step *step, struct child *ret);

#endif
