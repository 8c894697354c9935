/* SPDX-License-Identifier: Apache-2.0 */
#include "host/program/program.h"

#include "host/program/program_child.h"
#include "host/program/program_unit.h"

void program_run(const struct program *program, struct program_result *ret)
{
    if (program->method == CONF_STEP_UNIT) {
        program_unit_run(program, ret);
    } else {
        program_child_run(program, ret);
    }
}
