/* SPDX-License-Identifier: Apache-2.0 */
/* Why an installation failed: the code and the one line that go into the record and, from there, to
 * the guest.
 *
 * Threads  a value of its caller.
 */
#ifndef HOST_INSTALL_FAILURE_H
#define HOST_INSTALL_FAILURE_H

#include "wire/attributes.h"
#include "wire/message.h"

enum { INSTALL_TEXT_MAX = 1280 }; /* as in struct record, with its NUL */

struct install_failure {
    enum error_code code;
    char text[INSTALL_TEXT_MAX]; /* cut, if it must be */
};

/* Fills `failure` and returns -1, so that a failure is one statement where it happens. */
int install_fail(struct install_failure *failure, enum error_code code, const char *format, ...)
    PRINTF_LIKE(3, 4);

#endif
