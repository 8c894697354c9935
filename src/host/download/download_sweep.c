/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "host/download/download.h"
#include "wire/hex.h"

static bool is_ending(const char *ending)
{
    static const char *const endings[] = {".part", ".meta", ".meta.new", ".img"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        if (strcmp(ending, endings[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* True for a file of a download of another hash. */
static bool is_left_over(const char *name, const uint8_t *keep)
{
    uint8_t sha256[SHA256_SIZE];
    if (strlen(name) <= SHA256_HEX || !is_ending(name + SHA256_HEX) ||
        sha256_parse((struct text){name, SHA256_HEX}, sha256) != 0) {
        return false;
    }
    return keep == NULL || memcmp(sha256, keep, SHA256_SIZE) != 0;
}

void download_sweep(int directory_fd, const uint8_t *keep)
{
    /* A descriptor of its own, since closedir closes it. */
    int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (directory == NULL) {
        if (fd >= 0) {
            (void)close(fd); /* nothing was written */
        }
        return; /* it is done again before the next download */
    }
    const struct dirent *entry = readdir(directory);
    while (entry != NULL) {
        if (is_left_over(entry->d_name, keep)) {
            (void)unlinkat(directory_fd, entry->d_name, 0); /* as above */
        }
        entry = readdir(directory);
    }
    (void)closedir(directory); /* nothing was written */
}
