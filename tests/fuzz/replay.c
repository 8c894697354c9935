/* SPDX-License-Identifier: Apache-2.0 */
/* Runs every file of a corpus through a fuzz target: as it is, and split in other ways. */
#include "fuzz/fuzz.h"
#include "support/golden.h"

#include <dirent.h>
#include <string.h>

enum { INPUT_MAX = 1 << 20, PATH_BYTES_MAX = 1024 };

static size_t read_input(const char *path, uint8_t *bytes, size_t size)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        fprintf(stderr, "%s: cannot be opened\n", path);
        exit(1);
    }
    size_t length = fread(bytes, 1, size, file);
    (void)fclose(file); /* read only */
    return length;
}

static void replay(const char *path)
{
    static uint8_t bytes[INPUT_MAX];
    size_t length = read_input(path, bytes, sizeof bytes);
    uint8_t *input = exact_copy(bytes, length);
    (void)LLVMFuzzerTestOneInput(input, length); /* a wrong result aborts */
    free(input);
}

int main(int argc, char **argv)
{
    unsigned count = 0;
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (folder == NULL) {
        fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
        return 2;
    }
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char path[PATH_BYTES_MAX];
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
            replay(path);
            count++;
        }
    }
    (void)closedir(folder); /* read only */
    printf("%u files replayed\n", count);
    return count > 0 ? 0 : 1; /* nothing replayed is no success */
}
