/* SPDX-License-Identifier: Apache-2.0 */
/* How a program ended, in words and as one number.
 *
 * Threads  pure functions.
 */
#ifndef HOST_INSTALL_ENDING_H
#define HOST_INSTALL_ENDING_H

#include "host/step/step.h"

enum { INSTALL_ENDING_MAX = 96 };

/* Such as "exited with status 7" or "was ended by signal 9 (SIGKILL)". */
void install_ending_format(const struct step_result *result, char *out, size_t size);

/* As a shell has it: 0 to 255, 128+n for a signal. */
int install_ending_status(const struct step_result *result);

#endif
