/* SPDX-License-Identifier: Apache-2.0 */
#include "host/steps/install_allowed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "wire/hex.h"

/* The digest of a line; -ENODATA: the line holds none. */
static int parse_line(const char *line, uint8_t ret[SHA256_SIZE])
{
    size_t length = strcspn(line, " \t\r\n");
    if (line[0] == '#' || line[strspn(line, " \t\r\n")] == '\0') {
        return -ENODATA;
    }
    return sha256_parse((struct text){line, length}, ret);
}

static int search(FILE *file, const char *path, const uint8_t sha256[SHA256_SIZE],
                  struct install_failure *failure)
{
    char *line = NULL;
    size_t size = 0;
    bool found = false;
    int error = 0;
    unsigned number = 0;
    while (error == 0 && getline(&line, &size, file) >= 0) {
        uint8_t allowed[SHA256_SIZE];
        number++;
        error = parse_line(line, allowed);
        found = found || (error == 0 && memcmp(allowed, sha256, SHA256_SIZE) == 0);
        error = error == -ENODATA ? 0 : error;
    }
    free(line);
    if (error != 0) {
        return install_fail(failure, ERROR_INTERNAL,
                            "[install] allowed_hashes = %s: line %u is no SHA-256", path, number);
    }
    if (ferror(file)) {
        return install_fail(failure, ERROR_INTERNAL,
                            "[install] allowed_hashes = %s: it cannot be read", path);
    }
    if (!found) {
        return install_fail(failure, ERROR_INSTALL_FAILED,
                            "the image's SHA-256 is not in %s ([install] allowed_hashes)", path);
    }
    return 0;
}

int install_allowed_check(const char *path, const uint8_t sha256[SHA256_SIZE],
                          struct install_failure *failure)
{
    if (path[0] == '\0') {
        return 0;
    }
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return install_fail(failure, ERROR_INTERNAL, "[install] allowed_hashes = %s: %s", path,
                            strerror(errno));
    }
    int result = search(file, path, sha256, failure);
    (void)fclose(file); /* read only */
    return result;
}
