/* SPDX-License-Identifier: Apache-2.0 */
/* The phases of an upgrade: which may follow which, and what each one means to those who wait.
 *
 * Threads  pure functions.
 * Source   docs/protocol.md, section "Phases"; the numbers are those of the wire.
 */
#ifndef HOST_PHASE_H
#define HOST_PHASE_H

#include "wire/attributes.h"
#include "wire/message.h"

/* True if an upgrade in phase `from` may enter phase `to`. */
bool phase_may_follow(enum phase from, enum phase to);

/* Ended for the guest that asked: the reboot is scheduled, or there is nothing more to wait for. */
bool phase_ended(enum phase phase);

/* Bytes are still being fetched or judged: nothing outside our directory has been touched, so that
 * it can be stopped and begun again at any instant. */
bool phase_resumable(enum phase phase);

/* Must not be entered unless it is on disk: what it begins cannot be found out again otherwise. */
bool phase_needs_record(enum phase phase);

/* -EINVAL for a name that no phase has. */
MUST_CHECK int phase_find(const char *name, enum phase *ret);

#endif
