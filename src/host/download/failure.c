/* SPDX-License-Identifier: Apache-2.0 */
#include "host/download/failure.h"

#include "wire/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int failure_set(struct failure *failure, enum failure_scope scope, enum error_code code,
                const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    failure->scope = scope;
    failure->code = code;
    failure->detail[0] = '\0';
    (void)vsnprintf(failure->text, sizeof failure->text, format, arguments);
    va_end(arguments);
    return -EPROTO;
}

int failure_set_file(struct failure *failure, int error, const char *operation)
{
    bool full = error == -ENOSPC || error == -EDQUOT;
    (void)failure_set(failure, FAILURE_FINAL, full ? ERROR_NO_SPACE : ERROR_INTERNAL,
                      "cannot store the image in %s: %s: %s", failure->directory, operation,
                      strerror(-error));
    return error;
}

bool failure_is_shortage(int error)
{
    static const int shortages[] = {-ENOMEM, -EMFILE, -ENFILE, -EAGAIN, -ENOBUFS};
    for (size_t i = 0; i < sizeof shortages / sizeof shortages[0]; i++) {
        if (error == shortages[i]) {
            return true;
        }
    }
    return false;
}

void failure_detail(struct failure *failure, const char *format, ...)
{
    char plain[2 * FAILURE_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(plain, sizeof plain, format, arguments);
    va_end(arguments);
    (void)escape_text(text_of(plain), ESCAPE_LINE, failure->detail, sizeof failure->detail);
}
