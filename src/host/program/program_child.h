/* SPDX-License-Identifier: Apache-2.0 */
/* [steps] method = exec: the program as a child. See program.h. */
#ifndef HOST_PROGRAM_CHILD_H
#define HOST_PROGRAM_CHILD_H

#include "host/program/program.h"

void program_child_run(const struct program *program, struct program_result *ret);

#endif
