/* SPDX-License-Identifier: Apache-2.0 */
/* The phases of an upgrade: the transitions and what each phase means. Pure functions.
 *
 * Source   docs/protocol.md, section "Phases"; the numbers are those of the wire.
 */
#ifndef HOST_UPGRADE_PHASE_H
#define HOST_UPGRADE_PHASE_H

#include "wire/attributes.h"
#include "wire/message.h"

/* True if an upgrade in phase `from` may enter phase `to`. */
bool phase_may_follow(enum phase from, enum phase to);

/* The guest that asked gets its answer: the reboot is scheduled, or the upgrade has ended. */
bool phase_ended(enum phase phase);

/* Nothing outside [upgrade] directory has been changed: it can be stopped and resumed at any
 * instant. */
bool phase_resumable(enum phase phase);

/* Must not be entered before it is on disk: what it starts cannot be found again otherwise. */
bool phase_needs_record(enum phase phase);

/* -EINVAL for a name that no phase has. */
MUST_CHECK int phase_find(const char *name, enum phase *ret);

#endif
