/* SPDX-License-Identifier: Apache-2.0 */
/* Why an installation failed: the code and the line of the record, and so of the guest's answer. */
#ifndef HOST_INSTALL_FAILURE_H
#define HOST_INSTALL_FAILURE_H

#include "wire/attributes.h"
#include "wire/message.h"

enum { INSTALL_TEXT_MAX = 1280 }; /* as in struct install_record, with its NUL */

struct install_failure {
    enum error_code code;
    char text[INSTALL_TEXT_MAX]; /* cut, if it must be */
};

/* Sets `failure`, escaped, and returns -1. */
int install_fail(struct install_failure *failure, enum error_code code, const char *format, ...)
    PRINTF_LIKE(3, 4);

#endif
