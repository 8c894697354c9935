/* SPDX-License-Identifier: Apache-2.0 */
#include "host/install/failure.h"

#include "wire/text.h"

#include <stdarg.h>
#include <stdio.h>

int install_fail(struct install_failure *failure, enum error_code code, const char *format, ...)
{
    char text[INSTALL_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    failure->code = code;
    (void)escape_text(text_of(text), ESCAPE_LINE, failure->text, sizeof failure->text);
    return -1;
}
