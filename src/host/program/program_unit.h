/* SPDX-License-Identifier: Apache-2.0 */
/* [steps] method = unit: the program as a unit, by systemd. See program.h.
 *
 * What it said is the file that its stdout goes to, if that was written since before the unit was
 * started: an older one is of an older run.
 */
#ifndef HOST_PROGRAM_UNIT_H
#define HOST_PROGRAM_UNIT_H

#include "host/program/program.h"

void program_unit_run(const struct program *program, struct program_result *ret);

#endif
