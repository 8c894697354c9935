/* SPDX-License-Identifier: Apache-2.0 */
#include "host/steps/descriptors.h"

#include <fcntl.h>
#include <unistd.h>

void descriptors_open_standard(void)
{
    int fd = 0;
    while (fd >= 0 && fd <= STDERR_FILENO) {
        fd = open("/dev/null", O_RDWR); // NOLINT(android-cloexec-open): these three are inherited
    }
    if (fd >= 0) {
        (void)close(fd); /* all three were open */
    }
}
