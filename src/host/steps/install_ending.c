/* SPDX-License-Identifier: Apache-2.0 */
#include "host/steps/install_ending.h"

#include <stdio.h>

void install_ending_format(const struct step_result *result, char *out, size_t size)
{
    int number = result->exit_status;
    if (result->end == STEP_EXITED) {
        (void)snprintf(out, size, "exited with status %d", number);
        return;
    }
    const char *name = sigabbrev_np(number);
    (void)snprintf(out, size, "%s signal %d (SIG%s)",
                   result->end == STEP_TIMEOUT ? "took too long and was ended by" : "was ended by",
                   number, name != NULL ? name : "?");
}

int install_ending_status(const struct step_result *result)
{
    return result->end == STEP_EXITED ? result->exit_status : 128 + result->exit_status;
}
