/* SPDX-License-Identifier: Apache-2.0 */
#include "host/steps/hsm_device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int hsm_number_parse(const char *text, int base, uint32_t *ret)
{
    const char *digits = base == 16 ? "0123456789abcdefABCDEF" : "0123456789";
    size_t length = strspn(text, digits);
    if (length == 0 || text[length] != '\0') {
        return -EINVAL;
    }
    errno = 0;
    unsigned long long value = strtoull(text, NULL, base);
    if (errno != 0 || value > UINT32_MAX) {
        return -ERANGE;
    }
    *ret = (uint32_t)value;
    return 0;
}
