/* SPDX-License-Identifier: Apache-2.0 */
#include "support/folder.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WALK_DESCRIPTORS = 8 };

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

int folder_unit_main(const char *suite, char path[], int *fd)
{
    if (mkdtemp(path) == NULL) {
        perror(path);
        return 1;
    }
    int opened = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0) {
        perror(path);
        return 1;
    }
    if (fd != NULL) {
        *fd = opened;
    }
    int status = unit_main(suite);
    (void)close(opened); /* nothing was written */
    if (nftw(path, remove_one, WALK_DESCRIPTORS, FTW_DEPTH | FTW_PHYS) != 0) {
        perror(path);
        return 1;
    }
    return status;
}
